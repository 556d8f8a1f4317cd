"""Train the network that segments lines into digits, measure it, and write its file and its model card.

    make parter

or, with requirements/train.txt installed:

    python -m tools.train_parter

The parts are in tools/parter; digits, and how they are bent, are those of the reader's recipe in tools/reader.
"""

from __future__ import annotations

import time
from dataclasses import asdict
from typing import Any

import onnx
import torch

from tools import recipe
from tools.parter import card, measures, network, training
from tools.reader import data
from tools.recipe import ROOT

FILE = ROOT / "hdr" / "reading" / "parter.onnx"
CARD = ROOT / "docs" / "parter.md"

VERSION = "2"
"""Version of the recipe, incremented for every changed recipe and rebuilt file."""


SOURCES = ("tools/parter",), ("hdr/reading/splitting.py", "hdr/reading/windows.py")


def export(net: network.Parter, how: dict[str, Any], material: data.Material) -> onnx.ModelProto:
    """Calibrate the net, measure the file as it will be run, and write down what made it."""
    temperature = measures.chosen_temperature(net, material)
    model = network.to_onnx(net, temperature)
    values = {
        "recipe_version": VERSION,
        "recipe_sha256": recipe.source_hash(*SOURCES),
        "data_sha256": material.hashes,
        "held_out_writers": data.HELD_OUT,
        "temperature": round(temperature, 4),
        "metrics": measures.measure(model.SerializeToString(), material),
        "training": how,
        "weights": sum(p.numel() for p in net.parameters()),
        "attribution": recipe.ATTRIBUTION,
        "input": "uint8 (n, 2, 32, 48): a piece's own ink and that around it, by hdr/reading/windows.py",
        "outputs": {"probabilities": "float32 (n, 11): of each digit, and last, that it is not one whole digit"},
    }
    return recipe.signed(model, VERSION, "Which pieces are whole digits.", values)


def main() -> None:
    """The command line."""
    chosen = recipe.arguments("Train the network that parts lines into digits.", FILE, CARD).parse_args()
    torch.set_num_threads(1)
    material, started = data.load(), time.monotonic()

    cycles = tuple(training.shorter(c, chosen.shorter) for c in training.CYCLES)
    how: dict[str, Any] = {
        "cycles": [asdict(c) for c in cycles],
        "shown": training.SHOWN,
        "torch": torch.__version__.split("+")[0],
        "workers": chosen.workers,
    }

    def told(line: str, net: network.Parter) -> None:
        print(line, flush=True)
        how["seconds"] = round(time.monotonic() - started)
        recipe.keep(chosen.keep, net, how)

    if chosen.weights:
        net = network.Parter()
        how = recipe.restore(chosen.weights, net)
    else:
        net = training.train(cycles, chosen.workers, told)
    recipe.write(export(net, how, material), chosen, card.text)


if __name__ == "__main__":
    main()
