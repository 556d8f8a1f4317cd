"""See how a machine reads handwritten digits, step by step."""

import os

__version__ = "0.1.0"

# ONNX Runtime sends usage data to its maker unless this is set before its first import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
