"""Train the network that finds digits and marks on pages, measure it, and write its file and its model card.

    make detector

or, with the packages of requirements/train.txt:

    python -m tools.train_detector --keep FILE

With `--keep` it writes a checkpoint, and the same command resumes from there. The parts are in tools/detector.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import onnx
import torch

from tools import recipe
from tools.detector import card, measures, network, training
from tools.detector.digits import material
from tools.reader import data
from tools.recipe import ROOT

FILE = ROOT / "hdr" / "reading" / "detector.onnx"
CARD = ROOT / "docs" / "detector.md"

VERSION = "1"
"""Of the recipe: counted up when it is changed and the file made again."""

SPANISH = (
    " It also learnt from half of the writers of UJI Pen Characters, version 2 (D. Llorens and others, 2008, UCI "
    "Machine Learning Repository, CC BY 4.0)."
)


def export(net: network.Detector, how: dict[str, Any]) -> onnx.ModelProto:
    """Measure the file as it will be run, and write down what made it."""
    model = network.to_onnx(net)
    values = {
        "recipe_version": VERSION,
        "recipe_sha256": recipe.source_hash(("tools/detector",), ()),
        "data_sha256": material().hashes,
        "held_out_writers": data.HELD_OUT,
        "metrics": measures.measure(model.SerializeToString()),
        "training": how,
        "weights": sum(p.numel() for p in net.parameters()),
        "attribution": recipe.ATTRIBUTION + SPANISH,
        "input": "float32 (n, 1, 16 h, 16 w), evened by hdr/reading/detector.py",
        "outputs": {
            "peaks": "float32 (n, 6, 4 h, 4 w): how probable each kind is, where more so than around",
            "rest": "float32 (n, 14, 4 h, 4 w): scores of ten digits, and the box",
        },
    }
    return recipe.signed(model, VERSION, "Where a page has digits and marks.", values)


def main() -> None:
    """The command line."""
    parser = recipe.arguments("Train the network that finds digits and marks on pages.", FILE, CARD)
    parser.add_argument("--threads", type=int, default=1, help="threads that train, beside the workers")
    parser.add_argument("--start", type=Path, help="begin with the weights of this checkpoint")
    chosen = parser.parse_args()
    torch.set_num_threads(chosen.threads)
    plans = tuple(training.shorter(plan, chosen.shorter) for plan in training.PLANS)

    def told(line: str) -> None:
        print(line, flush=True)

    if chosen.weights:
        net, seconds = training.restored(chosen.weights)
    else:
        net, seconds = training.train(plans, chosen.workers, told, chosen.keep, chosen.start)
    how = {
        "plans": [asdict(plan) for plan in plans],
        "torch": torch.__version__.split("+")[0],
        "workers": chosen.workers,
        "seconds": round(seconds),
    }
    recipe.write(export(net, how), chosen, card.text)


if __name__ == "__main__":
    main()
