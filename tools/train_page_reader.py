"""Train the reader on for digits that were cut out of pages, measure it, and write its file and its model card.

    make page-reader

or, with requirements/train.txt installed:

    python -m tools.train_page_reader

The parts are in tools/reader, with measures and card in tools/page_reader. It begins with the file that
tools/train_reader.py writes.
"""

from __future__ import annotations

import hashlib
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from tools import recipe, train_reader
from tools.page_reader import card, measures
from tools.reader import data, network, training
from tools.reader.card import metadata
from tools.reader.chunks import Chunk
from tools.reader.measures import temperature
from tools.recipe import ROOT

FILE = ROOT / "hdr" / "reading" / "page_reader.onnx"
CARD = ROOT / "docs" / "page_reader.md"
BEFORE = train_reader.FILE

VERSION = "1"
"""Version of the recipe, incremented for every changed recipe and rebuilt file."""

SOURCES = (
    ("tools/page_reader", *train_reader.SOURCES[0]),
    ("hdr/reading/ink_parting.py", *train_reader.SOURCES[1]),
)

CYCLE = training.Cycle(
    180,
    180,
    1e-3,
    replace(training.LAST, shares=(0.31, 0.22, 0.05, 0.01, 0.1, 0.17, 0.14)),
    1.0,
    soft=True,
)

FIRST, NUMBER = 700, 4
"""Number of the first chunk, after those of the reader's cycles, and of this cycle after theirs."""

MET = replace(training.LAST, shares=(0.37, 0.13, 0.05, 0.01, 0.12, 0.22, 0.1)), 499
"""Samples that batch normalisation has met before: how they are made, and the number of their chunk."""


def train(
    known: Chunk, cycle: training.Cycle, workers: int, kept: Path | None
) -> tuple[network.Reader, dict[str, Any]]:
    """Train on from the reader's file; between times, say how well digits of pages are read, and keep the weights.

    Args:
        known: digits for validation.
        cycle: of training.
        workers: processes that make samples.
        kept: file for the weights; None to keep none.

    Returns:
        The net, and how it was trained: `cycle`, `shown`, `seconds`, `workers`, `torch`.
    """
    images, classes = known
    started = time.monotonic()
    how: dict[str, Any] = {
        "cycle": asdict(cycle),
        "shown": training.SHOWN,
        "workers": workers,
        "torch": torch.__version__.split("+")[0],
    }

    def told(line: str, net: network.Reader) -> None:
        how["seconds"] = round(time.monotonic() - started)
        right = (network.scores(net, images)[0].argmax(axis=1) == classes).mean()
        print(f"{how['seconds']} s, {line}; validation: {right:.2%}", flush=True)
        recipe.keep(kept, net, how)

    way, number = MET
    net = network.from_onnx(BEFORE.read_bytes(), way.make(number)[0])
    torch.manual_seed(data.SEED + NUMBER)
    return training.one_cycle(net, cycle, FIRST, workers, told, 20), how


def export(net: network.Reader, how: dict[str, Any], material: data.Material, known: Chunk) -> onnx.ModelProto:
    """Calibrate the net on validation digits, measure the file as it will be run, and write down what made it."""
    images, classes = known
    fitted = temperature(network.scores(net, images)[0], classes.astype(np.uint8))
    model, before = network.to_onnx(net, fitted), BEFORE.read_bytes()
    metrics = measures.measure(model.SerializeToString(), before, known, material)
    reader = metadata(before)["metrics"]
    values = {
        "recipe_version": VERSION,
        "recipe_sha256": recipe.source_hash(*SOURCES),
        "data_sha256": {**material.hashes, BEFORE.name: hashlib.sha256(before).hexdigest()},
        "held_out_writers": data.HELD_OUT,
        "threshold": metrics.pop("threshold"),
        "temperature": round(fitted, 4),
        "metrics": metrics,
        "reader": {name: reader[name] for name in ("mnist_test", "refused")},
        "training": how,
        "weights": sum(p.numel() for p in net.parameters()),
        "attribution": recipe.ATTRIBUTION,
        "input": "uint8 (n, 28, 28), ink 255 on 0, by the rule in hdr/reading/ink_parting.py",
        "outputs": metadata(before)["outputs"],
    }
    return recipe.signed(model, VERSION, "The ready-made reader, for digits from pages.", values)


def main() -> None:
    """The command line."""
    chosen = recipe.arguments("Train the reader on for digits from pages.", FILE, CARD).parse_args()
    torch.set_num_threads(1)
    material = data.load()
    known = measures.captured(material, test=False)
    if chosen.weights:
        net = network.Reader()
        how = recipe.restore(chosen.weights, net)
    else:
        net, how = train(known, training.shorter(CYCLE, chosen.shorter), chosen.workers, chosen.keep)
    recipe.write(export(net, how, material, known), chosen, card.text)


if __name__ == "__main__":
    main()
