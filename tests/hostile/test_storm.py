"""A hundred hostile files, addresses and messages; `make hostile` sends 10,000. The watch itself is tried out."""

from __future__ import annotations

import ast
import contextlib
import os
import pickle
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.hostile import guard
from tests.hostile.storm import Tally, send
from tests.hostile.surfaces import SURFACES, Surface

CASES = 100


def test_a_hundred_hostile_inputs_are_taken_in_or_refused_in_plain_words() -> None:
    # In a process of its own: what other tests do in the background is not to be watched.
    command = [sys.executable, "-m", "tests.hostile.storm", "--cases", str(CASES)]
    said = subprocess.run(command, cwd=guard.ROOT, capture_output=True, text=True)
    assert said.returncode == 0, said.stdout[-6000:] + said.stderr[-2000:]
    assert "0 faults" in said.stdout


def _runs_a_pickle() -> None:
    pickle.loads(b"cos\nsystem\n(S'true'\ntR.")  # noqa: S301 - the very thing that is to be seen


FORBIDDEN: dict[str, Callable[[], object]] = {
    "socket.": lambda: socket.create_connection(("127.0.0.1", 9), 0.1),
    "subprocess.Popen": lambda: subprocess.run(["true"], check=False),
    "os.system": lambda: os.system("true"),
    "pickle.find_class": _runs_a_pickle,
    "open": lambda: Path("/tmp/hdr-hostile-probe").write_text(""),
    "os.mkdir": lambda: os.mkdir("/tmp/hdr-hostile-probe/x"),
    "compile": lambda: eval("1 + 1"),
    "exec": lambda: exec(compile("x = 1", "<sent>", "exec")),
    "import": lambda: __import__("this_is_not_there"),
}


@pytest.mark.parametrize("event", FORBIDDEN)
def test_the_watch_sees_what_is_forbidden(event: str, tmp_path: Path) -> None:
    with guard.watching(tmp_path) as watch, contextlib.suppress(OSError, ImportError):
        FORBIDDEN[event]()
    Path("/tmp/hdr-hostile-probe").unlink(missing_ok=True)
    assert any(seen.startswith(event) for seen in watch.seen), watch.seen


def test_the_watch_lets_pass_what_is_allowed(tmp_path: Path) -> None:
    with guard.watching(tmp_path) as watch:
        (tmp_path / "note").write_text("fine")
        os.replace(tmp_path / "note", tmp_path / "kept")
        Path(__file__).read_text()
        ast.literal_eval("{'shape': (1, 2)}")
    assert not [seen for seen in watch.seen if "test_storm" in seen]


def test_what_breaks_takes_too_long_or_too_much_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(data: bytes) -> None:
        end = time.process_time() + 1.3 * guard.SECONDS
        while time.process_time() < end:
            pass

    takes: dict[str, Callable[[bytes], object]] = {
        "breaking": lambda data: 1 / 0,
        "slow": slow,
        "hungry": lambda data: bytearray(b"x") * (2 * guard.MEMORY),
        "writing": lambda data: Path("/tmp/hdr-hostile-probe").write_bytes(data),
        "sound": lambda data: None,
    }
    tally = Tally()
    with guard.watching(tmp_path) as watch:
        for name, take in takes.items():
            monkeypatch.setitem(SURFACES, name, Surface(1, lambda r: b"x", take, list))
            send(f"{name}:0:0", b"x", watch, tally)
    Path("/tmp/hdr-hostile-probe").unlink(missing_ok=True)
    wanted = {"breaking", "slow", "writing"} | ({"hungry"} if Path("/proc/self/clear_refs").exists() else set())
    assert {name.partition(":")[0] for name in tally.faults} == wanted
