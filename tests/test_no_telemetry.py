"""Libraries tell nobody that they are used: ONNX Runtime would, and keeps a number for this machine first."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

READS = """
import numpy as np
from hdr.reading import ready
reader = ready.load(ready.FILE)
assert reader.predict_proba(np.zeros((1, 28, 28), np.uint8)).shape == (1, 10)
print("read")
"""


def test_a_network_is_run_and_nothing_is_noted_in_the_users_folder(tmp_path: Path) -> None:
    kept = {"ORT_DISABLE_TELEMETRY", "XDG_CACHE_HOME", "XDG_DATA_HOME"}
    env = {name: value for name, value in os.environ.items() if name not in kept}
    env |= {"HOME": str(tmp_path), "USERPROFILE": str(tmp_path), "LOCALAPPDATA": str(tmp_path)}
    env |= {"HDR_HOME": str(tmp_path / "home"), "PYTHONDONTWRITEBYTECODE": "1"}
    root = Path(__file__).resolve().parents[1]
    done = subprocess.run([sys.executable, "-c", READS], cwd=root, env=env, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "read", done.stderr[-2000:]
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
