"""A model that is asked about many pictures, some of them more than once: each is answered once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from hdr.types import CLASSES, Classifier, Images, Stage


class Once:
    """The same classifier, which remembers its answers. For the questions about one digit: it forgets nothing.

    Args:
        model: what reads.
        before: is called before each prediction of the model; an exception that it raises ends the work.
    """

    def __init__(self, model: Classifier, before: Callable[[], None] = lambda: None) -> None:
        self._model, self._before = model, before
        self._known: dict[bytes, NDArray[np.float64]] = {}

    def predict_proba(self, images: Images) -> NDArray[np.float64]:
        """As the model's: float64 (n, 10) for uint8 (n, 28, 28)."""
        names = [image.tobytes() for image in images]
        new = {name: i for i, name in enumerate(names) if name not in self._known}
        if new:
            self._before()
            self._known |= zip(new, self._model.predict_proba(images[list(new.values())]), strict=True)
        return np.stack([self._known[name] for name in names]) if names else np.empty((0, CLASSES))

    def stages(self, image: Images) -> tuple[Stage, ...]:
        """As the model's."""
        return self._model.stages(image)
