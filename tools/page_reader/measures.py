"""How well digits are read that were captured on pages, and what is fitted on others before."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.reader import data, draw, negatives
from tools.reader.chunks import Chunk
from tools.reader.measures import KEPT, NEGATIVE_SEED, NEGATIVES, Session, calibration_error


def captured(material: data.Material, test: bool) -> Chunk:
    """Digits as they were written, as large as on a page and captured there, of those that train nothing.

    Args:
        material: the digits.
        test: whether MNIST's digits are those of its test split, which choose nothing; else those for validation. The
            pen strokes are the held-out writers' either way.
    """
    random, pen = np.random.default_rng((data.SEED, 3, int(test))), material.held_out
    images, labels = material.val_images, material.val_labels
    if test:
        images, labels = material.test_images, material.test_labels
    made = [draw.enlarged(image, random, strength=0) for image in images]
    made += [draw.written(strokes, random) for strokes in pen.strokes]
    return np.stack(made), np.concatenate([labels, pen.labels]).astype(np.int64)


def measure(content: bytes, before: bytes, known: Chunk, material: data.Material) -> dict[str, Any]:
    """Everything that the model card says; shares 0 to 1.

    Args:
        content: the file.
        before: that of the reader from which it was trained on, read for comparison.
        known: digits that choose the threshold.
        material: those that measure.
    """
    session, older = Session(content), Session(before)
    # Rounded down, so that the figure in the file keeps as many.
    threshold = float(np.floor(1e4 * np.quantile(session.run(known[0])[1], 1 - KEPT)) / 1e4)
    images, classes = captured(material, test=True)
    said, digit = session.run(images)
    made, _ = negatives.unseen(NEGATIVES, NEGATIVE_SEED, material.held_out)
    return {
        "threshold": threshold,
        "kept_wanted": KEPT,
        "digits": len(classes),
        "read_right": _right(said, classes),
        "read_right_before": _right(older.run(images)[0], classes),
        "ece": round(calibration_error(said, classes.astype(np.uint8)), 5),
        "kept": round(float((digit >= threshold).mean()), 5),
        "mnist_test": _right(session.run(material.test_images)[0], material.test_labels.astype(np.int64)),
        "mnist_digits": len(material.test_labels),
        "negatives": len(made),
        "refused": round(float((session.run(made)[1] < threshold).mean()), 5),
    }


def _right(probabilities: NDArray[np.float32], classes: NDArray[np.int64]) -> float:
    return round(float((probabilities.argmax(axis=1) == classes).mean()), 5)
