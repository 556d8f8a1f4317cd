"""How a machine reads handwritten digits: the library behind the pages."""

import os

# ONNX Runtime sends usage data to its maker unless it is told not to before it is first imported.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
