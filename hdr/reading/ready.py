"""The ready-made reader: three small convolutional networks that come with the app as ONNX files.

One reads a digit that was drawn; the page reader, the same trained on, one that was cut out of a photo; and the parter
says which pieces of a line are one whole digit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hdr.reading.network_file import ReaderError
from hdr.reading.network_file import load as load_network
from hdr.reading.windows import HEIGHT, WIDTH, Windows
from hdr.types import CLASSES, SIDE, Classifier, Features, Images, Stage

FILE = Path(__file__).with_name("reader.onnx")
"""Where the file lies."""

CHUNK = 16
"""Digits that go through the network at once: the memory that it takes stays small, and does not grow with n. With 64
it took 8 MB more, and as long."""

PARTER = Path(__file__).with_name("parter.onnx")
"""Where the parter's file lies."""

PAGES = Path(__file__).with_name("page_reader.onnx")
"""Where the page reader's file lies."""

OUTPUTS = ("probabilities", "digit", "features")
"""What the network is asked for."""

__all__ = ["FILE", "PAGES", "PARTER", "Looking", "Parter", "Reader", "ReaderError", "Seen", "load", "on_pages"]

_TYPES = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32}


@dataclass(frozen=True)
class Seen:
    """What the reader makes of n digits.

    Attributes:
        probabilities: float64 (n, 10), rows summing to 1: which digit it is, given that it is one.
        digit: float64 (n,), the probability that it is a digit at all.
        features: float32 (n, d), the last layer before the answer.
    """

    probabilities: NDArray[np.float64]
    digit: NDArray[np.float64]
    features: Features


class Looking(ABC):
    """A classifier that also tells whether something is a digit at all.

    Attributes:
        threshold: what is less probably a digit than this is to be refused, 0 to 1.
    """

    threshold: float
    _pages: Looking | None = None

    @property
    def on_pages(self) -> Looking:
        """What reads digits that were cut out of a page: the same, where nothing is better at it."""
        return self._pages or self

    @abstractmethod
    def look(self, images: Images) -> Seen:
        """Everything that there is to say, for one pass through the network.

        Args:
            images: uint8 (n, 28, 28), ink 255 on 0; n may be 0.
        """

    @abstractmethod
    def wholes(self, windows: Windows) -> NDArray[np.float64]:
        """Which digit the piece in the middle of each window is, seeing what stands around it.

        Args:
            windows: uint8 (n, 2, 32, 48), as `hdr.reading.windows` makes them; n may be 0.

        Returns:
            Float64 (n, 11), rows summing to 1: of each digit, and last, that it is not one whole digit.
        """

    def predict_proba(self, images: Images) -> NDArray[np.float64]:
        """Probabilities float64 (n, 10) for digits uint8 (n, 28, 28), ink 255 on 0."""
        return self.look(images).probabilities

    def digit_probability(self, images: Images) -> NDArray[np.float64]:
        """The probability that each is a digit at all, float64 (n,), for uint8 (n, 28, 28)."""
        return self.look(images).digit

    def accepts(self, images: Images) -> NDArray[np.bool_]:
        """True where something is to be taken for a digit, bool (n,), for uint8 (n, 28, 28)."""
        return self.digit_probability(images) >= self.threshold

    def features(self, images: Images) -> Features:
        """The last layer before the answer, float32 (n, d), for uint8 (n, 28, 28)."""
        return self.look(images).features

    def stages(self, image: Images) -> tuple[Stage, ...]:
        """None: the network looks at the captured digit itself."""
        return ()


def on_pages(model: Classifier) -> Classifier:
    """What of a model reads digits that were cut out of a page: most read all digits alike."""
    return model.on_pages if isinstance(model, Looking) else model


class Parter:
    """The network that parts lines. One may be shared by all threads.

    Attributes:
        metadata: what the file says of itself.
    """

    def __init__(self, session: Any, metadata: Mapping[str, Any]) -> None:
        self._session = session
        self.metadata = MappingProxyType(dict(metadata))

    def wholes(self, windows: Windows) -> NDArray[np.float64]:
        """See `Looking.wholes`."""
        if windows.ndim != 4 or windows.shape[1:] != (2, HEIGHT, WIDTH) or windows.dtype != np.uint8:
            raise ValueError(f"windows must be uint8 (n, 2, {HEIGHT}, {WIDTH}), got {windows.dtype} {windows.shape}")
        parts = [
            self._session.run(["probabilities"], {"windows": windows[start : start + CHUNK]})[0]
            for start in range(0, len(windows), CHUNK)
        ]
        found = np.concatenate(parts) if parts else np.zeros((0, CLASSES + 1))
        return found / found.sum(axis=1, keepdims=True, dtype=np.float64)


class Reader(Looking):
    """The networks as they come with the app. One may be shared by all threads.

    Attributes:
        threshold: as it was chosen with the network.
        metadata: what the file says of itself: version of the recipe, hashes of the data, metrics.
    """

    def __init__(
        self, session: Any, kind: type, metadata: Mapping[str, Any], parter: Parter, pages: Reader | None = None
    ) -> None:
        self._session = session
        self._parter = parter
        self._pages = pages
        self._input = session.get_inputs()[0].name
        self._kind = kind
        self.metadata = MappingProxyType(dict(metadata))
        self.threshold = float(metadata["threshold"])

    def look(self, images: Images) -> Seen:
        """See `Looking.look`."""
        if images.ndim != 3 or images.shape[1:] != (SIDE, SIDE) or images.dtype != np.uint8:
            raise ValueError(f"images must be uint8 (n, {SIDE}, {SIDE}), got {images.dtype} {images.shape}")
        if not len(images):
            # Not every layer can do with none, and the network alone knows how many features there are.
            one = self.look(np.zeros((1, SIDE, SIDE), np.uint8))
            return Seen(one.probabilities[:0], one.digit[:0], one.features[:0])
        parts = [self._run(images[start : start + CHUNK]) for start in range(0, len(images), CHUNK)]
        probabilities, digit, features = (np.concatenate(p) if len(p) > 1 else p[0] for p in zip(*parts, strict=True))
        probabilities = probabilities.astype(np.float64)
        probabilities /= probabilities.sum(axis=1, keepdims=True)
        return Seen(probabilities, digit.reshape(-1).astype(np.float64), features)

    def wholes(self, windows: Windows) -> NDArray[np.float64]:
        """See `Looking.wholes`."""
        return self._parter.wholes(windows)

    def _run(self, images: Images) -> list[NDArray[np.float32]]:
        return self._session.run(OUTPUTS, {self._input: np.ascontiguousarray(images, self._kind)})


def load(path: Path | None = None, parter: Path | None = None, pages: Path | None = None) -> Reader:
    """Load the ready-made reader. Keep the result: every call reads the files anew.

    Args:
        path: the ONNX file; the one that comes with the app where none is given.
        parter: that of the network that parts lines, likewise.
        pages: that of the page reader; where none is given the one that comes with the app, or, beside another `path`,
            none: that one then reads pages, too.

    Raises:
        ReaderError: one is missing, damaged or not what it should be.
    """
    lines = load_network(parter or PARTER, _parter)
    pages = pages or (PAGES if path is None else None)
    page_reader = load_network(pages, partial(_reader, lines, None)) if pages else None
    return load_network(path or FILE, partial(_reader, lines, page_reader))


def _parter(session: Any, metadata: dict[str, Any]) -> Parter:
    found = Parter(session, metadata)
    said = found.wholes(np.zeros((2, 2, HEIGHT, WIDTH), np.uint8))
    if said.shape != (2, CLASSES + 1) or not np.isfinite(said).all():
        raise ValueError("its answers are not those of a network that parts lines")
    return found


def _reader(parter: Parter, pages: Reader | None, session: Any, metadata: dict[str, Any]) -> Reader:
    threshold = metadata.get("threshold")
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        raise ValueError("its threshold has to be a number from 0 to 1")
    reader = Reader(session, _kind(session), metadata, parter, pages)
    _try_out(reader)
    return reader


def _kind(session: Any) -> type:
    inputs, outputs = session.get_inputs(), {o.name for o in session.get_outputs()}
    if len(inputs) != 1 or inputs[0].type not in _TYPES or not set(OUTPUTS) <= outputs:
        raise ValueError(f"it is a network for something else; a reader has the outputs {', '.join(OUTPUTS)}")
    return _TYPES[inputs[0].type]


def _try_out(reader: Reader) -> None:
    # A network of another shape loads without a murmur; it has to fail now, not under somebody's drawing.
    seen = reader.look(np.zeros((2, SIDE, SIDE), np.uint8))
    shapes = seen.probabilities.shape == (2, CLASSES) and seen.digit.shape == (2,)
    if not shapes or seen.features.ndim != 2 or not np.isfinite(seen.probabilities).all():
        raise ValueError("its answers are not those of a reader")
