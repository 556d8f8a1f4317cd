"""Small runs to take along, a small MNIST on disk for them, and a Python that does not know this project."""

from __future__ import annotations

import gzip
import struct
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hdr.preprocessing.pipeline import chain
from hdr.training.run_spec import PRESETS, Change, RunSpec
from hdr.types import Dataset, Split, Step

HOG = replace(PRESETS["fast"].spec, train_size=1000, reduction=Step("pca", {"components": 40}))
PIXELS = RunSpec(train_size=1000)

STEERED = (Change(2, (("learning_rate", 0.0005), ("batch_size", 64))), Change(5, (), True))
SPECS = {
    "article": replace(PIXELS, classifier=Step("mlp", {"epochs": 3})),
    "steered": replace(PIXELS, seed=3, classifier=Step("mlp", {"epochs": 9}), changes=STEERED),
    "support vectors": HOG,
    "tree": replace(PIXELS, pipeline=chain("deskew"), classifier=Step("decision_tree")),
    "forest": replace(PIXELS, classifier=Step("random_forest", {"trees": 20})),
    "naive Bayes": replace(HOG, classifier=Step("naive_bayes")),
    "logistic regression": replace(PIXELS, reduction=Step("standardise"), classifier=Step("logistic_regression")),
    "boosting": replace(HOG, classifier=Step("gradient_boosting", {"rounds": 5})),
    "several features": replace(
        HOG,
        features=(Step("zoning"), Step("harris_corners"), Step("hog", {"cell": 7, "block": 2})),
        reduction=Step("pca", {"components": 20, "standardise": True}),
        classifier=Step("linear_discriminant"),
    ),
}
"""Runs for which there is an ONNX file."""

MORE = {
    "copies": replace(
        PIXELS,
        seed=5,
        augmentation=Step("distort", {"copies": 2}),
        classifier=Step("mlp", {"epochs": 5, "keep_best": True, "learning_rate": 0.02}),
    ),
    "half of the digits": replace(HOG, classifier=Step("svm", {"kernel": "poly"}), changes=(Change(4, (), True),)),
    "some of the trees": replace(PIXELS, classifier=Step("extra_trees", {"trees": 20}), changes=(Change(4, (), True),)),
    "some of the rounds": replace(
        HOG, classifier=Step("gradient_boosting", {"rounds": 10}), changes=(Change(4, (), True),)
    ),
    "kernel approximation": replace(HOG, classifier=Step("kernel_approximation", {"components": 100})),
    "nearest neighbours": replace(HOG, classifier=Step("k_nearest_neighbours")),
    "nearest centroid": replace(HOG, classifier=Step("nearest_centroid")),
}
"""Runs for which there is a script only, or which a script has to follow closely."""


def small(dataset: Dataset) -> Dataset:
    """The first 6,000 training and 1,000 test digits, under MNIST's name."""
    train, test = (Split(s.images[:n], s.labels[:n]) for s, n in ((dataset.train, 6000), (dataset.test, 1000)))
    return replace(dataset, name="mnist", train=train, test=test)


def write_idx(dataset: Dataset, folder: Path) -> None:
    """The four files as MNIST has them, one of them gzip."""
    for part, split in (("train", dataset.train), ("t10k", dataset.test)):
        (folder / f"{part}-images-idx3-ubyte").write_bytes(_idx(split.images))
        data = _idx(split.labels)
        if part == "train":
            (folder / "train-labels-idx1-ubyte").write_bytes(data)
        else:
            (folder / "t10k-labels-idx1-ubyte.gz").write_bytes(gzip.compress(data))


def _idx(values: NDArray[np.uint8]) -> bytes:
    return bytes([0, 0, 8, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()


def run_python(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Python without the folder it is called from, PYTHONPATH and the user's packages."""
    command = [sys.executable, "-I", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=250)


def labels_of(path: Path) -> NDArray[np.int64]:
    """What a script wrote."""
    return np.loadtxt(path, dtype=np.int64)
