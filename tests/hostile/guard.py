"""What a hostile file or address must never cause, watched while it is taken in.

Source: PEP 578, Python runtime audit hooks.
"""

from __future__ import annotations

import ctypes
import faulthandler
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]

SECONDS = 1.0
"""Processor time that one of them may take."""

PATIENCE = 15.0
"""Seconds of processor time after which it is broken off."""

LONGEST = 600.0
"""Seconds by the clock after which the whole process is, on a machine that has other things to do."""

MEMORY = 100_000_000
"""Bytes that it may take besides."""

NEVER = (
    "socket.",
    "subprocess.",
    "urllib.",
    "http.client.",
    "ftplib.",
    "smtplib.",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.spawn",
    "os.fork",
    "os.startfile",
    "pty.",
    "webbrowser.",
    "pickle.find_class",
    "cpython.run_",
    "code.__new__",
    "sqlite3.load_extension",
    "sqlite3.enable_load_extension",
)
"""How the audited events begin that nothing that is taken in has a reason for."""

_CHANGES = ("os.mkdir", "os.rename", "os.remove", "os.rmdir", "os.symlink", "os.link", "os.chmod", "os.chown")
_CHANGES += ("os.truncate", "os.utime", "shutil.", "tempfile.", "sqlite3.connect")
_ASKED = ("/sys/fs/cgroup/", "/proc/")
"""Read, not written: how much memory there is."""
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class Hang(BaseException):
    """It took so long that it was broken off. No `Exception`, so that nothing that is tested takes it for its own."""


@dataclass
class Watch:
    """What was seen.

    Attributes:
        home: the folder that may be written to.
        roots: top-level packages that may be imported from.
        seen: what must never happen, in words.
    """

    home: Path
    roots: frozenset[str]
    seen: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        named = (sys.prefix, sys.base_prefix, sys.exec_prefix, ROOT, os.environ.get("HDR_DATASETS") or ROOT)
        self._code = _ASKED + tuple({os.path.realpath(p) + os.sep for p in named} | {str(p) + os.sep for p in named})
        self._home = (os.path.realpath(self.home) + os.sep, str(self.home) + os.sep)

    def note(self, event: str, args: tuple[Any, ...]) -> None:
        """Judge one audited event."""
        if wrong := self._wrong(event, args):
            where = "".join(traceback.format_stack(limit=9)[:-3])
            self.seen.append(f"{event}: {wrong[:300]}\n{where}")

    def _wrong(self, event: str, args: tuple[Any, ...]) -> str:
        if event.startswith(NEVER):
            return repr(args)
        if event == "open":
            path, mode, flags = args
            path = path if isinstance(path, int) else os.path.abspath(self._text(path))
            writes = set(mode or "") & set("wax+") or (isinstance(flags, int) and flags & _WRITING)
            return "" if self._own(path) or (not writes and self._known(path)) else f"{path!r} {mode} {flags}"
        if event.startswith(_CHANGES):
            paths = [a for a in args if isinstance(a, (str, bytes, os.PathLike))]
            return "" if all(map(self._own, paths)) else repr(args)
        if event == "import":
            name, file = args[0], args[1]
            return "" if name.partition(".")[0] in self.roots and (not file or self._known(file)) else f"{name} {file}"
        if event in ("exec", "compile"):
            file = getattr(args[0], "co_filename", "") if event == "exec" else args[1]
            # <unknown> is what ast.parse calls its text: reading a literal runs nothing, and running it would be seen.
            parsed = event == "compile" and file in ("<unknown>", b"<unknown>")
            return "" if parsed or str(file).startswith("<frozen ") or self._known(file) else repr(args)[:200]
        if event == "ctypes.dlopen":
            return "" if args[0] is None or self._known(args[0]) else repr(args)
        return ""

    def _own(self, path: Any) -> bool:
        return isinstance(path, int) or self._under(path, self._home) or self._text(path) == os.devnull

    def _known(self, path: Any) -> bool:
        # What is no path at all, such as <string>, is code that came from nowhere.
        return self._own(path) or (os.path.isabs(self._text(path)) and self._under(path, self._code))

    def _under(self, path: Any, folders: Sequence[str]) -> bool:
        # Without `realpath`, which the hook would see: a link that leads elsewhere is not made by anything here.
        return (os.path.normpath(os.path.join(os.getcwd(), self._text(path))) + os.sep).startswith(tuple(folders))

    @staticmethod
    def _text(path: Any) -> str:
        return os.fsdecode(path) if isinstance(path, (str, bytes, os.PathLike)) else repr(path)


_trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if os.name == "posix" else None
_watch: Watch | None = None
_installed = False
_busy = threading.local()


def _hook(event: str, args: tuple[Any, ...]) -> None:
    if _watch is None or getattr(_busy, "now", False):
        return
    _busy.now = True
    try:
        _watch.note(event, args)
    finally:
        _busy.now = False


@contextmanager
def watching(home: Path) -> Iterator[Watch]:
    """Watch everything that this process does, in all of its threads.

    Args:
        home: the only folder that may be written to. What is imported by now may be imported from later.
    """
    global _watch, _installed
    if not _installed:
        # It can never be taken out again; without a watch it does nothing.
        sys.addaudithook(_hook)
        _installed = True
    bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    _watch = Watch(home, frozenset(name.partition(".")[0] for name in list(sys.modules)))
    try:
        yield _watch
    finally:
        _watch, sys.dont_write_bytecode = None, bytecode


@dataclass(frozen=True)
class Cost:
    """What it took: seconds of processor time, and bytes at most besides what was there (0 where nobody can tell)."""

    seconds: float
    memory: int


def measured(work: Callable[[], None]) -> Cost:
    """Do something and say what it took.

    Raises:
        Hang: it went on for more than `PATIENCE`.
    """
    if _trim:
        # What was given back before would hide what is taken now.
        _trim(0)
    before = _reset_peak()
    began = time.process_time(), time.monotonic()
    with _patience():
        work()
    # Never more than the clock says: other threads of this process have their own time.
    seconds = min(time.process_time() - began[0], time.monotonic() - began[1])
    return Cost(seconds, max(0, _peak() - before) if before else 0)


@contextmanager
def _patience() -> Iterator[None]:
    def broken_off(*_: Any) -> None:
        raise Hang(f"more than {PATIENCE:g} s")

    can = hasattr(signal, "SIGPROF") and threading.current_thread() is threading.main_thread()
    # What waits, or hangs within C, does not hear the signal: then the process ends and says where it was.
    faulthandler.dump_traceback_later(LONGEST, exit=True)
    earlier = signal.signal(signal.SIGPROF, broken_off) if can else None
    if can:
        signal.setitimer(signal.ITIMER_PROF, PATIENCE)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        if can:
            signal.setitimer(signal.ITIMER_PROF, 0)
            signal.signal(signal.SIGPROF, earlier)


def _reset_peak() -> int:
    """Let the peak of memory begin anew; returns the bytes that are in use, 0 where the system has no such thing."""
    _busy.now = True
    try:
        with open("/proc/self/clear_refs", "w") as stream:
            stream.write("5")
        return _status("VmRSS")
    except OSError:
        return 0
    finally:
        _busy.now = False


def _peak() -> int:
    _busy.now = True
    try:
        return _status("VmHWM")
    except OSError:
        return 0
    finally:
        _busy.now = False


def _status(name: str) -> int:
    with open("/proc/self/status") as stream:
        return next(int(line.split()[1]) * 1024 for line in stream if line.startswith(name))
