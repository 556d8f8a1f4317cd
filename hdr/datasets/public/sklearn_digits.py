"""The 1,797 small digits that come with scikit-learn: enough to use everything offline, and not MNIST.

Source: E. Alpaydin, C. Kaynak, "Optical Recognition of Handwritten Digits", UCI Machine Learning Repository, 1998
(its test part, by 13 writers), as in `sklearn.datasets.load_digits`.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hdr.datasets.storage import verified_file
from hdr.datasets.storage.verified_file import DataFile, FileStatus, MissingDataError
from hdr.types import CLASSES, Dataset, Images, Labels, Split

NAME = "bundled"
TITLE = "Small digits (offline)"
NOTE = (
    '1,797 digits of 8x8 pixels from UCI "Optical recognition of handwritten digits", enlarged to 28x28. '
    "This is not MNIST: it is small and coarse, and its figures cannot be compared with MNIST's."
)

FILE = DataFile("digits.csv", 264_712, "6ebb3d2fee246a4e99363262ddf8a00a3c41bee6014c373ed9d9216ba7f651b8")

_INK = 16
_ENLARGE = 8
_BATCH_SIZE = 200
_SEED = 0
_TEST_SHARE = 0.25


def statuses() -> tuple[FileStatus, ...]:
    """Where scikit-learn's file is and whether it is verified."""
    return (verified_file.status(FILE, candidates()),)


def candidates() -> tuple[Path, ...]:
    """Where the file lies, if scikit-learn is installed."""
    # Not load_digits: importing scikit-learn takes over a second, and this has to be quick where all else is missing.
    package = find_spec("sklearn")
    return (Path(package.origin).parent / "datasets" / "data" / "digits.csv.gz",) if package and package.origin else ()


def load() -> Dataset:
    """The bundled digits, brought to 28x28 by the rule that drawings and photos take too.

    A quarter of each class, drawn with a fixed seed, is the test split. The writers are not known, so the same hand
    can be in both splits: accuracy here flatters.

    Returns:
        Images uint8 (1347, 28, 28) and (450, 28, 28), ink 255 on 0, with their labels; read-only.

    Raises:
        MissingDataError: scikit-learn is not installed, or its file is not the expected one.
    """
    # A local import, since OpenCV is slow to import and most callers do not need it.
    from hdr.preprocessing import size_normalisation

    try:
        table = np.loadtxt(
            bytes(verified_file.read(FILE, candidates())).decode().splitlines(), delimiter=",", dtype=np.uint8
        )
    except MissingDataError as error:
        raise MissingDataError(
            f"The bundled digits are missing: {error} Install scikit-learn again, in the version of requirements.txt."
        ) from None
    small, labels = table[:, :-1].reshape(-1, 8, 8), table[:, -1].copy()
    # A part at a time: enlarged, all together would take 130 MB.
    parts = [
        size_normalisation.from_pixels(enlarged(small[at : at + _BATCH_SIZE]))
        for at in range(0, len(small), _BATCH_SIZE)
    ]
    images = np.concatenate(parts)
    test = held_out(labels)
    train = np.setdiff1d(np.arange(len(labels)), test)
    return Dataset(NAME, TITLE, NOTE, Split(images[train], labels[train]), Split(images[test], labels[test]))


def enlarged(small: NDArray[np.uint8]) -> Images:
    """8x8 digits as smooth large ones, so that no edge of a pixel becomes the edge of a stroke.

    Args:
        small: uint8 (n, 8, 8), 0 to 16.

    Returns:
        uint8 (n, 80, 80), ink 255 on 0. A margin of one pixel was added, so that ink at the border fades out too.
    """
    import cv2

    padded = np.pad(small, ((0, 0), (1, 1), (1, 1))).astype(np.float32) * (255 / _INK)
    large = [cv2.resize(image, None, fx=_ENLARGE, fy=_ENLARGE, interpolation=cv2.INTER_CUBIC) for image in padded]
    # Cubic interpolation overshoots at edges.
    return np.clip(np.rint(large), 0, 255).astype(np.uint8)


def held_out(labels: Labels) -> NDArray[np.intp]:
    """Which digits are for testing: a quarter of each class, drawn with a fixed seed, in ascending order.

    Args:
        labels: uint8 (n,), 0 to 9.
    """
    # RandomState, because its stream is frozen for good: a new numpy must not make another split.
    order = np.random.RandomState(_SEED).permutation(len(labels))
    of_class = [order[labels[order] == label] for label in range(CLASSES)]
    return np.sort(np.concatenate([members[: round(len(members) * _TEST_SHARE)] for members in of_class]))
