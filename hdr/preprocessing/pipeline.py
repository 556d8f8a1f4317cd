"""A chain of steps: applied to any number of images, traced on one, written as JSON and as one part of an address."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from hdr import catalogue
from hdr.types import HdrError, Images, Stage, Step

CHUNK = 1024
"""Images that pass through a step at a time: small enough to stay in the processor's cache."""

LONGEST = 24
"""Most steps that a chain may have: what comes from an address must not cost without bound."""


class PipelineError(HdrError):
    """A text or JSON value is not a chain of steps."""


@dataclass(frozen=True)
class Pipeline:
    """Steps in order. Stateless: the same image always gives the same result.

    Raises:
        HdrError: a step or a value is unknown, or there are more than `LONGEST` steps.
    """

    steps: tuple[Step, ...] = ()

    def __post_init__(self) -> None:
        if len(self.steps) > LONGEST:
            raise PipelineError(f"The chain has {len(self.steps)} steps; at most {LONGEST} are allowed.")
        object.__setattr__(self, "steps", tuple(catalogue.with_defaults("step", s) for s in self.steps))

    @property
    def active(self) -> Pipeline:
        """The chain without the steps that are switched off."""
        return Pipeline(tuple(s for s in self.steps if s.on))

    def parted(self) -> tuple[Pipeline, Pipeline]:
        """The steps before the first one that works on one digit, and the rest: where a source that holds several
        digits is cut."""
        on_digits = (s.on and catalogue.get("step", s.name).scope == "digit" for s in self.steps)
        first = next((i for i, found in enumerate(on_digits) if found), len(self.steps))
        return Pipeline(self.steps[:first]), Pipeline(self.steps[first:])

    def apply(self, images: Images) -> Images:
        """Run the chain: uint8 (n, h, w) to uint8 (n, h, w). The input is never changed."""
        calls = [(catalogue.get("step", s.name).function, s.params) for s in self.steps if s.on]
        if not calls or len(images) == 0:
            return images

        def run(part: Images) -> Images:
            for function, params in calls:
                part = function(part, **params)
            return part

        # The first part tells which size the pictures come out with.
        found = run(images[:CHUNK])
        out = np.empty((len(images), *found.shape[1:]), np.uint8)
        out[:CHUNK] = found
        for start in range(CHUNK, len(images), CHUNK):
            found = run(images[start : start + CHUNK])
            out[start : start + CHUNK] = found
        return out

    def trace(self, image: Images) -> tuple[Stage, ...]:
        """What each step makes of one image.

        Args:
            image: uint8 (h, w).

        Returns:
            One stage per step that is on.
        """
        stages, batch = [], image[None]
        for step in self.steps:
            if step.on:
                entry = catalogue.get("step", step.name)
                batch = entry.function(batch, **step.params)
                stages.append(Stage(entry.title, batch[0], step, entry.display))
        return tuple(stages)

    def to_json(self) -> list[dict[str, Any]]:
        """A list with an object per step."""
        return [catalogue.step_to_json(s) for s in self.steps]

    @classmethod
    def from_json(cls, data: Any) -> Pipeline:
        """The chain that `to_json` wrote.

        Raises:
            HdrError: `data` is not such a list.
        """
        if not isinstance(data, list) or len(data) > LONGEST:
            raise PipelineError(
                f"A chain is written as a list of at most {LONGEST} steps, not as {catalogue.shorten(data)!r}."
            )
        return cls(tuple(catalogue.step_from_json("step", s) for s in data))

    @cached_property
    def key(self) -> str:
        """The same for two chains that do the same with the same values."""
        return catalogue.key_of(self.active.to_json())

    def to_text(self) -> str:
        """The chain for an address: ``median-size-3~otsu~_deskew``: steps as `catalogue.step_to_text` writes them,
        joined by ``~``, which is not escaped in a query string."""
        return "~".join(map(catalogue.step_to_text, self.steps))

    @classmethod
    def from_text(cls, text: str) -> Pipeline:
        """The chain that `to_text` wrote.

        Raises:
            HdrError: `text` is not such a chain.
        """
        parts = [p for p in text[:4000].split("~") if p]
        if len(parts) > LONGEST:
            raise PipelineError(f"The chain has {len(parts)} steps; at most {LONGEST} are allowed.")
        return cls(tuple(catalogue.step_from_text("step", part) for part in parts))


def chain(*steps: Step | str) -> Pipeline:
    """A pipeline from steps and names of steps with their defaults."""
    return Pipeline(tuple(Step(s) if isinstance(s, str) else s for s in steps))


PRESETS: dict[str, Sequence[Step | str]] = {
    "Default": ("median", "contrast_stretching", "otsu", "deskew", "scale_to_box", "centre_by_mass"),
    "Clean scan": ("inversion", "contrast_stretching", "otsu", "deskew", "scale_to_box", "centre_by_mass"),
    "Noisy photo": (
        "inversion",
        "non_local_means",
        "median",
        # Wide enough for the strokes of a photo, which come out hollow otherwise, and not too wide for 28x28 pixels.
        Step("sauvola", {"size": 51, "k": 0.3}),
        "speck_removal",
        "deskew",
        "scale_to_box",
        "centre_by_mass",
    ),
    "Deskewed": ("deskew",),
    "Upright, one size, centred": ("deskew", "scale_to_box", "centre_by_mass"),
    "MNIST as published": (),
}
"""Chains that have a name: steps, or names of steps with their defaults (`chain` makes the pipeline)."""
