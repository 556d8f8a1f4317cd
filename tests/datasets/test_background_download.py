"""The fetch in the background of the app."""

from __future__ import annotations

import subprocess
import sys
import threading
from pathlib import Path

import pytest

from hdr.datasets.public import background_download, download
from tests.datasets.conftest import CONTENTS, MirrorServer
from tests.support.waiting import until


def wait_until(state: str, name: str = "mnist") -> background_download.FetchProgress:
    until(lambda: background_download.progress(name).state == state, lambda: background_download.progress(name))
    return background_download.progress(name)


def test_it_fetches_once_however_often_it_is_started(own, mirror: MirrorServer, monkeypatch) -> None:
    monkeypatch.setenv("HDR_MIRRORS", mirror.at("good"))
    assert background_download.progress() == background_download.FetchProgress("idle")
    threads = [threading.Thread(target=background_download.start) for _ in range(8)]
    for thread in threads:
        thread.start()
    done = wait_until("done")
    for thread in threads:
        thread.join()
    background_download.start()
    assert sorted(name for _, name in mirror.asked) == sorted(f"{name}.gz" for name in CONTENTS)
    assert done.done_bytes == done.total_bytes == sum(map(len, CONTENTS.values()))
    assert all((own / name).exists() for name in CONTENTS)


def test_with_mnist_here_nobody_is_asked(provided, mirror: MirrorServer, monkeypatch) -> None:
    monkeypatch.setenv("HDR_MIRRORS", mirror.at("good"))
    background_download.start()
    assert "verified" in wait_until("done").message
    assert mirror.asked == []


def test_a_failure_is_told_and_tried_again_only_when_asked(own, mirror: MirrorServer, monkeypatch) -> None:
    monkeypatch.setenv("HDR_MIRRORS", mirror.at("404"))
    background_download.start()
    assert "answered 404" in wait_until("failed").message
    background_download.start()
    assert background_download.progress().state == "failed" and len(mirror.asked) == 1
    monkeypatch.setenv("HDR_MIRRORS", mirror.at("good"))
    background_download.start(retry=True)
    wait_until("done")


def test_it_says_how_far_it_is(own, mirror: MirrorServer, monkeypatch) -> None:
    monkeypatch.setenv("HDR_MIRRORS", mirror.at("half"))
    background_download.start()
    until(lambda: background_download.progress().done_bytes, pause=0.01)
    now = background_download.progress()
    assert now.state == "running" and now.file in CONTENTS and 0 < now.done_bytes < now.total_bytes
    background_download.start(retry=True)
    assert [thread.name for thread in threading.enumerate()].count("hdr-fetch") == 1
    mirror.closing.set()
    wait_until("failed")


def test_an_unexpected_error_does_not_leave_it_running(own, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(download, "fetch", broken)
    background_download.start()
    assert "RuntimeError: boom" in wait_until("failed").message


def test_importing_it_imports_neither_requests_nor_streamlit() -> None:
    code = (
        "import sys, hdr.datasets.public.background_download;"
        "print({'requests', 'streamlit', 'sklearn', 'cv2'} & {*sys.modules})"
    )
    root = Path(__file__).parents[2]
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=root)
    assert said.stdout.strip() == "set()"
