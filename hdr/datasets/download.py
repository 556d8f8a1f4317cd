"""Fetching MNIST from mirrors that may be slow, wrong, hostile or not there.

A file is received and verified in memory and written only when it is the right one, so a process killed at any moment
leaves nothing wrong behind, and two that fetch at once write the same bytes.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from operator import ne
from queue import Empty, SimpleQueue
from urllib.parse import urljoin

import requests

from hdr import settings
from hdr.datasets import files, mnist
from hdr.datasets.files import DataFile
from hdr.datasets.idx import DamagedData
from hdr.paths import remove_stale_parts, write_atomically
from hdr.types import HdrError

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
"""Where the four files are published, each with ".gz" at the end of its name."""

Report = Callable[[str, int, int], None]
"""Called with a file's name, the bytes of content so far over all files, and how many there will be."""

_CHUNK = 1 << 16
_REDIRECTS = 5


@dataclass(frozen=True)
class Limits:
    """How long a mirror may take for one file before the next one is asked.

    Attributes:
        connect: seconds for a connection.
        silence: seconds between two pieces of data.
        window: seconds over which the speed is judged, again and again; the first begins before the connection.
        speed: bytes a second that a window must reach. This is what ends a drip of one byte a second.
        total: seconds for the whole file.
    """

    connect: float = 10.0
    silence: float = 20.0
    window: float = 30.0
    speed: float = 2_000.0
    total: float = 1_800.0


DEFAULT_LIMITS = Limits()


class FetchFailed(HdrError):
    """A file could be had from no mirror, or could not be kept."""


class MirrorFailed(Exception):
    """What one mirror did, as the end of a sentence that begins with its address."""


def mirrors() -> tuple[str, ...]:
    """The addresses to ask for MNIST, in order: those of the setting, or else the published ones.

    Raises:
        FetchFailed: an address is not one of http or https.
    """
    return own_mirrors() or MIRRORS


def own_mirrors() -> tuple[str, ...]:
    """The addresses that the host names in the setting `mirrors`, in order; none where it is not set.

    Raises:
        FetchFailed: an address is not one of http or https.
    """
    named = settings.current().mirrors
    for address in named:
        if not address.startswith(("http://", "https://")):
            raise FetchFailed(
                f'HDR_MIRRORS holds "{without_password(address)}"; an address begins with http:// or https://'
            )
    return named


def fetch(on_progress: Report | None = None, limits: Limits = DEFAULT_LIMITS) -> tuple[str, ...]:
    """Fetch those files of MNIST of which there is no verified copy, into `HDR_HOME/datasets/mnist`.

    Args:
        on_progress: called as data arrives; what it raises ends the fetch.
        limits: for each mirror and file.

    Returns:
        The names of the files that were fetched; none where everything was there.

    Raises:
        FetchFailed: no mirror had a file, in one message that names it, what was expected, and what each mirror did;
            or the folder cannot be written to. Files fetched before it stay.
    """
    addresses = list(mirrors())
    folder = mnist.own_folder()
    remove_stale_parts(folder)
    missing = [pair for pair in zip(mnist.FILES, mnist.statuses(), strict=True) if not pair[1].verified]
    total, before = sum(file.size for file, _ in missing), 0
    for file, status in missing:
        content, used = _from_any(addresses, file, status.problem, limits, _report(on_progress, file, before, total))
        try:
            write_atomically(folder / file.name, content)
            # A damaged compressed copy beside it would stay for ever.
            (folder / f"{file.name}.gz").unlink(missing_ok=True)
        except OSError as error:
            raise FetchFailed(
                f"{file.name} cannot be kept in {folder} ({error.strerror or error}). "
                "Set HDR_HOME to a folder that can be written to and has 60 MB free."
            ) from error
        before += file.size
        # The next file is asked first of the mirror that works.
        addresses.sort(key=partial(ne, used))
    return tuple(file.name for file, _ in missing)


def _report(on_progress: Report | None, file: DataFile, before: int, total: int) -> Callable[[int], None]:
    def report(done: int) -> None:
        if on_progress is not None:
            on_progress(file.name, before + done, total)

    return report


def _from_any(
    addresses: Sequence[str], file: DataFile, problem: str, limits: Limits, on_bytes: Callable[[int], None]
) -> tuple[bytearray, str]:
    """The verified content and the mirror that had it."""
    failures = []
    for address in addresses:
        url = f"{address.rstrip('/')}/{file.name}.gz"
        on_bytes(0)
        try:
            return files.collected(file, receive(url, file.largest_transfer, limits), on_bytes), address
        except (DamagedData, MirrorFailed) as failure:
            what = f"what it sent {failure}" if isinstance(failure, DamagedData) else str(failure)
            failures.append(f"  {without_password(url)}: {what}")
    raise FetchFailed(
        "\n".join(
            [
                f"{file.name} could not be fetched. Expected {file.size:,} bytes (uncompressed) "
                f"with the SHA-256 {file.sha256}, but:",
                *failures,
                *([f"  {problem}"] if problem else []),
                "Try again later, name other mirrors in HDR_MIRRORS, "
                f"or put {file.name}.gz into {mnist.own_folder()} by hand.",
            ]
        )
    )


def receive(url: str, most: int, limits: Limits) -> Iterator[bytes]:
    """The body of an address, in chunks as they come.

    The request runs in a thread of its own: looking up a name and reading headers have no deadline in `requests`, and
    a thread can be left behind. It ends by itself at its next byte or after `limits.silence`.
    """
    queue: SimpleQueue[bytes | MirrorFailed | None] = SimpleQueue()
    abandoned = threading.Event()
    threading.Thread(target=_pump, args=(url, most, limits, queue, abandoned), name="hdr-download", daemon=True).start()
    start = window = time.monotonic()
    arrived = 0
    try:
        while True:
            now = time.monotonic()
            if now - start >= limits.total:
                raise MirrorFailed(f"had not sent everything after {limits.total:g} s")
            if now - window >= limits.window:
                if arrived < limits.speed * limits.window:
                    raise MirrorFailed(
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
            if isinstance(item, MirrorFailed):
                raise item
            arrived += len(item)
            yield item
    finally:
        abandoned.set()


def _pump(
    url: str,
    most: int,
    limits: Limits,
    queue: SimpleQueue[bytes | MirrorFailed | None],
    abandoned: threading.Event,
) -> None:
    try:
        with requests.Session() as session, _opened(session, url, limits, abandoned) as response:
            received = 0
            # read1 hands over what has come; read would wait until its buffer is full, past every deadline.
            while not abandoned.is_set() and (chunk := response.raw.read1(_CHUNK, decode_content=False)):
                received += len(chunk)
                if received > most:
                    raise MirrorFailed(f"sent more than {most:,} bytes")
                queue.put(chunk)
        queue.put(None)
    except MirrorFailed as failure:
        queue.put(failure)
    except Exception as error:  # whatever it is, it has to reach the waiting side, or that waits for its deadline
        queue.put(MirrorFailed(_in_words(error)))


def _opened(session: requests.Session, url: str, limits: Limits, abandoned: threading.Event) -> requests.Response:
    """The response at the end of all redirects, which `requests` itself would follow reading bodies of any size."""
    for _ in range(_REDIRECTS + 1):
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
        raise MirrorFailed(f"redirected more than {_REDIRECTS} times")
    if response.status_code != requests.codes.ok:
        response.close()
        raise MirrorFailed(f"answered {response.status_code} {response.reason}".rstrip())
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind == "text/html":
        response.close()
        raise MirrorFailed("sent a web page (text/html) instead of the file")
    return response


def _in_words(error: Exception) -> str:
    # The text of a requests error is a nest of object names; what happened is at the bottom of its causes.
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, TimeoutError):
            return "did not answer in time"
        if isinstance(cause, OSError) and cause.strerror:
            return f"failed ({cause.strerror})"
        cause = cause.__cause__ or cause.__context__
    return "broke off or cannot be used"


def without_password(url: str) -> str:
    # Not urlsplit: it raises on addresses that are none, and those have to be shown too.
    return re.sub(r"//[^/]*@", "//", url)
