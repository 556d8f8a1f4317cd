"""Fetching the further data sets: file by file to disk, from mirrors that may be slow, wrong, hostile or not there."""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import replace
from pathlib import Path

from hdr.datasets import download
from hdr.datasets.download import DEFAULT_LIMITS, FetchFailed, Limits, MirrorFailed, Report
from hdr.datasets.further import Further, Source, take_in
from hdr.datasets.idx import DamagedData
from hdr.paths import dataset_folders, remove_stale_parts
from hdr.types import HdrError

SLOWEST = 100_000.0
"""Bytes a second for which the time for a large file is enough."""


def fetch(further: Further, on_progress: Report | None = None, limits: Limits = DEFAULT_LIMITS) -> None:
    """Fetch a data set and keep it, whether or not it is here.

    A file that lies in a folder for data sets already, under the name that it is published with, is taken from there.

    Args:
        further: which.
        on_progress: called as data arrives, with the file's name, its bytes so far, and 0: no publisher says how many
            there will be. What it raises ends the fetch.
        limits: for each mirror and file.

    Raises:
        FetchFailed: no mirror had a file, or the files are not what they should be; one message says what each did.
        ChangedData: a file is not the one that was fetched the first time.
    """
    folder = further.own_folder().parent
    remove_stale_parts(folder)
    files: dict[str, Path] = {}
    received: list[Path] = []
    try:
        for source in further.sources:
            found = _by_hand(further, source)
            if found is None:
                folder.mkdir(parents=True, exist_ok=True)
                found = folder / f".{source.name}.{secrets.token_hex(8)}.part"
                received.append(found)
                _from_any(source, found, limits, on_progress)
            files[source.name] = found
        take_in(further, files)
    except DamagedData as error:
        raise FetchFailed(f"{further.TITLE} was fetched, but cannot be used: {error}.") from None
    except OSError as error:
        raise FetchFailed(
            f"{further.TITLE} cannot be kept in {folder} ({error.strerror or error}). Set HDR_HOME to a folder that "
            f"can be written to and has {2 * further.megabytes + 300} MB free."
        ) from error
    finally:
        for path in received:
            path.unlink(missing_ok=True)


def _by_hand(further: Further, source: Source) -> Path | None:
    places = [place / further.NAME / source.name for place in dataset_folders()]
    return next((p for p in places if p.is_file() and p.stat().st_size <= source.most), None)


def _from_any(source: Source, path: Path, limits: Limits, on_progress: Report | None) -> None:
    urls = [f"{address.rstrip('/')}/{source.name}" for address in download.own_mirrors()] or [source.url]
    # A large file may take its time, as long as it keeps coming.
    limits = replace(limits, total=max(limits.total, source.most / SLOWEST)) if limits is DEFAULT_LIMITS else limits
    failures = []
    for url in urls:
        try:
            _receive(source, url, path, limits, on_progress)
            return
        except (MirrorFailed, DamagedData) as failure:
            what = f"what it sent {failure}" if isinstance(failure, DamagedData) else str(failure)
            failures.append(f"  {download.without_password(url)}: {what}")
    raise FetchFailed(
        "\n".join(
            [
                f"{source.name} could not be fetched. Expected a file with the MD5 {source.md5}, but:",
                *failures,
                "Try again later, name other mirrors in HDR_MIRRORS, "
                f"or put {source.name} into a folder of its data set in {dataset_folders()[-1]} by hand.",
            ]
        )
    )


def _receive(source: Source, url: str, path: Path, limits: Limits, on_progress: Report | None) -> None:
    digest, done = hashlib.md5(usedforsecurity=False), 0
    with open(path, "wb") as stream:
        for chunk in download.receive(url, source.most, limits):
            stream.write(chunk)
            digest.update(chunk)
            done += len(chunk)
            if on_progress is not None:
                on_progress(source.name, done, 0)
    if digest.hexdigest() != source.md5:
        raise DamagedData(f"has {done:,} bytes and the MD5 {digest.hexdigest()}, expected {source.md5}")


def fetch_by_name(name: str, on_progress: Report | None = None) -> None:
    """Fetch one of the data sets that can be fetched, where it is not here.

    Raises:
        HdrError: there is none of that name; or as `fetch`, and `hdr.datasets.download.fetch` for MNIST.
    """
    from hdr.datasets import further, mnist

    if name == mnist.NAME:
        download.fetch(on_progress)
        return
    known = {each.NAME: each for each in further.ALL}
    if name not in known:
        raise HdrError(f'"{name}" cannot be fetched; there are: {", ".join([mnist.NAME, *known])}.')
    if not all(status.verified for status in known[name].statuses()):
        fetch(known[name], on_progress)
