"""A model that knows its answer, and remembers what it was shown."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hdr.types import Images, Stage


class SaysSeven:
    """A classifier in form only."""

    def __init__(self) -> None:
        self.shown: list[Images] = []

    def stages(self, image: Images) -> tuple[Stage, ...]:
        """One stage."""
        return (Stage("as it is", image),)

    def predict_proba(self, images: Images) -> NDArray[np.float64]:
        """Always mostly 7."""
        self.shown.append(images)
        found = np.full((len(images), 10), 0.01)
        found[:, 7] = 0.91
        return found
