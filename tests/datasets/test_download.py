"""The downloader against mirrors that do everything wrong."""

from __future__ import annotations

import gzip
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

import pytest

from hdr.datasets.public import download, mnist
from hdr.datasets.public.download import FetchError, Limits
from tests.datasets.conftest import CONTENTS, MirrorServer
from tests.support.waiting import until

FAST = Limits(connect=2.0, silence=2.0, window=1.0, speed=2_000.0, total=10.0)
"""For mirrors that must be given up. A busy machine can be as slow as they are, so all others have the usual limits."""

GIVEN_UP = ("silent", "drip", "drip_head")
NAMES = tuple(CONTENTS)
FIRST = NAMES[0]


def use(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    monkeypatch.setenv("HDR_MIRRORS", ", ".join(addresses))


def content_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


@pytest.mark.parametrize("way", ["good", "plain", "encoded", "no_length", "chunked", "redirect"])
def test_every_honest_way_of_sending_is_understood(own, mirror: MirrorServer, monkeypatch, way: str) -> None:
    use(monkeypatch, mirror.at(way))
    assert download.fetch_mnist(limits=Limits()) == NAMES
    assert content_of(own) == CONTENTS
    assert len(mnist.load().train) == 60


WRONG = {
    "truncated": "ends in the middle of its gzip data",
    "flipped": "has the SHA-256",
    "broken_gzip": "gzip data|SHA-256",
    "longer": "has more than the expected 47,056 bytes",
    "trailing": "goes on after the end",
    "announces_more": "broke off|middle",
    "announces_less": "ends in the middle",
    "404": "answered 404 Not Found",
    "500": "answered 500 Internal Server Error",
    "html": r"sent a web page \(text/html\)",
    "disguised_html": "ends after 42 of 47,056 bytes",
    "empty": "ends after 0 of 47,056 bytes",
    "closes": "broke off",
    "silent": "sent 0 bytes in 1 s",
    "drip": r"sent \d+ bytes in 1 s",
    "drip_head": "sent 0 bytes in 1 s",
    "bomb": "has more than the expected 47,056 bytes",
    "endless": "sent more than 48,127 bytes",
    "loop": "redirected more than 5 times",
    "elsewhere": "cannot be used",
}


@pytest.mark.parametrize("way", WRONG)
def test_every_wrong_way_ends_in_the_next_mirror(own, mirror: MirrorServer, monkeypatch, way: str) -> None:
    use(monkeypatch, mirror.at(way), mirror.at("good"))
    assert download.fetch_mnist(limits=FAST if way in GIVEN_UP else Limits()) == NAMES
    assert content_of(own) == CONTENTS
    # Having failed once, the wrong one is not asked first again.
    assert {name for asked, name in mirror.asked if asked == way} == {f"{FIRST}.gz"}


@pytest.mark.parametrize("way", WRONG)
def test_where_no_mirror_is_right_one_message_says_what_each_did(own, mirror, monkeypatch, way: str) -> None:
    use(monkeypatch, mirror.at(way), mirror.at("404"))
    with pytest.raises(FetchError, match=WRONG[way]) as caught:
        download.fetch_mnist(limits=FAST if way in GIVEN_UP else Limits())
    said = str(caught.value)
    assert f"{FIRST} could not be fetched. Expected 47,056 bytes" in said
    assert mnist.FILES[0].sha256 in said
    assert f"{mirror.at(way)}{FIRST}.gz: " in said and f"{mirror.at('404')}{FIRST}.gz: answered 404" in said
    assert "Traceback" not in said and " object at 0x" not in said
    assert content_of(own) == {}


def test_a_steady_mirror_that_is_too_slow_for_the_deadline_is_given_up(own, mirror, monkeypatch) -> None:
    use(monkeypatch, mirror.at("drip"))
    with pytest.raises(FetchError, match=r"had not sent everything after 0\.4 s"):
        download.fetch_mnist(limits=Limits(window=0.2, speed=0.0, total=0.4))


def test_a_thread_that_was_left_behind_ends(own, mirror: MirrorServer, monkeypatch) -> None:
    use(monkeypatch, mirror.at("drip"))
    with pytest.raises(FetchError):
        download.fetch_mnist(limits=FAST)
    until(lambda: all(thread.name != "hdr-download" for thread in threading.enumerate()))


def test_without_a_network_the_message_is_plain(own, monkeypatch) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        use(monkeypatch, f"http://127.0.0.1:{closed.getsockname()[1]}/", "http://no-such-host.invalid/")
        with pytest.raises(FetchError, match=r"127\.0\.0\.1:\d+/.*: failed \(Connection refused\)") as caught:
            download.fetch_mnist(limits=FAST)
    assert "HTTPConnectionPool" not in str(caught.value)


def test_a_name_that_is_never_found_does_not_hold_the_fetch(own, mirror: MirrorServer, monkeypatch) -> None:
    asked, answer = threading.Event(), threading.Event()
    original = socket.getaddrinfo

    def hangs(host, *args, **kwargs):
        if host == "slow.invalid":
            asked.set()
            answer.wait(20)
        return original(host, *args, **kwargs)

    monkeypatch.setattr(socket, "getaddrinfo", hangs)
    use(monkeypatch, "http://slow.invalid/", mirror.at("good"))
    try:
        assert download.fetch_mnist(limits=FAST) == NAMES
    finally:
        answer.set()
    assert asked.is_set()


def test_a_password_in_an_address_is_not_shown(own, mirror: MirrorServer, monkeypatch) -> None:
    use(monkeypatch, mirror.at("404").replace("http://", "http://me:secret@"))
    with pytest.raises(FetchError) as caught:
        download.fetch_mnist(limits=FAST)
    assert "secret" not in str(caught.value) and "http://127.0.0.1:" in str(caught.value)


@pytest.mark.parametrize("address", ["http://[", "https://", "http://host:99999/"])
def test_an_address_that_cannot_be_asked_is_a_failure_like_others(own, monkeypatch, address: str) -> None:
    use(monkeypatch, address)
    with pytest.raises(FetchError, match=r"cannot be used|failed"):
        download.fetch_mnist(limits=FAST)


def test_an_address_that_is_none_is_named(own, monkeypatch) -> None:
    use(monkeypatch, "ftp://somewhere/")
    with pytest.raises(FetchError, match='HDR_MIRRORS holds "ftp://somewhere/"'):
        download.fetch_mnist(limits=FAST)


def test_without_the_variable_the_published_mirrors_are_asked(own) -> None:
    assert download.custom_mirrors() == ()
    assert all(address.startswith("https://") for address in download.MIRRORS)


def test_only_what_is_missing_is_fetched(provided: Path, own: Path, mirror: MirrorServer, monkeypatch) -> None:
    use(monkeypatch, mirror.at("good"))
    assert download.fetch_mnist(limits=FAST) == ()
    assert mirror.asked == [] and not own.exists()
    (provided / "mnist" / f"{NAMES[1]}.gz").unlink()
    assert download.fetch_mnist(limits=FAST) == (NAMES[1],)


@pytest.mark.parametrize("suffix", ["", ".gz"])
def test_a_damaged_file_of_ours_is_named_then_replaced(own: Path, mirror, monkeypatch, suffix: str) -> None:
    own.mkdir(parents=True)
    damaged = own / f"{FIRST}{suffix}"
    damaged.write_bytes(gzip.compress(CONTENTS[FIRST][:-1]))
    use(monkeypatch, mirror.at("404"))
    with pytest.raises(FetchError) as caught:
        download.fetch_mnist(limits=FAST)
    assert f"{damaged} ends after 47,055 of 47,056 bytes" in str(caught.value)
    use(monkeypatch, mirror.at("good"))
    assert download.fetch_mnist(limits=FAST) == NAMES
    assert content_of(own) == CONTENTS


def test_a_damaged_file_in_the_provided_folder_stays_and_is_fetched_elsewhere(
    provided, own, mirror, monkeypatch
) -> None:
    damaged = provided / "mnist" / f"{FIRST}.gz"
    damaged.write_bytes(b"damaged")
    use(monkeypatch, mirror.at("good"))
    assert download.fetch_mnist(limits=FAST) == (FIRST,)
    assert damaged.read_bytes() == b"damaged" and set(content_of(own)) == {FIRST}
    assert len(mnist.load().train) == 60


def test_progress_runs_over_all_files(own, mirror: MirrorServer, monkeypatch) -> None:
    use(monkeypatch, mirror.at("flipped"), mirror.at("good"))
    seen: list[tuple[str, int, int]] = []
    download.fetch_mnist(lambda *report: seen.append(report), FAST)
    total = sum(map(len, CONTENTS.values()))
    assert seen[0] == (FIRST, 0, total) and seen[-1] == (NAMES[-1], total, total)
    assert {name for name, _, _ in seen} == set(NAMES)
    assert all(0 <= done <= total == of for _, done, of in seen)


def test_what_a_callback_raises_ends_the_fetch(own: Path, mirror: MirrorServer, monkeypatch) -> None:
    use(monkeypatch, mirror.at("good"))

    def cancel(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        download.fetch_mnist(cancel, FAST)
    assert content_of(own) == {}


def test_a_folder_that_cannot_be_made_is_named(own: Path, mirror: MirrorServer, monkeypatch) -> None:
    own.parent.parent.mkdir()
    own.parent.write_text("a file where the folder should be")
    use(monkeypatch, mirror.at("good"))
    with pytest.raises(FetchError, match=f"cannot be kept in {own} .*Set HDR_HOME"):
        download.fetch_mnist(limits=FAST)


CHILD = """
import json, os, sys, time
from hdr.datasets.public import download, mnist
from hdr.datasets.storage.verified_file import DataFile
mnist.FILES = tuple(DataFile(**file) for file in json.loads(sys.argv[1]))
if sys.argv[2] == "hang":
    os.fsync = lambda _: (print("writing", flush=True), time.sleep(30))
def report(file, done, total):
    if done:
        print("receiving", flush=True)
download.fetch_mnist(report, download.Limits(window=20.0))
"""


def child(what: str = "") -> subprocess.Popen[str]:
    table = json.dumps([asdict(file) for file in mnist.FILES])
    root = Path(__file__).parents[2]
    return subprocess.Popen(
        [sys.executable, "-c", CHILD, table, what],
        stdout=subprocess.PIPE,
        text=True,
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
    )


def test_two_processes_at_once_are_harmless(own: Path, mirror: MirrorServer, monkeypatch) -> None:
    use(monkeypatch, mirror.at("good"))
    both = [child(), child()]
    for process in both:
        process.communicate(timeout=30)
    assert [process.returncode for process in both] == [0, 0]
    assert content_of(own) == CONTENTS


def wait_for(process: subprocess.Popen[str], line: str) -> None:
    assert process.stdout is not None
    assert any(said.strip() == line for said in process.stdout)


def test_a_process_killed_while_receiving_leaves_nothing(own: Path, mirror: MirrorServer, monkeypatch) -> None:
    use(monkeypatch, mirror.at("half"))
    with child() as process:
        wait_for(process, "receiving")
        process.send_signal(signal.SIGKILL)
    assert content_of(own) == {}
    use(monkeypatch, mirror.at("good"))
    assert download.fetch_mnist(limits=FAST) == NAMES
    assert content_of(own) == CONTENTS


def test_what_a_process_killed_while_writing_leaves_is_never_used_and_later_removed(own, mirror, monkeypatch) -> None:
    use(monkeypatch, mirror.at("good"))
    with child("hang") as process:
        wait_for(process, "writing")
        process.send_signal(signal.SIGKILL)
    (left,) = own.iterdir()
    assert left.name not in CONTENTS
    assert not any(status.verified or status.path for status in mnist.statuses())
    long_ago = time.time() - 3600
    os.utime(left, (long_ago, long_ago))
    assert download.fetch_mnist(limits=FAST) == NAMES
    assert content_of(own) == CONTENTS
