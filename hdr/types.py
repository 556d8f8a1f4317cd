"""The values that travel between the parts. Everything here is frozen and imports numpy only."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from types import MappingProxyType
from typing import Any, Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

SIDE = 28
"""Width and height of a digit, in pixels, as in MNIST."""

CLASSES = 10
"""Number of classes: the digits 0 to 9."""

Element = TypeVar("Element", bound=np.generic)
"""The type of an array's elements, where a function keeps it."""

Images = NDArray[np.uint8]
"""Grey images, uint8 (n, h, w), ink 255 on 0."""

Labels = NDArray[np.uint8]
"""Classes, uint8 (n,), 0 to 9."""

Features = NDArray[np.float32]
"""Feature vectors, float32 (n, d)."""

Strokes = list[NDArray[np.float64]]
"""A drawing: one float64 (points, 2) array of x, y per stroke, in pixels, y down."""


class HdrError(Exception):
    """An error whose message is written for a person: what is wrong, with which value, what would be right."""


@dataclass(frozen=True)
class Split:
    """Images and their labels, as read-only arrays.

    Attributes:
        images: uint8 (n, 28, 28), ink 255 on 0.
        labels: uint8 (n,), 0 to 9.
    """

    images: Images
    labels: Labels

    def __post_init__(self) -> None:
        if self.images.ndim != 3 or self.images.dtype != np.uint8:
            raise ValueError(f"images must be uint8 (n, h, w), got {self.images.dtype} {self.images.shape}")
        if self.labels.shape != (len(self.images),) or self.labels.dtype != np.uint8:
            raise ValueError(f"labels must be uint8 ({len(self.images)},), got {self.labels.dtype} {self.labels.shape}")
        for name in ("images", "labels"):
            view = getattr(self, name).view()
            view.flags.writeable = False
            object.__setattr__(self, name, view)

    def __len__(self) -> int:
        return len(self.labels)


@dataclass(frozen=True)
class Dataset:
    """A named set of digits with the split its publishers made.

    Attributes:
        name: the identifier, as in a run's JSON ("mnist").
        title: what people call it ("MNIST").
        note: one sentence on what it is, or on what it is not.
        train: for fitting and, carved off by seed, for validation.
        test: for the final figure only, never for tuning.
    """

    name: str
    title: str
    note: str
    train: Split
    test: Split


@dataclass(frozen=True)
class Step:
    """A catalogue entry's name with its parameter values; `on` is False for a step that is switched off."""

    name: str
    params: Mapping[str, Any] = field(default_factory=dict)
    on: bool = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "params", MappingProxyType(dict(self.params)))

    def __hash__(self) -> int:
        return hash((self.name, tuple(sorted(self.params.items())), self.on))

    def __reduce__(self) -> tuple[Any, ...]:
        return (Step, (self.name, dict(self.params), self.on))


@dataclass(frozen=True)
class Stage:
    """One picture on the way of a digit: what a step made of it.

    Attributes:
        title: the step's title, or what the source is.
        image: uint8 (h, w).
        step: the step that made it; None for a source.
        display: "intensity"; "signed", stored as 128 + 127 v / v_max; or "angle": 1 to 255 once round the circle from
            the x axis towards y, 0 where there is no direction.
    """

    title: str
    image: NDArray[np.uint8]
    step: Step | None = None
    display: str = "intensity"


@dataclass(frozen=True)
class Mark:
    """Something drawn onto a picture, such as an end point or an outline.

    Attributes:
        kind: "points" (a dot at each), "line" (from point to point), "area" (a line that closes) or "box" (two opposite
            corners).
        points: float (n, 2) of x, y in pixels of the picture; (0, 0) is the middle of the first pixel.
        series: which colour it has: marks of one series belong together.
        strength: how strongly it is drawn, 0 to 1.
        label: a few words beside its first point; empty for none.
    """

    kind: Literal["points", "line", "area", "box"]
    points: NDArray[np.float64]
    series: int = 0
    strength: float = 1.0
    label: str = ""


@dataclass(frozen=True)
class Drawing:
    """What a feature extractor looks at in one digit: a picture with marks on it.

    Attributes:
        title: a few words over it.
        image: uint8 (h, w), the digit itself or what the extractor makes of it.
        display: as in `Stage`.
        marks: what is drawn onto it.
        note: one sentence that says what is to be seen; empty where the title says it all.
    """

    title: str
    image: NDArray[np.uint8]
    display: str = "intensity"
    marks: tuple[Mark, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class DigitReading:
    """One digit as it was read.

    Attributes:
        label: the most probable class, 0 to 9.
        probabilities: float (10,), summing to 1.
        box: x, y, width, height in pixels of the source.
        stages: what the model saw: the capture, then each step of its own pipeline.
    """

    label: int
    probabilities: NDArray[np.float64]
    box: tuple[int, int, int, int]
    stages: tuple[Stage, ...] = ()

    @property
    def probability(self) -> float:
        """The probability of the label."""
        return float(self.probabilities[self.label])


@dataclass(frozen=True)
class Reading:
    """What was read from one source.

    Attributes:
        digits: line by line from left to right; none where it abstained.
        lines: how many digits each line has; empty where all are in one.
        stages: what was made of the source before digits were found in it, where it was a page.
    """

    digits: tuple[DigitReading, ...]
    lines: tuple[int, ...] = ()
    stages: tuple[Stage, ...] = ()

    @property
    def number(self) -> str:
        """The digits as a string, lines parted by line feeds; empty where nothing was read."""
        labels = [str(d.label) for d in self.digits]
        starts = [sum(self.lines[:k]) for k in range(len(self.lines) + 1)] if self.lines else [0, len(labels)]
        return "\n".join("".join(labels[a:b]) for a, b in itertools.pairwise(starts))

    @property
    def abstained(self) -> bool:
        """True where there was nothing to read."""
        return not self.digits


class Classifier(Protocol):
    """What reads digits: anything with a pipeline and probabilities."""

    def stages(self, image: Images) -> tuple[Stage, ...]:
        """Every intermediate image of one digit, uint8 (28, 28), under the model's own pipeline."""
        ...

    def predict_proba(self, images: Images) -> NDArray[np.float64]:
        """Probabilities float64 (n, 10) for uint8 (n, 28, 28) digits with ink 255 on 0."""
        ...


ProgressCallback = Callable[..., None]
"""Called as `report(words, share)`: the present stage, and the share that is done, 0 to 1; without it where unknown."""


def no_progress(words: str, share: float | None = None) -> None:
    """Ignore a report of progress."""


@dataclass(frozen=True)
class ImmutableArrays:
    """Base of frozen dataclasses whose arrays are read-only views."""

    def __post_init__(self) -> None:
        for f in fields(self):
            value = getattr(self, f.name)
            if isinstance(value, np.ndarray):
                view = value.view()
                view.flags.writeable = False
                object.__setattr__(self, f.name, view)

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(getattr(getattr(self, f.name), "nbytes", 0) for f in fields(self))
