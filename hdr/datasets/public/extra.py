"""More published data sets, fetched on request: QMNIST, EMNIST's digits and USPS.

The publishers of these files give no hashes, as far as we know. Each file is checked against the MD5 that
torchvision, with which many people fetch them, expects; and the SHA-256 that was seen at the first download is kept in
`HDR_HOME/datasets/pins.json`: a later download with another one is refused.

Sources:
    QMNIST: C. Yadav, L. Bottou, Cold case: the lost MNIST digits (2019), github.com/facebookresearch/qmnist. IDX;
    labels are int32 (n, 8); the first column is the class.
    EMNIST: G. Cohen, S. Afshar, J. Tapson, A. van Schaik, EMNIST: an extension of MNIST to handwritten letters (2017),
    nist.gov/itl/products-and-services/emnist-dataset. IDX, in one archive with all its variants; pictures are
    transposed.
    USPS: J. J. Hull, A database for handwritten text recognition research (1994), as text by
    csie.ntu.edu.tw/~cjlin/libsvmtools: 16x16 values from -1 to 1, and labels from 1 for the digit 0 to 10.
"""

from __future__ import annotations

import bz2
import hashlib
import json
import threading
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hdr.datasets.formats import arrays
from hdr.datasets.formats.idx import DamagedDataError, inflate
from hdr.datasets.formats.mnist_frame import to_mnist_frame
from hdr.datasets.formats.stream import Limits as Allowed
from hdr.datasets.formats.stream import Part, UploadBudget, open_stream
from hdr.datasets.storage import array_store
from hdr.datasets.storage.verified_file import FileStatus, MissingDataError
from hdr.paths import dataset_folders, home, write_atomically
from hdr.types import CLASSES, SIDE, Dataset, HdrError, Images, Labels, Split

_CHUNK = 1 << 20
_USPS_SIDE = 16
_MAX_LINE_BYTES = 20_000
_QMNIST = "https://raw.githubusercontent.com/facebookresearch/qmnist/master/"
_LIBSVM = "https://www.csie.ntu.edu.tw/~cjlin/libsvmtools/datasets/multiclass/"
_lock = threading.Lock()


class ChangedDataError(HdrError):
    """A file is not the one that was fetched the first time."""


@dataclass(frozen=True)
class Source:
    """A file as it is published.

    Attributes:
        url: where.
        max_bytes: most bytes that it may have.
        md5: that torchvision expects of it.
    """

    url: str
    max_bytes: int
    md5: str

    @property
    def name(self) -> str:
        """The file's name."""
        return self.url.rsplit("/", 1)[1]


Parse = Callable[[Mapping[str, Path]], tuple[Split, Split]]


@dataclass(frozen=True)
class ExtraDataset:
    """A data set that can be fetched.

    Attributes:
        NAME, TITLE, NOTE: as of every data set.
        megabytes: of the download, about.
        sources: its files.
        counts: digits for training and for testing.
        parse: makes both splits of the files, by name.
    """

    NAME: str
    TITLE: str
    NOTE: str
    megabytes: int
    sources: tuple[Source, ...]
    counts: tuple[int, int]
    parse: Parse

    def own_folder(self) -> Path:
        """The folder that it is kept in."""
        return dataset_folders()[-1] / self.NAME

    def folder(self) -> Path:
        """Where it is: in a folder that is provided, or else its own."""
        places = [place / self.NAME for place in dataset_folders()]
        return next((place for place in places if array_store.exists(place)), places[-1])

    def exists(self) -> bool:
        """Whether it is there, as far as sizes tell."""
        return any(array_store.exists(place / self.NAME) for place in dataset_folders())

    def statuses(self) -> tuple[FileStatus, ...]:
        """Where its arrays are and whether they are what was made of the download."""
        return array_store.statuses(self.folder())

    def load(self) -> Dataset:
        """The data set, its arrays mapped from files.

        Raises:
            MissingDataError: it was not fetched, or is damaged.
        """
        try:
            return array_store.load(self.folder())
        except MissingDataError as error:
            raise MissingDataError(
                f"{self.TITLE} is not complete: {error}. To download it: python -m hdr data --fetch {self.NAME}"
            ) from None


def import_files(dataset: ExtraDataset, files: Mapping[str, Path]) -> Dataset:
    """Check, read and keep a data set whose files were received.

    Args:
        dataset: one of `ALL`.
        files: each source's file by its name.

    Raises:
        ChangedDataError: a file is not the one that was seen first.
        DamagedDataError: a file is not what it should be.
        OSError: it cannot be kept.
    """
    hashes = {name: sha256_of(path) for name, path in files.items()}
    pins = _pins()
    for name, digest in hashes.items():
        first = pins.get(f"{dataset.NAME}/{name}", digest)
        if first != digest:
            raise ChangedDataError(
                f"{name} has the SHA-256 {digest}, but the one that was fetched first had {first}. It was changed or "
                f"exchanged. If you know why, remove it from {_pins_file()} and fetch it again."
            )
    train, test = dataset.parse(files)
    if (len(train), len(test)) != dataset.counts:
        found, expected = (f"{a:,} and {b:,}" for a, b in ((len(train), len(test)), dataset.counts))
        raise DamagedDataError(f"{dataset.TITLE} has {found} digits for training and testing, expected {expected}")
    data = Dataset(dataset.NAME, dataset.TITLE, dataset.NOTE, train, test)
    array_store.write(dataset.own_folder(), data, sources=hashes)
    with _lock:
        seen = _pins() | {f"{dataset.NAME}/{name}": digest for name, digest in hashes.items()}
        write_atomically(_pins_file(), json.dumps(seen, indent=1).encode())
    return data


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with open(path, "rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _pins_file() -> Path:
    return home() / "datasets" / "pins.json"


def _pins() -> dict[str, str]:
    try:
        said = json.loads(_pins_file().read_bytes())
    except (OSError, ValueError):
        return {}
    return {k: v for k, v in said.items() if isinstance(v, str)} if isinstance(said, dict) else {}


def _chunks(path: Path) -> Iterator[bytes]:
    with open(path, "rb") as stream:
        while chunk := stream.read(_CHUNK):
            yield chunk


def _idx(name: str, chunks: Iterable[bytes], digits: int) -> Part:
    budget = UploadBudget(Allowed(digits, seconds=600))
    return arrays.read_idx(name, open_stream(inflate(chunks, budget.limits.content_bytes), budget), budget)


def _split(images: Part, labels: Part) -> Split:
    pictures, named = images.images, labels.labels
    if pictures is None or named is None or images.framed or len(pictures) != len(named):
        raise DamagedDataError("its pictures and labels do not go together")
    return Split(pictures, checked_labels(named))


def checked_labels(labels: np.ndarray) -> Labels:
    """Labels as they are kept, uint8 (n,).

    Raises:
        DamagedDataError: one is not 0 to 9.
    """
    if len(labels) and not (labels.min() >= 0 and labels.max() < CLASSES):
        raise DamagedDataError(f"its labels go from {labels.min()} to {labels.max()}, expected 0 to 9")
    return labels.astype(np.uint8)


def parse_qmnist(files: Mapping[str, Path]) -> tuple[Split, Split]:
    """QMNIST from its four files, by their names."""
    parts = [_idx(name, _chunks(files[name]), 60_000) for name in (s.name for s in QMNIST.sources)]
    return _split(parts[0], parts[1]), _split(parts[2], parts[3])


def parse_emnist(files: Mapping[str, Path]) -> tuple[Split, Split]:
    """The digits of EMNIST's archive. Its pictures are transposed, which is undone here."""
    (path,) = files.values()
    splits = []
    try:
        with zipfile.ZipFile(path) as archive:
            for which in ("train", "test"):
                parts = [_member(archive, f"emnist-digits-{which}-{kind}.gz") for kind in _EMNIST_KINDS]
                found = _split(*parts)
                splits.append(Split(found.images.transpose(0, 2, 1), found.labels))
    except (zipfile.BadZipFile, KeyError, RuntimeError, NotImplementedError, EOFError) as error:
        raise DamagedDataError(f"{path.name} is not the archive that was expected ({type(error).__name__})") from None
    return splits[0], splits[1]


_EMNIST_KINDS = ("images-idx3-ubyte", "labels-idx1-ubyte")


def _member(archive: zipfile.ZipFile, name: str) -> Part:
    def chunks() -> Iterator[bytes]:
        with archive.open(f"gzip/{name}") as stream:
            while chunk := stream.read(_CHUNK):
                yield chunk

    return _idx(name, chunks(), 240_000)


def parse_usps(files: Mapping[str, Path]) -> tuple[Split, Split]:
    """USPS from its two texts, brought to 28x28 by the capture rule."""
    train, test = (_usps(files[s.name]) for s in USPS.sources)
    return train, test


def _usps(path: Path) -> Split:
    small: list[Images] = []
    labels: list[int] = []
    try:
        with bz2.open(path) as stream:
            while line := stream.readline(_MAX_LINE_BYTES + 1):
                if len(line) > _MAX_LINE_BYTES or len(labels) > 20_000:
                    raise DamagedDataError(f"{path.name} is longer than it should be")
                label, *pairs = line.split()
                small.append(_usps_picture(pairs))
                labels.append(int(label) - 1)
    except (OSError, EOFError, ValueError) as error:
        raise DamagedDataError(f"{path.name} is not the text that was expected ({type(error).__name__})") from None
    if not labels:
        raise DamagedDataError(f"{path.name} is empty")
    return Split(to_mnist_frame(np.stack(small), paper=0), checked_labels(np.array(labels)))


def _usps_picture(pairs: list[bytes]) -> Images:
    values = np.zeros(_USPS_SIDE**2)
    for pair in pairs:
        place, value = pair.split(b":")
        if not 1 <= int(place) <= len(values):
            raise ValueError("no such pixel")
        values[int(place) - 1] = float(value)
    if not np.abs(values).max() <= 1:
        raise ValueError("values are -1 to 1")
    return np.rint((values + 1) * 127.5).astype(np.uint8).reshape(_USPS_SIDE, _USPS_SIDE)


_IMAGES, _LABELS = 60_000 * SIDE * SIDE + 100_000, 60_000 * 8 * 4 + 10_000

QMNIST = ExtraDataset(
    "qmnist",
    "QMNIST",
    "MNIST made anew from NIST's scans: its training digits as nearly as could be found out, and 60,000 test digits in "
    "place of 10,000.",
    20,
    (
        Source(f"{_QMNIST}qmnist-train-images-idx3-ubyte.gz", _IMAGES, "ed72d4157d28c017586c42bc6afe6370"),
        Source(f"{_QMNIST}qmnist-train-labels-idx2-int.gz", _LABELS, "0058f8dd561b90ffdd0f734c6a30e5e4"),
        Source(f"{_QMNIST}qmnist-test-images-idx3-ubyte.gz", _IMAGES, "1394631089c404de565df7b7aeaf9412"),
        Source(f"{_QMNIST}qmnist-test-labels-idx2-int.gz", _LABELS, "5b5b05890a5e13444e108efe57b788aa"),
    ),
    (60_000, 60_000),
    parse_qmnist,
)

EMNIST = ExtraDataset(
    "emnist-digits",
    "EMNIST digits",
    "280,000 digits from NIST's forms, where MNIST's came from too, prepared in a slightly other way. MNIST's may "
    "be among them.",
    560,
    (Source("https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip", 700_000_000, "58c8d27c78d21e728a6bc7b3cc06412e"),),
    (240_000, 40_000),
    parse_emnist,
)

USPS = ExtraDataset(
    "usps",
    "USPS",
    "9,298 digits from envelopes of the US Postal Service, of 16x16 pixels, enlarged and centred as MNIST's are. Other "
    "people, other pens, another scanner: hard for a model that learned from MNIST.",
    8,
    (
        Source(f"{_LIBSVM}usps.bz2", 40_000_000, "ec16c51db3855ca6c91edd34d0e9b197"),
        Source(f"{_LIBSVM}usps.t.bz2", 20_000_000, "8ea070ee2aca1ac39742fdd1ef5ed118"),
    ),
    (7_291, 2_007),
    parse_usps,
)

ALL = (QMNIST, EMNIST, USPS)
"""In the order in which they are offered."""
