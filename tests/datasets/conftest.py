"""Small stand-ins for the four files, and a mirror on this machine that serves them rightly and wrongly."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import struct
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from hdr.datasets.public import background_download, mnist
from hdr.datasets.storage.verified_file import DataFile


def idx_bytes(array: np.ndarray) -> bytes:
    """An IDX file's content for a uint8 array."""
    return struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape) + array.tobytes()


def _stand_ins() -> dict[str, bytes]:
    rng = np.random.default_rng(0)
    arrays = [
        rng.integers(0, 256, (60, 28, 28), np.uint8),
        rng.integers(0, 10, 60, np.uint8),
        rng.integers(0, 256, (20, 28, 28), np.uint8),
        rng.integers(0, 10, 20, np.uint8),
    ]
    return {file.name: idx_bytes(array) for file, array in zip(mnist.FILES, arrays, strict=True)}


CONTENTS = _stand_ins()
"""Uncompressed content by file name."""

RAW: dict[str, bytes] = {}
"""Files that are sent as they are, by name."""


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The empty folder that downloads go to (not made yet), with the stand-ins as the published files."""
    monkeypatch.setenv("HDR_HOME", str(tmp_path / "home"))
    monkeypatch.delenv("HDR_DATASETS", raising=False)
    monkeypatch.delenv("HDR_MIRRORS", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    table = tuple(DataFile(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in CONTENTS.items())
    monkeypatch.setattr(mnist, "FILES", table)
    monkeypatch.setattr(background_download, "_progress", {})
    return tmp_path / "home" / "datasets" / "mnist"


@pytest.fixture
def provided(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that HDR_DATASETS names, with all the stand-ins, compressed, in its folder mnist."""
    folder = tmp_path / "provided"
    (folder / "mnist").mkdir(parents=True)
    for name, data in CONTENTS.items():
        (folder / "mnist" / f"{name}.gz").write_bytes(gzip.compress(data))
    monkeypatch.setenv("HDR_DATASETS", str(folder))
    return folder


class Mirror(BaseHTTPRequestHandler):
    """Answers /WAY/NAME.gz with the stand-in NAME, sent in the way that the method `way_WAY` knows."""

    server: MirrorServer

    def do_GET(self) -> None:
        _, way, name = self.path.split("/")
        self.server.asked.append((way, name))
        self.close_connection = True
        # An OSError here: the downloader gave up on us, as it should.
        with contextlib.suppress(OSError):
            data = RAW[name] if name in RAW else gzip.compress(CONTENTS[name.removesuffix(".gz")])
            getattr(self, f"way_{way}")(data)

    def log_message(self, *_: object) -> None:
        pass

    def head(self, length: int | None, status: int = 200, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        if length is not None:
            self.send_header("Content-Length", str(length))
        self.end_headers()

    def whole(self, data: bytes, **headers: str) -> None:
        self.head(len(data), **headers)
        self.wfile.write(data)

    def byte_by_byte(self, data: bytes) -> None:
        for value in data:
            if self.server.closing.wait(0.02):
                return
            self.wfile.write(bytes([value]))

    def way_good(self, data: bytes) -> None:
        self.whole(data)

    def way_plain(self, data: bytes) -> None:
        self.whole(gzip.decompress(data))

    def way_encoded(self, data: bytes) -> None:
        self.whole(data, Content_Encoding="gzip")

    def way_no_length(self, data: bytes) -> None:
        self.head(None)
        self.wfile.write(data)

    def way_chunked(self, data: bytes) -> None:
        self.protocol_version = "HTTP/1.1"
        self.head(None, Transfer_Encoding="chunked")
        for start in range(0, len(data), 1000):
            part = data[start : start + 1000]
            self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\n\r\n")

    def way_redirect(self, data: bytes) -> None:
        self.head(0, 302, Location=self.path.replace("/redirect/", "/good/"))

    def way_loop(self, data: bytes) -> None:
        self.head(0, 302, Location=self.path)

    def way_elsewhere(self, data: bytes) -> None:
        self.head(0, 302, Location="file:///etc/hostname")

    def way_truncated(self, data: bytes) -> None:
        self.whole(data[: len(data) // 2])

    def way_flipped(self, data: bytes) -> None:
        # Compressed anew, so that only the hash can tell: gzip's own checksum is right.
        content = bytearray(gzip.decompress(data))
        content[-1] ^= 1
        self.whole(gzip.compress(bytes(content)))

    def way_broken_gzip(self, data: bytes) -> None:
        self.whole(data[:40] + bytes([data[40] ^ 1]) + data[41:])

    def way_longer(self, data: bytes) -> None:
        self.whole(gzip.compress(gzip.decompress(data) + b"\0"))

    def way_trailing(self, data: bytes) -> None:
        self.whole(data + b"more")

    def way_announces_more(self, data: bytes) -> None:
        self.head(len(data) + 100)
        self.wfile.write(data[:-8])

    def way_announces_less(self, data: bytes) -> None:
        self.head(len(data) - 100)
        self.wfile.write(data)

    def way_404(self, data: bytes) -> None:
        self.send_error(404)

    def way_500(self, data: bytes) -> None:
        self.send_error(500)

    def way_html(self, data: bytes) -> None:
        self.whole(b"<html>please log in to this network</html>", Content_Type="text/html; charset=utf-8")

    def way_disguised_html(self, data: bytes) -> None:
        self.whole(b"<html>please log in to this network</html>", Content_Type="application/gzip")

    def way_empty(self, data: bytes) -> None:
        self.whole(b"")

    def way_closes(self, data: bytes) -> None:
        pass

    def way_silent(self, data: bytes) -> None:
        self.server.closing.wait(20)

    def way_drip(self, data: bytes) -> None:
        self.head(len(data))
        self.byte_by_byte(data)

    def way_half(self, data: bytes) -> None:
        self.head(len(data))
        self.wfile.write(data[: len(data) // 2])
        self.server.closing.wait(20)

    def way_drip_head(self, data: bytes) -> None:
        self.byte_by_byte(b"HTTP/1.0 200 OK\r\nX-Filler: " + b"a" * 1000)

    def way_bomb(self, data: bytes) -> None:
        self.whole(gzip.compress(bytes(20_000_000)))

    def way_endless(self, data: bytes) -> None:
        self.head(None)
        self.wfile.write(data[:10])  # gzip's header, then empty stored blocks: bytes that never become content
        stop = time.monotonic() + 20
        while not self.server.closing.is_set() and time.monotonic() < stop:
            self.wfile.write(b"\0\0\0\xff\xff" * 1000)


class MirrorServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Mirror)
        self.asked: list[tuple[str, str]] = []
        self.closing = threading.Event()

    def at(self, way: str) -> str:
        """The address of the mirror that answers in a certain way."""
        return f"http://127.0.0.1:{self.server_port}/{way}/"

    def handle_error(self, *_: object) -> None:
        pass


@pytest.fixture
def mirror() -> Iterator[MirrorServer]:
    server = MirrorServer()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.closing.set()
    server.shutdown()
    server.server_close()
