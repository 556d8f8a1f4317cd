"""Download data sets from mirrors that may be slow, wrong, hostile or absent.

MNIST's files are received and verified in memory. The extra sets are larger: their files go to a temporary file. Only a
verified file gets its final name, so a process killed at any moment leaves nothing wrong behind, and two downloads at
once write the same bytes.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import TypeVar
from urllib.parse import urljoin

import requests

from hdr import settings
from hdr.datasets.formats.idx import DamagedDataError
from hdr.datasets.public import extra, mnist
from hdr.datasets.public.extra import ExtraDataset, Source
from hdr.datasets.storage import verified_file
from hdr.datasets.storage.verified_file import DataFile
from hdr.paths import dataset_folders, remove_stale_parts, write_atomically
from hdr.types import HdrError

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
"""Where MNIST's four files are published, each with ".gz" at the end of its name."""

DownloadProgress = Callable[[str, int, int], None]
"""Called with a file's name, the bytes so far and the total.

For MNIST both count uncompressed content over all files. For others, bytes are those of the file, and the total is 0:
its publisher does not announce it. An exception that it raises ends the download.
"""

MIN_SPEED_OF_LARGE_FILES = 100_000.0
"""Minimum speed in bytes per second, from which the time limit of a large file follows."""

_CHUNK = 1 << 16
_MAX_REDIRECTS = 5
_Content = TypeVar("_Content")


@dataclass(frozen=True)
class Limits:
    """How long a mirror may take for one file before the next mirror is tried.

    Attributes:
        connect: seconds for a connection.
        silence: seconds between two pieces of data.
        window: seconds over which the speed is measured, repeatedly; the first window begins before the connection.
        speed: bytes a second that each window must reach. This ends a mirror that drips one byte a second.
        total: seconds for the whole file.
    """

    connect: float = 10.0
    silence: float = 20.0
    window: float = 30.0
    speed: float = 2_000.0
    total: float = 1_800.0


DEFAULT_LIMITS = Limits()


class FetchError(HdrError):
    """No mirror had a file, or it could not be stored."""


class MirrorError(Exception):
    """The outcome of one mirror, as the predicate of a sentence that begins with its address."""


def custom_mirrors() -> tuple[str, ...]:
    """Return the addresses in the setting `mirrors`, in order; none where it is not set.

    Raises:
        FetchError: an address does not begin with http:// or https://.
    """
    addresses = settings.current().mirrors
    for address in addresses:
        if not address.startswith(("http://", "https://")):
            raise FetchError(
                f'HDR_MIRRORS holds "{_without_password(address)}"; an address begins with http:// or https://'
            )
    return addresses


def fetch(name: str, on_progress: DownloadProgress | None = None) -> tuple[str, ...]:
    """Download a data set where it is missing.

    Returns:
        The names of the files that were downloaded or taken from a folder; none where the data set was there.

    Raises:
        HdrError: there is no data set of that name to download; or as `fetch_mnist` and `fetch_extra`.
    """
    if name == mnist.NAME:
        return fetch_mnist(on_progress)
    known = {each.NAME: each for each in extra.ALL}
    if name not in known:
        raise HdrError(f'"{name}" cannot be fetched; there are: {", ".join([mnist.NAME, *known])}.')
    if all(status.verified for status in known[name].statuses()):
        return ()
    return fetch_extra(known[name], on_progress)


def fetch_mnist(on_progress: DownloadProgress | None = None, limits: Limits = DEFAULT_LIMITS) -> tuple[str, ...]:
    """Download those files of MNIST that have no verified copy, into `HDR_HOME/datasets/mnist`.

    Args:
        on_progress: called as data arrives.
        limits: for each mirror and file.

    Returns:
        The names of the files that were downloaded.

    Raises:
        FetchError: no mirror had a file, or the folder is not writable. Files downloaded before it stay.
    """
    report = on_progress or _no_progress
    mirrors = list(custom_mirrors() or MIRRORS)
    folder = mnist.own_folder()
    remove_stale_parts(folder)
    missing = [pair for pair in zip(mnist.FILES, mnist.statuses(), strict=True) if not pair[1].verified]
    total, before = sum(file.size for file, _ in missing), 0
    for file, status in missing:
        on_bytes = _over_all_files(report, file.name, before, total)
        content, used = _download_to_memory(file, status.problem, mirrors, limits, on_bytes)
        try:
            write_atomically(folder / file.name, content)
            # A damaged compressed copy beside it would stay for ever.
            (folder / f"{file.name}.gz").unlink(missing_ok=True)
        except OSError as error:
            raise _not_stored(file.name, folder, 60, error) from error
        before += file.size
        # The mirror that works is the first to be asked for the next file.
        mirrors.insert(0, mirrors.pop(used))
    return tuple(file.name for file, _ in missing)


def fetch_extra(
    dataset: ExtraDataset, on_progress: DownloadProgress | None = None, limits: Limits = DEFAULT_LIMITS
) -> tuple[str, ...]:
    """Download an extra data set and store it, whether or not it is there already.

    A file in a folder for data sets that has its published name is used in place of a download.

    Args:
        dataset: one of `extra.ALL`.
        on_progress: called as data arrives.
        limits: for each mirror and file.

    Returns:
        The names of its files.

    Raises:
        FetchError: no mirror had a file, or the files are damaged or cannot be stored.
        ChangedDataError: a file differs from the one that was downloaded the first time.
    """
    report = on_progress or _no_progress
    folder = dataset.own_folder().parent
    remove_stale_parts(folder)
    files: dict[str, Path] = {}
    temporary: list[Path] = []
    try:
        for source in dataset.sources:
            path = _placed_by_hand(dataset, source)
            if path is None:
                folder.mkdir(parents=True, exist_ok=True)
                path = folder / f".{source.name}.{secrets.token_hex(8)}.part"
                temporary.append(path)
                _download_to(path, source, dataset, limits, report)
            files[source.name] = path
        extra.import_files(dataset, files)
    except DamagedDataError as error:
        raise FetchError(f"{dataset.TITLE} was fetched, but cannot be used: {error}.") from None
    except OSError as error:
        raise _not_stored(dataset.TITLE, folder, 2 * dataset.megabytes + 300, error) from error
    finally:
        for path in temporary:
            path.unlink(missing_ok=True)
    return tuple(files)


def _over_all_files(report: DownloadProgress, name: str, before: int, total: int) -> Callable[[int], None]:
    return lambda done: report(name, before + done, total)


def _download_to_memory(
    file: DataFile, problem: str, mirrors: Sequence[str], limits: Limits, on_bytes: Callable[[int], None]
) -> tuple[bytearray, int]:
    def download(url: str) -> bytearray:
        on_bytes(0)
        return verified_file.collected(file, receive(url, file.largest_transfer, limits), on_bytes)

    urls = [f"{mirror.rstrip('/')}/{file.name}.gz" for mirror in mirrors]
    expected = f"{file.size:,} bytes (uncompressed) with the SHA-256 {file.sha256}"
    return _from_any(urls, file.name, expected, mnist.own_folder(), download, problem)


def _placed_by_hand(dataset: ExtraDataset, source: Source) -> Path | None:
    places = [place / dataset.NAME / source.name for place in dataset_folders()]
    return next((p for p in places if p.is_file() and p.stat().st_size <= source.max_bytes), None)


def _download_to(path: Path, source: Source, dataset: ExtraDataset, limits: Limits, report: DownloadProgress) -> None:
    if limits is DEFAULT_LIMITS:
        limits = replace(limits, total=max(limits.total, source.max_bytes / MIN_SPEED_OF_LARGE_FILES))

    def download(url: str) -> None:
        digest, done = hashlib.md5(usedforsecurity=False), 0
        with open(path, "wb") as stream:
            for chunk in receive(url, source.max_bytes, limits):
                stream.write(chunk)
                digest.update(chunk)
                done += len(chunk)
                report(source.name, done, 0)
        if digest.hexdigest() != source.md5:
            raise DamagedDataError(f"has {done:,} bytes and the MD5 {digest.hexdigest()}, expected {source.md5}")

    urls = [f"{address.rstrip('/')}/{source.name}" for address in custom_mirrors()] or [source.url]
    _from_any(urls, source.name, f"a file with the MD5 {source.md5}", dataset.own_folder(), download)


def _from_any(
    urls: Sequence[str],
    name: str,
    expected: str,
    folder: Path,
    download: Callable[[str], _Content],
    problem: str = "",
) -> tuple[_Content, int]:
    """Try addresses in order; return what `download` made of the first good one, and its index."""
    published, failures = urls[0].rpartition("/")[2], []
    for index, url in enumerate(urls):
        try:
            return download(url), index
        except (DamagedDataError, MirrorError) as failure:
            what = f"what it sent {failure}" if isinstance(failure, DamagedDataError) else str(failure)
            failures.append(f"  {_without_password(url)}: {what}")
    raise FetchError(
        "\n".join(
            [
                f"{name} could not be fetched. Expected {expected}, but:",
                *failures,
                *([f"  {problem}"] if problem else []),
                f"Try again later, name other mirrors in HDR_MIRRORS, or put {published} into {folder} by hand.",
            ]
        )
    )


def _not_stored(what: str, folder: Path, megabytes: int, error: OSError) -> FetchError:
    return FetchError(
        f"{what} cannot be kept in {folder} ({error.strerror or error}). Set HDR_HOME to a folder that can be written "
        f"to and has {megabytes} MB free."
    )


def _no_progress(name: str, done: int, total: int) -> None:
    pass


def receive(url: str, max_bytes: int, limits: Limits) -> Iterator[bytes]:
    """Yield the body of a response in chunks as they arrive.

    The request runs in a thread: `requests` has no deadline for looking up a name and reading headers. An abandoned
    thread ends at its next byte or after `limits.silence`.

    Raises:
        MirrorError: the mirror is too slow, fails, or sends more than `max_bytes`.
    """
    queue: SimpleQueue[bytes | MirrorError | None] = SimpleQueue()
    abandoned = threading.Event()
    threading.Thread(
        target=_pump, args=(url, max_bytes, limits, queue, abandoned), name="hdr-download", daemon=True
    ).start()
    start = window = time.monotonic()
    arrived = 0
    try:
        while True:
            now = time.monotonic()
            if now - start >= limits.total:
                raise MirrorError(f"had not sent everything after {limits.total:g} s")
            if now - window >= limits.window:
                if arrived < limits.speed * limits.window:
                    raise MirrorError(
                        f"sent {arrived:,} bytes in {limits.window:g} s; less than {limits.speed:,.0f} bytes a second "
                        "is given up"
                    )
                window, arrived = now, 0
            try:
                item = queue.get(timeout=max(0.0, min(window + limits.window, start + limits.total) - now))
            except Empty:
                continue
            if item is None:
                return
            if isinstance(item, MirrorError):
                raise item
            arrived += len(item)
            yield item
    finally:
        abandoned.set()


def _pump(
    url: str,
    max_bytes: int,
    limits: Limits,
    queue: SimpleQueue[bytes | MirrorError | None],
    abandoned: threading.Event,
) -> None:
    try:
        with requests.Session() as session, _opened(session, url, limits, abandoned) as response:
            received = 0
            # read1 returns what has arrived; read would wait for a full buffer, past every deadline.
            while not abandoned.is_set() and (chunk := response.raw.read1(_CHUNK, decode_content=False)):
                received += len(chunk)
                if received > max_bytes:
                    raise MirrorError(f"sent more than {max_bytes:,} bytes")
                queue.put(chunk)
        queue.put(None)
    except MirrorError as failure:
        queue.put(failure)
    except Exception as error:  # noqa: BLE001 - without it, the waiting side waits for its deadline
        queue.put(MirrorError(_in_words(error)))


def _opened(session: requests.Session, url: str, limits: Limits, abandoned: threading.Event) -> requests.Response:
    """Follow redirects; `requests` itself would read their bodies, of any size."""
    for _ in range(_MAX_REDIRECTS + 1):
        response = session.get(
            url,
            stream=True,
            allow_redirects=False,
            timeout=(limits.connect, limits.silence),
            headers={"Accept-Encoding": "identity"},
        )
        if not response.is_redirect or abandoned.is_set():
            break
        url = urljoin(url, response.headers["location"])
        response.close()
    else:
        raise MirrorError(f"redirected more than {_MAX_REDIRECTS} times")
    if response.status_code != requests.codes.ok:
        response.close()
        raise MirrorError(f"answered {response.status_code} {response.reason}".rstrip())
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "text/html":
        response.close()
        raise MirrorError("sent a web page (text/html) instead of the file")
    return response


def _in_words(error: Exception) -> str:
    # The text of a requests error is nested object names; only its last cause is informative.
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, TimeoutError):
            return "did not answer in time"
        if isinstance(cause, OSError) and cause.strerror:
            return f"failed ({cause.strerror})"
        cause = cause.__cause__ or cause.__context__
    return "broke off or cannot be used"


def _without_password(url: str) -> str:
    # Not urlsplit: it raises on invalid addresses, which are shown too.
    return re.sub(r"//[^/]*@", "//", url)
