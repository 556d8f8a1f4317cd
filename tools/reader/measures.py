"""What is measured on the file itself, run as the app runs it, and what is fitted on validation digits before."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from hdr.preprocessing.size_normalisation import from_pixels, from_strokes
from hdr.types import CLASSES, Images, Labels, Strokes
from tools.reader import data, draw, negatives, variants

KEPT = 0.995
"""Share of real digits that the threshold keeps, on each of the two sets of validation digits: 99 % is wanted, and
people whose hands are in neither set will have more of theirs refused."""

BINS = 15
NEGATIVES, NEGATIVE_SEED = 1_000, 77
HABIT_SEED = 78


def temperature(found: NDArray[np.float64], labels: Labels) -> float:
    """The temperature with the least negative log likelihood, from scores (n, 10) and classes (n,).

    Source: Guo et al., On calibration of modern neural networks, 2017, arXiv:1706.04599.
    """
    grid = np.exp(np.linspace(np.log(0.3), np.log(3), 400))
    return float(grid[np.argmin([_loss(found / t, labels) for t in grid])])


def _loss(found: NDArray[np.float64], labels: Labels) -> float:
    shifted = found - found.max(axis=1, keepdims=True)
    chosen = shifted[np.arange(len(labels)), labels]
    return float((np.log(np.exp(shifted).sum(axis=1)) - chosen).mean())


def calibration_error(probabilities: NDArray[np.float64], labels: Labels) -> float:
    """Expected calibration error over 15 bins of equal width, 0 to 1."""
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == labels
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    gaps = np.bincount(bins, sure - right, minlength=BINS)
    return float(np.abs(gaps).sum() / len(labels))


@dataclass(frozen=True)
class Session:
    """The file's content, run on one core."""

    content: bytes

    def run(self, images: Images, batch: int = 500) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Probabilities (n, 10) and those of being a digit (n,)."""
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        session = onnxruntime.InferenceSession(self.content, options, providers=["CPUExecutionProvider"])
        parts = [
            session.run(["probabilities", "digit"], {"images": images[i : i + batch]})
            for i in range(0, len(images), batch)
        ]
        return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def drawn(drawings: list[Strokes]) -> Images:
    """Drawings by the capture rule, uint8 (n, 28, 28)."""
    return np.stack([from_strokes(strokes) for strokes in drawings])


def measure(content: bytes, material: data.Material, threshold: float | None = None) -> dict[str, object]:
    """Everything that the model card says, as numbers, text and lists for JSON.

    Args:
        content: the file.
        material: the digits.
        threshold: of being a digit; None to set it so that validation digits are kept.
    """
    session = Session(content)
    hand = drawn(material.held_out.strokes)
    val, val_digit = session.run(material.val_images)
    pen, pen_digit = session.run(hand)
    if threshold is None:
        # Rounded down, so that the figure in the file keeps as many.
        lowest = min(float(np.quantile(d, 1 - KEPT)) for d in (val_digit, pen_digit))
        threshold = float(np.floor(lowest * 1e4) / 1e4)
    test, test_digit = session.run(material.test_images)
    framed, _ = session.run(from_pixels(material.test_images))
    labels, hand_labels = material.test_labels, material.held_out.labels
    made, kinds = negatives.unseen(NEGATIVES, NEGATIVE_SEED, material.held_out)
    _, refused_digit = session.run(made)
    refused = refused_digit < threshold
    return {
        "threshold": threshold,
        "kept_wanted": KEPT,
        "mnist_test": _share(test, labels),
        "mnist_test_framed": _share(framed, labels),
        "mnist_validation": _share(val, material.val_labels),
        "held_out_writers": _share(pen, hand_labels),
        "by_writer": _by_writer(pen, material.held_out),
        "mnist_test_ece": round(calibration_error(test, labels), 5),
        "held_out_writers_ece": round(calibration_error(pen, hand_labels), 5),
        "mnist_test_kept": round(float((test_digit >= threshold).mean()), 5),
        "held_out_writers_kept": round(float((pen_digit >= threshold).mean()), 5),
        "refused": round(float(refused.mean()), 5),
        "refused_by_kind": {kind: round(float(refused[kinds == kind].mean()), 3) for kind in negatives.UNSEEN},
        "habits": _habits(session, material.held_out, threshold),
        "confusions": _confusions(test, labels, pen, hand_labels),
        "counts": {
            "mnist_train": len(material.labels),
            "mnist_validation": len(material.val_labels),
            "mnist_test": len(labels),
            "pen_train": len(material.pen.labels),
            "held_out_writers": len(hand_labels),
            "negatives": len(made),
        },
    }


def _share(probabilities: NDArray[np.float32], labels: Labels) -> float:
    return round(float((probabilities.argmax(axis=1) == labels).mean()), 5)


def _by_writer(probabilities: NDArray[np.float32], pen: data.Pen) -> dict[str, float]:
    masks = {str(writer): pen.writers == writer for writer in data.HELD_OUT}
    return {writer: _share(probabilities[mask], pen.labels[mask]) for writer, mask in masks.items()}


def _habits(session: Session, pen: data.Pen, threshold: float) -> dict[str, dict[str, float]]:
    """The held-out writers' digits, edited as the recipe edits those it trains on, by digit."""
    random = np.random.default_rng(HABIT_SEED)
    out = {}
    for label in range(CLASSES):
        chosen = pen.of(pen.labels == label)
        images = drawn([draw.bend(variants.vary(s, label, random), random) for s in chosen.strokes])
        found, digit = session.run(images)
        out[str(label)] = {"read": _share(found, chosen.labels), "kept": round(float((digit >= threshold).mean()), 5)}
    return out


def _confusions(*sets: NDArray) -> list[str]:
    """The commonest confusions over several sets of probabilities and classes: "4 read as 9 (3)"."""
    pairs: dict[tuple[int, int], int] = {}
    for probabilities, labels in zip(sets[::2], sets[1::2], strict=True):
        found = probabilities.argmax(axis=1)
        for truth, read in zip(labels[found != labels].tolist(), found[found != labels].tolist(), strict=True):
            pairs[truth, read] = pairs.get((truth, read), 0) + 1
    most = sorted(pairs.items(), key=lambda item: (-item[1], item[0]))[:6]
    return [f"{truth} read as {read} ({n})" for (truth, read), n in most]
