"""Models anywhere that fsspec knows, and those that are needed here in a folder of this machine.

A model is there when its manifest is, which is written last and says of each file how long it is and what its SHA-256
is. So half an upload is never taken for a model, and a file that was damaged on its way is found out.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import re
import secrets
import shutil
import time
from collections import defaultdict
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from hdr import redaction
from hdr.paths import home
from hdr.store.artifacts import DAY, ORPHAN_DAYS, ArtifactsError, folder_mb

MANIFEST = "manifest.json"

PUT_SECONDS = 300.0
"""For so long it is tried again to put a model: what it has learned is not to be lost because a network is away."""

CACHE_MB = 1000.0
"""Models that this machine keeps of those it has read or made; the one that was not used for longest goes first."""

IN_USE_SECONDS = 600.0
"""One that was used within this time stays, since somebody may be reading it; so does what was being written."""

FOLDERLESS = frozenset({"s3", "gs", "abfs"})
"""Where there are no folders, and to make one could make a bucket."""

OPTIONS: dict[str, dict[str, Any]] = {
    # As it comes, a page would wait for minutes until it is told that nobody answers.
    "s3": {"config_kwargs": {"connect_timeout": 4, "read_timeout": 20, "retries": {"max_attempts": 2}}},
}

log = logging.getLogger("hdr.artifacts")


@lru_cache(maxsize=4)
def remote(address: str) -> Remote:
    """Where models go, by its address.

    Raises:
        ArtifactsError: it cannot be used, or needs a package that is not installed.
    """
    shown = redaction.redact_url(address)
    try:
        import fsspec

        protocol = address.partition("://")[0]
        files, root = fsspec.url_to_fs(address, use_listings_cache=False, **OPTIONS.get(protocol, {}))
    except ImportError as error:
        raise ArtifactsError(
            f"To keep models in {shown} a package is needed that is not installed here: "
            "pip install -r requirements/cluster.txt"
        ) from error
    except Exception as error:
        raise ArtifactsError(f"Models cannot be kept in {shown}: {_reason(error, address)}.") from error
    return Remote(files, root.rstrip("/"), shown, address)


class Remote:
    """A place elsewhere; see `hdr.store.artifacts.ArtifactStore`.

    Args:
        files: of fsspec.
        root: a path in it, with a folder for each run.
        name: as it may be shown.
        address: with all that is secret in it.
    """

    def __init__(self, files: Any, root: str, name: str, address: str) -> None:
        self._files, self._root, self.name, self._address = files, root, name.rstrip("/"), address

    def folder(self, run: str) -> Path:
        """As `ArtifactStore.folder`."""
        return _cache() / run

    def save(self, run: str, write: Callable[[Path], int]) -> int:
        """As `ArtifactStore.save`."""
        with self._part(run) as part:
            try:
                written = write(part)
            except OSError as error:
                said = error.strerror or error
                raise ArtifactsError(f"The model could not be written to {part.parent}: {said}.") from error
            self._insist(lambda: self._put(run, part))
            # It will be read here next, most likely; where there is no room for it, it is fetched.
            with suppress(OSError):
                _keep(part, self.folder(run))
        _forget_old()
        return written

    def fetch(self, run: str) -> Path:
        """As `ArtifactStore.fetch`."""
        folder = self.folder(run)
        if not _is_whole(folder):
            with self._saying("fetched from", run), self._part(run) as part:
                self._get(run, part)
                _keep(part, folder)
        with suppress(OSError):
            os.utime(folder)
        _forget_old()
        return folder

    def remove(self, run: str) -> None:
        """As `ArtifactStore.remove`."""
        shutil.rmtree(self.folder(run), ignore_errors=True)
        with self._saying("removed from", run), suppress(FileNotFoundError):
            # The manifest first: a model that is partly removed is none.
            with suppress(FileNotFoundError):
                self._files.rm_file(self._at(run, MANIFEST))
            self._files.rm(self._at(run), recursive=True)

    def sizes(self) -> dict[str, float]:
        """As `ArtifactStore.sizes`."""
        found: dict[str, float] = defaultdict(float)
        for run, about in self._listed():
            found[run] += (about.get("size") or 0) / 1e6
        return dict(found)

    def tidy(self, known: Collection[str]) -> int:
        """As `ArtifactStore.tidy`. A model of no run is removed when nothing of it was written for `ORPHAN_DAYS`."""
        _forget_old()
        newest: dict[str, float] = {}
        for run, about in self._listed():
            newest[run] = max(newest.get(run, 0.0), _written(about))
        removed, now = 0, time.time()
        for run, written in newest.items():
            if run not in known and now - written > DAY * ORPHAN_DAYS:
                try:
                    self.remove(run)
                    removed += 1
                except ArtifactsError as error:
                    log.warning("%s It belongs to no run.", error)
        return removed

    def _put(self, run: str, part: Path) -> None:
        manifest = {}
        if not FOLDERLESS & {self._files.protocol, *self._files.protocol}:
            self._files.makedirs(self._at(run), exist_ok=True)
        for path in sorted(p for p in part.iterdir() if p.name != MANIFEST):
            data = path.read_bytes()
            manifest[path.name] = {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
            self._files.pipe_file(self._at(run, path.name), data)
        text = json.dumps({"files": manifest}, indent=1).encode()
        (part / MANIFEST).write_bytes(text)
        self._files.pipe_file(self._at(run, MANIFEST), text)

    def _get(self, run: str, part: Path) -> None:
        try:
            text = self._files.cat_file(self._at(run, MANIFEST))
            manifest = {str(name): dict(about) for name, about in json.loads(text)["files"].items()}
        except FileNotFoundError:
            raise ArtifactsError("it is not there, or not all of it") from None
        except (ValueError, KeyError, TypeError, AttributeError):
            raise ArtifactsError(f"its {MANIFEST} cannot be read") from None
        for name, about in manifest.items():
            if Path(name).name != name or name in (".", "..", MANIFEST):
                raise ArtifactsError(f"its {MANIFEST} names something that is no file")
            try:
                data = self._files.cat_file(self._at(run, name))
            except FileNotFoundError:
                raise ArtifactsError(f"its {name} is not there") from None
            if len(data) != about.get("bytes") or hashlib.sha256(data).hexdigest() != about.get("sha256"):
                raise ArtifactsError(f"its {name} is not what was put there")
            _write(part / name, data)
        _write(part / MANIFEST, text)

    def _insist(self, put: Callable[[], None]) -> None:
        began, pause = time.monotonic(), 1.0
        while True:
            try:
                return put()
            except Exception as error:
                said = f"The model could not be put to {self.name}: {_reason(error, self._address)}."
                # Nobody will be allowed, and no bucket made, by asking again.
                lasting = isinstance(error, PermissionError | FileNotFoundError | NotImplementedError)
                if lasting or time.monotonic() - began > PUT_SECONDS:
                    raise ArtifactsError(said) from error
                log.warning("%s Trying again.", said)
            time.sleep(pause)
            pause = min(2 * pause, 30.0)

    def _listed(self) -> Iterator[tuple[str, dict[str, Any]]]:
        found: dict[str, dict[str, Any]] = {}
        with self._saying("looked at in"), suppress(FileNotFoundError):
            found = self._files.find(self._root, detail=True)
        for path, about in found.items():
            run, parted, _ = path.removeprefix(self._root).lstrip("/").partition("/")
            if parted:
                yield run, about

    def _at(self, run: str, *name: str) -> str:
        return "/".join((self._root, run, *name))

    @contextmanager
    def _part(self, run: str) -> Iterator[Path]:
        part = _cache() / f".{run}.{secrets.token_hex(8)}.part"
        try:
            part.mkdir(parents=True)
            yield part
        finally:
            shutil.rmtree(part, ignore_errors=True)

    @contextmanager
    def _saying(self, what: str, run: str = "") -> Iterator[None]:
        which = f"The model of run {run}" if run else "The models"
        try:
            yield
        except ArtifactsError as error:
            raise ArtifactsError(f"{which} cannot be {what} {self.name}: {error}.") from error
        except Exception as error:
            said = _reason(error, self._address)
            raise ArtifactsError(f"{which} cannot be {what} {self.name}: {said}.") from error


def _cache() -> Path:
    return home() / "cache" / "models"


def _is_whole(folder: Path) -> bool:
    try:
        files = json.loads((folder / MANIFEST).read_bytes())["files"]
        return all((folder / name).stat().st_size == about["bytes"] for name, about in files.items())
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _keep(part: Path, folder: Path) -> None:
    # Somebody else may have fetched the same meanwhile: then theirs stays.
    if folder.exists() and not _is_whole(folder):
        shutil.rmtree(folder, ignore_errors=True)
    try:
        part.rename(folder)
    except OSError:
        if not _is_whole(folder):
            raise


def _forget_old() -> None:
    # What was used last is kept, as far as there is room.
    try:
        stamps = {path: path.stat().st_mtime for path in _cache().iterdir()}
    except OSError:
        return
    total = 0.0
    for path in sorted(stamps, key=lambda p: -stamps[p]):
        total += folder_mb(path)
        old = time.time() - stamps[path] > IN_USE_SECONDS
        if old and (total > CACHE_MB or path.name.startswith(".")):
            shutil.rmtree(path, ignore_errors=True)


def _write(path: Path, data: bytes) -> None:
    with open(path, "xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _written(about: dict[str, Any]) -> float:
    # Each kind of place has a name of its own for it; where there is none, it is new.
    found = next((about[k] for k in ("LastModified", "mtime", "modified", "updated", "created") if k in about), None)
    if isinstance(found, datetime):
        return found.timestamp()
    return float(found) if isinstance(found, int | float) else time.time()


def _reason(error: Exception, address: str) -> str:
    if isinstance(error, FileNotFoundError):
        return "there is no such place"
    said = (str(error).strip() or type(error).__name__).splitlines()[0]
    said = said.replace(address, redaction.redact_url(address))
    for secret in re.findall(r"//[^/:@]*:(.*)@", address):
        said = said.replace(secret, "***")
    said = re.sub(r"\[Errno -?\d+\] ", "", said).strip(" .")
    return said[:200]
