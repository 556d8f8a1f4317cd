"""Train the ready-made reader, measure it, and write its file and its model card.

    make reader

or, with requirements/train.txt installed:

    python -m tools.train_reader

The parts are in tools/reader. Everything that is random follows from one seed. On another processor, or with another
version of PyTorch, sums are rounded in another way, and the weights come out a little different.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from tools import recipe
from tools.reader import card, data, measures, negatives, network, training
from tools.recipe import ROOT

FILE = ROOT / "hdr" / "reading" / "reader.onnx"
CARD = ROOT / "docs" / "reader.md"

VERSION = "1"
"""Version of the recipe, incremented for every changed recipe and rebuilt file."""

SOURCES = ("tools/reader",), ("hdr/preprocessing/size_normalisation.py",)


def train(
    material: data.Material, cycles: tuple[training.Cycle, ...], workers: int, kept: Path | None
) -> tuple[network.Reader, dict[str, Any]]:
    """Train; between times, say how well validation digits are read, and keep the weights.

    Args:
        material: the digits.
        cycles: as `training.train` takes them.
        workers: processes that make them.
        kept: file for the weights; None to keep none.

    Returns:
        The net, and how it was trained: `cycles`, `shown`, `seconds`, `threads`, `torch`.
    """
    drawings = measures.drawn(material.held_out.strokes)
    started = time.monotonic()
    how: dict[str, Any] = {
        "cycles": [asdict(c) for c in cycles],
        "shown": training.SHOWN,
        "torch": torch.__version__.split("+")[0],
    }
    how |= {"threads": torch.get_num_threads(), "workers": workers}

    def told(line: str, net: network.Reader) -> None:
        how["seconds"] = round(time.monotonic() - started)
        digits, pen = (network.scores(net, images)[0].argmax(axis=1) for images in (material.val_images, drawings))
        right = (digits == material.val_labels).mean(), (pen == material.held_out.labels).mean()
        print(f"{line}; validation: MNIST {right[0]:.2%}, held-out writers {right[1]:.2%}", flush=True)
        recipe.keep(kept, net, how)

    return training.train(cycles, workers, told), how


def export(net: network.Reader, how: dict[str, Any], material: data.Material) -> onnx.ModelProto:
    """Calibrate the net on validation digits, measure the file as it will be run, and write down what made it."""
    drawings = measures.drawn(material.held_out.strokes)
    digits, _ = network.scores(net, material.val_images)
    pen, _ = network.scores(net, drawings)
    temperature = measures.temperature(
        np.concatenate([digits, pen]), np.concatenate([material.val_labels, material.held_out.labels])
    )
    model = network.to_onnx(net, temperature)
    metrics = measures.measure(model.SerializeToString(), material)
    values = {
        "recipe_version": VERSION,
        "recipe_sha256": recipe.source_hash(*SOURCES),
        "data_sha256": material.hashes,
        "held_out_writers": data.HELD_OUT,
        "threshold": metrics.pop("threshold"),
        "temperature": round(temperature, 4),
        "metrics": metrics,
        "kinds_seen": negatives.SEEN,
        "kinds_unseen": negatives.UNSEEN,
        "training": how,
        "weights": sum(p.numel() for p in net.parameters()),
        "attribution": recipe.ATTRIBUTION,
        "input": "uint8 (n, 28, 28), ink 255 on 0, by the rule in hdr/preprocessing/size_normalisation.py",
        "outputs": {
            "probabilities": "float32 (n, 10), of each digit, given that it is one",
            "digit": "float32 (n,), the probability that it is a digit; below the threshold it is refused",
            "features": "float32 (n, d), the last layer before the answer",
        },
    }
    return recipe.signed(model, VERSION, "The ready-made reader of digits.", values)


def main() -> None:
    """The command line."""
    parser = recipe.arguments("Train the ready-made reader.", FILE, CARD)
    parser.add_argument("--threads", type=int, default=1, help="threads that train")
    parser.add_argument("--convert", type=Path, nargs=2, metavar=("FROM", "TO"), help="only convert UCI's pen strokes")
    chosen = parser.parse_args()
    if chosen.convert:
        print(f"{data.convert(*chosen.convert)} digits written to {chosen.convert[1]}")
        return
    torch.set_num_threads(chosen.threads)
    material = data.load()
    if chosen.weights:
        net = network.Reader()
        how = recipe.restore(chosen.weights, net)
    else:
        cycles = tuple(training.shorter(c, chosen.shorter) for c in training.CYCLES)
        net, how = train(material, cycles, chosen.workers, chosen.keep)
    recipe.write(export(net, how, material), chosen, card.text)


if __name__ == "__main__":
    main()
