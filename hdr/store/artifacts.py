"""Where the models of runs are: a folder, here or shared, or what `register_remote` was given for other addresses.

Nobody else makes, reads or removes a model's files. A run's model is written once and never changed.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Callable, Collection
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from hdr import redaction, settings
from hdr.paths import home, remove_stale_parts
from hdr.types import HdrError

DAY = 24 * 3600.0

ORPHAN_DAYS = 7.0
"""So long is a model kept whose run the store does not know. Where a store was lost and its backup is brought back,
the models are still there."""

NEW_SECONDS = 3600.0
"""A folder that was changed within this time belongs to somebody, whether or not it is known to whom."""

log = logging.getLogger("hdr.artifacts")


class ArtifactsError(HdrError):
    """A model cannot be put where models go, or not be fetched from there."""


class ArtifactStore(Protocol):
    """Where models go."""

    name: str
    """As it may be shown."""

    def folder(self, run: str) -> Path:
        """Where this machine has a run's model, or would have it: nothing is fetched."""

    def save(self, run: str, write: Callable[[Path], int]) -> int:
        """Keep what a function writes into a folder as a run's model; what the function gives.

        Raises:
            HdrError: it cannot be kept; the message says where, and why.
        """

    def fetch(self, run: str) -> Path:
        """A folder of this machine with a run's whole model.

        Raises:
            HdrError: it cannot be fetched, or is not whole.
        """

    def remove(self, run: str) -> None:
        """Remove a run's model; nothing is done where there is none.

        Raises:
            HdrError: it is there and cannot be removed.
        """

    def sizes(self) -> dict[str, float]:
        """Megabytes that each model takes, by run.

        Raises:
            HdrError: it cannot be found out.
        """

    def tidy(self, known: Collection[str]) -> int:
        """Remove what was left half written, and models of no run that is known; how many models those were.

        Raises:
            HdrError: it cannot be found out what is there.
        """


def artifact_store() -> ArtifactStore:
    """Where models go, by the settings as they are now.

    Raises:
        HdrError: it cannot be used, or needs a package that is not installed.
    """
    named = settings.current().artifacts
    address = named.get_secret_value() if named else ""
    if not address:
        return LocalArtifactStore(home() / "models", home() / "orphans")
    if (shared := local_folder(address)) is not None:
        return LocalArtifactStore(shared, shared / "orphans")
    if not _remotes:
        raise ArtifactsError(
            f"Models cannot be kept in {redaction.redact_url(address)}: call hdr.cluster.register() first."
        )
    return _remotes[-1](address)


def local_folder(address: str) -> Path | None:
    """Return the folder of this machine that an address names; None where it is elsewhere."""
    folder = Path(address.removeprefix("file://"))
    return folder if folder.is_absolute() else None


_remotes: list[Callable[[str], ArtifactStore]] = []


def register_remote(open_place: Callable[[str], ArtifactStore]) -> None:
    """Register the function that opens every address which is not a folder of this machine."""
    _remotes[:] = [open_place]


class LocalArtifactStore:
    """A folder of this machine, or one that several share: models are written into it and read from it.

    Args:
        root: with a folder for each run.
        aside: where models of no run wait until they are removed.
    """

    def __init__(self, root: Path, aside: Path) -> None:
        self._root, self._aside, self.name = root, aside, str(root)

    def folder(self, run: str) -> Path:
        """As `ArtifactStore.folder`."""
        return self._root / run

    def save(self, run: str, write: Callable[[Path], int]) -> int:
        """As `ArtifactStore.save`. What is written has to be whole once its last file is there."""
        try:
            return write(self.folder(run))
        except OSError as error:
            said = error.strerror or error
            raise ArtifactsError(f"The model could not be written to {self.name}: {said}.") from error

    def fetch(self, run: str) -> Path:
        """As `ArtifactStore.fetch`. Who reads it finds out whether it is whole."""
        return self.folder(run)

    def remove(self, run: str) -> None:
        """As `ArtifactStore.remove`."""
        try:
            shutil.rmtree(self.folder(run))
        except FileNotFoundError:
            pass
        except OSError as error:
            raise ArtifactsError(f"{self.folder(run)} cannot be removed: {error.strerror or error}.") from error

    def sizes(self) -> dict[str, float]:
        """As `ArtifactStore.sizes`."""
        return {path.name: folder_mb(path) for path in self._root.glob("*/") if path != self._aside}

    def tidy(self, known: Collection[str]) -> int:
        """As `ArtifactStore.tidy`. Models of no run are put aside, and removed after `ORPHAN_DAYS`."""
        for path in self._root.glob("*/"):
            remove_stale_parts(path)
        paths = [p for folder in (self._root, self._aside) for p in folder.glob("*/") if p != self._aside]
        removed, now = 0, time.time()
        for path in paths:
            name, waits = path.name, path.parent == self._aside
            try:
                age = now - path.stat().st_mtime
                if waits and name in known:
                    path.rename(self._root / name)
                elif not waits and name not in known and age > NEW_SECONDS:
                    self._aside.mkdir(exist_ok=True)
                    os.utime(path.rename(self._aside / name), (now, now))
                elif waits and age > DAY * ORPHAN_DAYS:
                    shutil.rmtree(path)
                    removed += 1
            except OSError as error:
                log.warning("%s, a model that belongs to no run, cannot be cleaned away: %s", path, error)
        return removed


def folder_mb(folder: Path) -> float:
    """Megabytes that the files below a folder take; 0 for one that is not there."""
    total = 0
    # What is removed meanwhile counts for nothing; `os.walk` goes on there.
    for place, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += os.stat(os.path.join(place, name)).st_size
    return total / 1e6
