"""From images to one matrix of features, by chunks; what its columns are called, and what an extractor looks at."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hdr import catalogue
from hdr.preprocessing import Pipeline
from hdr.types import SIDE, Drawing, Features, HdrError, Images, Step

CHUNK = 2048
"""Images that are turned into features at a time: intermediate arrays stay small, whatever the number of images."""

LARGEST = 64
"""Most pixels on a side of a picture that features are taken from; beyond, they would fill the memory."""


MOST = 50_000
"""Most features of a digit: one of 28x28 px never has as many, and thousands of digits with more would fill memory."""


def extract(images: Images, pipeline: Pipeline, features: Sequence[Step]) -> Features:
    """Send images through a pipeline and join what the extractors find.

    Args:
        images: uint8 (n, 28, 28).
        pipeline: what comes first.
        features: extractors with their parameters, at least one.

    Returns:
        float32 (n, d).

    Raises:
        HdrError: the pipeline makes pictures that are larger than 64x64 px, too small for an extractor, or of which the
            extractors find more than 50,000 features.
    """
    calls = [(catalogue.get("feature", s.name).function, s.params) for s in features]
    out = None
    for start in range(0, len(images), CHUNK):
        part = pipeline.apply(images[start : start + CHUNK])
        _check_size(part.shape[1:])
        if out is None and part[0].size > SIDE**2:
            _check_count(sum(function(part[:1], **params).shape[1] for function, params in calls), part.shape[1:])
        found = [function(part, **params) for function, params in calls]
        if out is None:
            out = np.empty((len(images), sum(f.shape[1] for f in found)), np.float32)
        np.concatenate(found, axis=1, out=out[start : start + CHUNK])
    if out is None:
        raise ValueError("there are no images to extract features from")
    return out


def columns(features: Sequence[Step], shape: tuple[int, int]) -> tuple[str, ...]:
    """Names for people of what `extract` finds, in its order.

    Args:
        features: extractors with their parameters, at least one.
        shape: height and width of the pictures after the pipeline, in pixels.

    Returns:
        d names; where there are several extractors, each name begins with its extractor's title, and a number where
        one is there several times.

    Raises:
        HdrError: an extractor or a parameter is not there, or the size does not suit.
    """
    _check_size(shape)
    names: list[str] = []
    steps = [step.name for step in features]
    for index, step in enumerate(features):
        entry = catalogue.get("feature", step.name)
        which = f" {1 + steps[:index].count(step.name)}" if steps.count(step.name) > 1 else ""
        before = f"{entry.title}{which}: " if len(features) > 1 else ""
        names += [before + name for name in entry.facts["columns"](tuple(shape), **entry.validate(step.params))]
    return tuple(names)


def drawings(step: Step, image: NDArray[np.uint8]) -> tuple[Drawing, ...]:
    """What an extractor looks at in one digit: one to four pictures.

    Args:
        step: the extractor with its parameters.
        image: uint8 (h, w), the digit after the pipeline.

    Raises:
        HdrError: as `columns`.
    """
    _check_size(image.shape)
    entry = catalogue.get("feature", step.name)
    drawings: tuple[Drawing, ...] = entry.facts["draw"](image, **entry.validate(step.params))
    return drawings


def _check_size(shape: Sequence[int]) -> None:
    h, w = shape
    if max(h, w) > LARGEST:
        raise HdrError(
            f"After preprocessing, the digit has {w}x{h} px; features are taken from at most {LARGEST}x{LARGEST} px. "
            "Take out the step that enlarges it, or make it smaller at the end."
        )


def _check_count(count: int, shape: Sequence[int]) -> None:
    h, w = shape
    if count > MOST:
        raise HdrError(
            f"A digit of {w}x{h} px has {count:,} of these features; at most {MOST:,} can be learned from. "
            "Take larger cells, fewer directions, or a smaller picture."
        )
