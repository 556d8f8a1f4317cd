"""Other systems: all pages open and a training ends where that is missing which only Linux has."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from hdr.jobs import resource_limits
from hdr.ui.about import server_limits

ROOT = Path(__file__).parents[1]

WITHOUT_LINUX = """
import builtins, os, signal, sys, warnings

import platformdirs  # for Linux, it may have what is hidden below

GONE = {"fcntl", "grp", "posix", "pty", "pwd", "resource", "syslog", "termios", "tty"}
import_ = builtins.__import__


def is_ours(scope):
    return (scope or {}).get("__name__", "").split(".")[0] in ("hdr", "__main__", "pages")


def without(name, scope=None, *rest):
    if name in GONE and is_ours(scope):
        raise ImportError(f"{name} is hidden")
    return import_(name, scope, *rest)


def is_asked_by_us():
    frame = sys._getframe(2)
    while frame.f_globals["__name__"].split(".")[0] in ("ctypes", "pathlib"):
        frame = frame.f_back
    return is_ours(frame.f_globals)


def hide(event, arguments):
    # What others open here, they do not open on other systems.
    if event == "open" and str(arguments[0]).startswith(("/proc/", "/sys/")) and is_asked_by_us():
        raise FileNotFoundError(arguments[0])
    if event == "ctypes.dlopen" and arguments[0] is None and is_asked_by_us():
        raise TypeError("Windows has no library of the process itself")


builtins.__import__ = without
sys.addaudithook(hide)
for name in ("fork", "geteuid", "getloadavg", "getuid", "kill", "killpg", "nice", "sched_getaffinity", "sysconf"):
    delattr(os, name)
for name in ("SIGALRM", "SIGHUP", "SIGKILL", "SIGUSR1"):
    delattr(signal, name)
# A file is UTF-8 everywhere only where that is said.
warnings.filterwarnings("error", category=EncodingWarning, module=r"(hdr|pages|__main__)\\b")
"""

USED = """
from streamlit.testing.v1 import AppTest

from hdr.training.run_spec import RunSpec
from hdr.store.runs import RunStore
from hdr.jobs.worker import execute
from hdr.types import Step
from hdr.ui.shell import startup

startup._prepare = lambda *_: None
app = AppTest.from_file("streamlit_app.py", default_timeout=120).run()
for page in ("home", "preprocess", "features", "train", "runs", "draw", "data", "about"):
    app.switch_page(f"pages/{page}.py").run()
    assert not app.exception and not app.error, (page, app.exception, app.error)
print([caption.value for caption in app.caption])
store = RunStore()
run = store.create(RunSpec("bundled", 500, classifier=Step("naive_bayes")), "local", "1")
print(execute(store, run.id), store.get(run.id).message)
"""

SENTENCE = "Memory limits are off while a training runs, because this system does not report the memory of a process."


def used(code: str, home: Path) -> str:
    env = {**os.environ, "HDR_HOME": str(home), "HDR_MEMORY_MB": "400"}
    command = [sys.executable, "-X", "warn_default_encoding", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=env)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.slow
def test_without_what_only_linux_has_all_pages_open_and_about_says_what_is_off(tmp_path: Path) -> None:
    said = used(WITHOUT_LINUX + USED, tmp_path)
    assert SENTENCE in said and said.splitlines()[-1].startswith("True")


def test_about_says_so_only_where_the_system_does_not_report_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource_limits, "rss_mb", lambda: None)
    assert server_limits.memory_notice() == SENTENCE
    monkeypatch.setattr(resource_limits, "rss_mb", lambda: 250.0)
    assert server_limits.memory_notice() == ""
