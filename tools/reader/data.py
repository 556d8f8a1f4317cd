"""What the reader learns from and is measured on, with the splits that the recipe keeps to."""

from __future__ import annotations

import gzip
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hdr.datasets import mnist
from hdr.paths import dataset_folders
from hdr.types import Images, Labels, Strokes

SEED = 5
"""Of the split of MNIST's training digits, of everything made, and of the weights."""

VALIDATION = 5_000
"""Digits of MNIST's training split that are kept for choices, for the temperature and for the threshold."""

HELD_OUT = (5, 10, 15, 20, 25, 30)
"""Writers of the pen strokes on whom the net never trains: every fifth, whoever that is."""

STROKES = "strokes/pendigits-train.jsonl.gz"
"""Where the pen strokes lie in a data folder: one JSON object a line, with `label`, `writer` and `strokes`."""

HOW_TO_GET_STROKES = """\
The pen strokes are data set 81 of the UCI Machine Learning Repository, "Pen-Based Recognition of Handwritten Digits"
(E. Alpaydin and F. Alimoglu, 1998, CC BY 4.0), in their original form, the file `pendigits-orig.tra`. In it, ".SEGMENT
DIGIT", ".COMMENT label writer" and then ".PEN_DOWN", points "x y" line by line, ".PEN_UP" make up a digit. With the
file at hand:
    python -m tools.train_reader --convert pendigits-orig.tra FOLDER/strokes/pendigits-train.jsonl.gz
and then HDR_DATASETS=FOLDER."""


@dataclass(frozen=True)
class Pen:
    """Digits as their writers drew them.

    Attributes:
        strokes: one drawing a digit.
        labels: uint8 (n,).
        writers: int64 (n,).
    """

    strokes: list[Strokes]
    labels: Labels
    writers: NDArray[np.int64]

    def of(self, chosen: NDArray[np.bool_]) -> Pen:
        """Those that a mask (n,) chooses."""
        kept = np.flatnonzero(chosen)
        return Pen([self.strokes[i] for i in kept], self.labels[kept], self.writers[kept])


@dataclass(frozen=True)
class Material:
    """All of it, split.

    Attributes:
        images, labels: MNIST's digits for training, uint8 (55000, 28, 28) and (55000,).
        val_images, val_labels: those kept back, 5,000.
        test_images, test_labels: MNIST's test split, for the final figure only.
        pen: the strokes of the writers who train it.
        held_out: those of the six others.
        hashes: SHA-256 of what was read, by file.
    """

    images: Images
    labels: Labels
    val_images: Images
    val_labels: Labels
    test_images: Images
    test_labels: Labels
    pen: Pen
    held_out: Pen
    hashes: dict[str, str]


def stroke_file() -> Path:
    """The file of pen strokes in the first data folder that has it.

    Raises:
        FileNotFoundError: none has; it says how to get and convert it.
    """
    for folder in dataset_folders():
        if (folder / STROKES).is_file():
            return folder / STROKES
    raise FileNotFoundError(f"No {STROKES} in {', '.join(map(str, dataset_folders()))}.\n{HOW_TO_GET_STROKES}")


def load_pen() -> tuple[Pen, str]:
    """The pen strokes and the SHA-256 of the file's uncompressed content."""
    content = gzip.decompress(stroke_file().read_bytes())
    rows = [json.loads(line) for line in content.decode().splitlines()]
    pen = Pen(
        [[np.array(stroke, np.float64) for stroke in row["strokes"]] for row in rows],
        np.array([row["label"] for row in rows], np.uint8),
        np.array([row["writer"] for row in rows], np.int64),
    )
    return pen, hashlib.sha256(content).hexdigest()


def load() -> Material:
    """MNIST and the pen strokes, split by the recipe's rules."""
    digits = mnist.load()
    order = np.random.default_rng(SEED).permutation(len(digits.train))
    train, val = order[:-VALIDATION], order[-VALIDATION:]
    pen, pen_hash = load_pen()
    held_out = np.isin(pen.writers, HELD_OUT)
    return Material(
        images=digits.train.images[train],
        labels=digits.train.labels[train],
        val_images=digits.train.images[val],
        val_labels=digits.train.labels[val],
        test_images=digits.test.images,
        test_labels=digits.test.labels,
        pen=pen.of(~held_out),
        held_out=pen.of(held_out),
        hashes={**{file.name: file.sha256 for file in mnist.FILES}, Path(STROKES).name: pen_hash},
    )


def convert(original: Path, target: Path) -> int:
    """Turn UCI's `pendigits-orig.tra` into the file that `load_pen` reads.

    Writers are not numbered in some copies of the file; they wrote 250 digits each, one after the other, and the
    number is then counted from their order.

    Args:
        original: UNIPEN text, y up.
        target: gzip of one JSON object a line, y down, each digit moved so that its box starts at 0, 0.

    Returns:
        How many digits there were.
    """
    rows: list[dict] = []
    down = False
    for line in original.read_text(encoding="latin-1").splitlines():
        words = line.split()
        if not words:
            continue
        if words[0] == ".COMMENT" and len(words) >= 2 and words[1].isdigit():
            numbered = len(words) > 2 and words[2].isdigit()
            writer = int(words[2]) if numbered else len(rows) // 250 + 1
            rows.append({"label": int(words[1]), "writer": writer, "strokes": []})
        elif words[0] == ".PEN_DOWN":
            down = True
            rows[-1]["strokes"].append([])
        elif words[0] == ".PEN_UP":
            down = False
        elif down and len(words) == 2 and not words[0].startswith("."):
            rows[-1]["strokes"][-1].append([int(words[0]), -int(words[1])])
    for row in rows:
        row["strokes"] = [s for s in row["strokes"] if s]
        x0, y0 = (min(p[k] for s in row["strokes"] for p in s) for k in (0, 1))
        row["strokes"] = [[[x - x0, y - y0] for x, y in s] for s in row["strokes"]]
    target.parent.mkdir(parents=True, exist_ok=True)
    with gzip.open(target, "wt", encoding="utf-8") as stream:
        stream.writelines(json.dumps(row, separators=(",", ":")) + "\n" for row in rows)
    return len(rows)
