"""Train the network that parts lines into digits, measure it, and write its file and its model card.

    make parter

or, with what is in requirements/train.txt:

    python -m tools.train_parter

The parts are in tools/parter; digits, and how they are bent, are those of the reader's recipe in tools/reader.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import onnx
import torch

from hdr.home import write_atomically
from tools.parter import card, measures, network, training
from tools.reader import data
from tools.train_reader import ATTRIBUTION, ROOT

FILE = ROOT / "hdr" / "reading" / "parter.onnx"
CARD = ROOT / "docs" / "parter.md"

VERSION = "2"
"""Of the recipe: counted up when it is changed and the file made anew."""


def recipe_hash() -> str:
    """SHA-256 of the recipe's source files and of those that cut lines into pieces, in the order of their paths."""
    reading = ROOT / "hdr" / "reading"
    own = [*sorted((ROOT / "tools" / "parter").glob("*.py")), *(reading / f"{n}.py" for n in ("splitting", "windows"))]
    found = hashlib.sha256()
    for path in own:
        found.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def export(net: network.Parter, how: dict[str, Any], material: data.Material) -> onnx.ModelProto:
    """Calibrate the net, measure the file as it will be run, and write down what made it."""
    temperature = measures.chosen_temperature(net, material)
    model = network.to_onnx(net, temperature)
    values = {
        "recipe_version": VERSION,
        "recipe_sha256": recipe_hash(),
        "data_sha256": material.hashes,
        "held_out_writers": data.HELD_OUT,
        "temperature": round(temperature, 4),
        "metrics": measures.measure(model.SerializeToString(), material),
        "training": how,
        "weights": sum(p.numel() for p in net.parameters()),
        "attribution": ATTRIBUTION,
        "input": "uint8 (n, 2, 32, 48): a piece's own ink and that around it, by hdr/reading/windows.py",
        "outputs": {"probabilities": "float32 (n, 11): of each digit, and last, that it is not one whole digit"},
    }
    for name, value in values.items():
        model.metadata_props.add(key=name, value=value if isinstance(value, str) else json.dumps(value))
    model.producer_name, model.producer_version, model.doc_string = "hdr", VERSION, "Which pieces are whole digits."
    return model


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train the network that parts lines into digits.")
    parser.add_argument("--shorter", type=int, default=1, help="divide its length by this, to try the recipe out")
    parser.add_argument("--workers", type=int, default=1, help="processes that make samples")
    parser.add_argument("--keep", type=Path, help="file that the weights are kept in while it trains")
    parser.add_argument("--weights", type=Path, help="take the weights that --keep wrote, and do not train")
    parser.add_argument("--out", type=Path, default=FILE, help="the network's file")
    parser.add_argument("--card", type=Path, default=CARD, help="the model card")
    chosen = parser.parse_args()
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
        if chosen.keep is not None:
            torch.save({"net": net.state_dict(), "how": how}, chosen.keep)

    if chosen.weights:
        saved = torch.load(chosen.weights, weights_only=True)
        net, how = network.Parter(), saved["how"]
        net.load_state_dict(saved["net"])
    else:
        net = training.train(cycles, chosen.workers, told)
    content = export(net, how, material).SerializeToString()
    write_atomically(chosen.out, content)
    text = card.text(content)
    write_atomically(chosen.card, text.encode())
    print(text)


if __name__ == "__main__":
    main()
