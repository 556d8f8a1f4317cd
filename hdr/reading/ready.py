"""The ready-made reader: a small convolutional network that comes with the app as an ONNX file.

Loading it imports onnxruntime, which takes a fifth of a second: so it is imported by `load` and by nothing else.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hdr.types import CLASSES, SIDE, Features, HdrError, Images, Stage

FILE = Path(__file__).with_name("reader.onnx")
"""Where the file lies."""

CHUNK = 64
"""Digits that go through the network at once: the memory that it takes stays small, and does not grow with n."""

MOST_BYTES = 20_000_000
"""Largest file that is loaded; the reader has 1 MB."""

OUTPUTS = ("probabilities", "digit", "features")
"""What the network is asked for."""

_TYPES = {"tensor(uint8)": np.uint8, "tensor(float)": np.float32}


class ReaderError(HdrError):
    """The ready-made reader is missing, or its file is not one."""


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

    @abstractmethod
    def look(self, images: Images) -> Seen:
        """Everything that there is to say, for one pass through the network.

        Args:
            images: uint8 (n, 28, 28), ink 255 on 0; n may be 0.
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


class Reader(Looking):
    """The network as it comes with the app. One may be shared by all threads.

    Attributes:
        threshold: as it was chosen with the network.
        metadata: what the file says of itself: version of the recipe, hashes of the data, metrics.
    """

    def __init__(self, session: Any, kind: type, metadata: Mapping[str, Any]) -> None:
        self._session = session
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

    def _run(self, images: Images) -> list[NDArray[np.float32]]:
        return self._session.run(OUTPUTS, {self._input: np.ascontiguousarray(images, self._kind)})


def load(path: Path | None = None) -> Reader:
    """Load the ready-made reader. Keep the result: every call reads the file anew.

    Args:
        path: the ONNX file; the one that comes with the app where none is given.

    Raises:
        ReaderError: it is missing, damaged or not a reader.
    """
    path = path or FILE
    try:
        data = _content(path)
        session = _session(data)
        metadata = _metadata(session.get_modelmeta().custom_metadata_map)
        reader = Reader(session, _kind(session), metadata)
        _try_out(reader)
    except FileNotFoundError:
        raise ReaderError(
            f"The ready-made reader is missing: there is no file {path.name}. Models of your own do read."
        ) from None
    except Exception as error:
        # The library raises errors of a dozen kinds of its own over a damaged file.
        raise ReaderError(
            f"The ready-made reader in {path.name} cannot be used ({type(error).__name__}: {_short(error)}). Install "
            "the app again; models of your own do read."
        ) from error
    return reader


def _content(path: Path) -> bytes:
    with open(path, "rb") as stream:
        data = stream.read(MOST_BYTES + 1)
    if not 0 < len(data) <= MOST_BYTES:
        raise ValueError(f"it has to have 1 to {MOST_BYTES:,} bytes")
    return data


def _session(data: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    # Errors are raised as well; printing them besides would only fill the server's log.
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def _kind(session: Any) -> type:
    inputs, outputs = session.get_inputs(), {o.name for o in session.get_outputs()}
    if len(inputs) != 1 or inputs[0].type not in _TYPES or not set(OUTPUTS) <= outputs:
        raise ValueError(f"it is a network for something else; a reader has the outputs {', '.join(OUTPUTS)}")
    return _TYPES[inputs[0].type]


def _metadata(found: Mapping[str, str]) -> dict[str, Any]:
    """Values are JSON, or else plain text."""
    parsed: dict[str, Any] = {}
    for name, text in found.items():
        try:
            parsed[name] = json.loads(text)
        except (ValueError, RecursionError):
            parsed[name] = text
    threshold = parsed.get("threshold")
    if isinstance(threshold, bool) or not isinstance(threshold, int | float) or not 0 <= threshold <= 1:
        raise ValueError("its threshold has to be a number from 0 to 1")
    return parsed


def _try_out(reader: Reader) -> None:
    # A network of another shape loads without a murmur; it has to fail now, not under somebody's drawing.
    seen = reader.look(np.zeros((2, SIDE, SIDE), np.uint8))
    shapes = seen.probabilities.shape == (2, CLASSES) and seen.digit.shape == (2,)
    if not shapes or seen.features.ndim != 2 or not np.isfinite(seen.probabilities).all():
        raise ValueError("its answers are not those of a reader")


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:120]
