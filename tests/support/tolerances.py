"""How tests compare grey values with another library's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from hdr.types import Images


def assert_close(out: Images, expected: Sequence[NDArray] | NDArray, tolerance: float) -> None:
    """Grey values within a tolerance of what the other library gives, rounding included."""
    np.testing.assert_allclose(out.astype(float), np.stack(expected), rtol=0, atol=tolerance)
