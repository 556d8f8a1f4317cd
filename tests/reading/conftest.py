"""A small reader, real strokes where they are at hand, and drawings that always are."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import strategies as st

from hdr import datasets, paths
from hdr.reading import ready
from hdr.types import Strokes
from tests.support import small_reader


@pytest.fixture(scope="session")
def small_reader_file(own_home: Path) -> Path:
    """The ONNX file of a reader that knows the bundled digits."""
    return small_reader.write(own_home / "small.onnx", small_reader.fit(datasets.load("bundled").train))


@pytest.fixture(scope="session")
def small(small_reader_file: Path) -> ready.Reader:
    """A reader that knows the bundled digits."""
    return ready.load(small_reader_file)


@pytest.fixture(scope="session")
def written(own_home: Path) -> list[tuple[Strokes, int]]:
    """300 digits that people wrote with a pen, with their labels, where they are on this machine."""
    for folder in paths.dataset_folders():
        path = folder / "strokes" / "pendigits-train.jsonl.gz"
        if path.is_file():
            with gzip.open(path, "rt") as stream:
                lines = [json.loads(next(stream)) for _ in range(300)]
            return [([np.array(s, np.float64) for s in line["strokes"]], line["label"]) for line in lines]
    pytest.skip("The pen strokes are not in HDR_DATASETS: not tested on them")


SEVEN: Strokes = [np.array([[60.0, 60], [120, 58], [200, 60], [170, 120], [130, 200], [110, 270]])]
FOUR: Strokes = [np.array([[140.0, 50], [80, 160], [190, 165]]), np.array([[165.0, 110], [160, 180], [158, 250]])]

numbers = st.floats(-5000, 5000, allow_nan=False)
drawings = st.lists(
    st.lists(st.tuples(numbers, numbers), min_size=1, max_size=30).map(lambda p: np.array(p, np.float64)),
    min_size=1,
    max_size=6,
)
"""Any strokes: dots, lines that cross, huge ones and tiny ones."""
