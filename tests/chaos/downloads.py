"""Mirrors that do everything wrong, each followed by one that does it right."""

from __future__ import annotations

import hashlib
import os
import threading
from pathlib import Path

import pytest

from hdr.datasets.public import download, mnist
from hdr.datasets.storage.verified_file import DataFile
from tests.chaos.world import Row
from tests.datasets.conftest import CONTENTS, MirrorServer

WAYS = ("truncated", "flipped", "broken_gzip", "longer", "trailing", "announces_more", "announces_less", "404", "500")
WAYS += ("html", "disguised_html", "empty", "closes", "silent", "drip", "half", "drip_head", "loop", "elsewhere")
FAST = download.Limits(connect=2.0, silence=2.0, window=1.0, speed=2_000.0, total=10.0)


def faulty(home: Path, times: int) -> Row:
    """What arrives wrong is refused in words and never kept; what arrived right stays."""
    row, server = Row("download fails"), MirrorServer()
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    table = tuple(DataFile(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in CONTENTS.items())
    try:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(mnist, "FILES", table)
            patch.delenv("HDR_DATASETS", raising=False)
            patch.setenv("NO_PROXY", "127.0.0.1")
            for number, way in enumerate(WAYS[:times]):
                patch.setenv("HDR_HOME", str(home / str(number)))
                row.times += 1
                _one(row, way, server, patch)
    finally:
        server.closing.set()
        server.shutdown()
        server.server_close()
    return row


def _one(row: Row, way: str, server: MirrorServer, patch: pytest.MonkeyPatch) -> None:
    patch.setenv("HDR_MIRRORS", server.at(way))
    try:
        download.fetch_mnist(limits=FAST)
        row.problems.append(f"{way} was taken")
    except download.FetchError as error:
        row.messages.add(str(error))
    folder = Path(os.environ["HDR_HOME"]) / "datasets" / "mnist"
    row.problems += [f"{way} has left {path.name}" for path in folder.glob("*")]
    patch.setenv("HDR_MIRRORS", server.at("good"))
    row.acknowledged += len(download.fetch_mnist(limits=FAST))
    row.lost += sum((folder / name).read_bytes() != data for name, data in CONTENTS.items())
