"""Train the ready-made reader, measure it, and write its file and its model card.

    make reader

or, with what is in requirements/train.txt:

    python -m tools.train_reader

The parts are in tools/reader. Everything that is random follows from one seed. On another processor, or with another
version of PyTorch, sums are rounded in another way, and the weights come out a little different.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch

from hdr.home import write_atomically
from tools.reader import card, data, measures, negatives, network, training

ROOT = Path(__file__).parents[1]
FILE = ROOT / "hdr" / "reading" / "reader.onnx"
CARD = ROOT / "docs" / "reader.md"

VERSION = "1"
"""Of the recipe: counted up when it is changed and the file made anew."""

ATTRIBUTION = (
    "Trained on MNIST (Y. LeCun, C. Cortes and C. J. C. Burges, The MNIST database of handwritten digits, 1998) and on "
    "Pen-Based Recognition of Handwritten Digits (E. Alpaydin and F. Alimoglu, 1998, UCI Machine Learning Repository, "
    "data set 81, doi:10.24432/C5MG6K, CC BY 4.0; the pen strokes of pendigits-orig.tra, drawn anew and distorted)."
)


def recipe_hash() -> str:
    """SHA-256 of the recipe's own source files, the capture rule's among them, in the order of their paths."""
    own = [*sorted((ROOT / "tools" / "reader").glob("*.py")), ROOT / "hdr" / "preprocessing" / "capture.py"]
    found = hashlib.sha256()
    for path in own:
        found.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


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
        if kept is not None:
            torch.save({"net": net.state_dict(), "how": how}, kept)

    return training.train(cycles, workers, told), how


def restored(path: Path) -> tuple[network.Reader, dict[str, Any]]:
    """The net and how it was trained, from a file that `train` kept."""
    saved = torch.load(path, weights_only=True)
    net = network.Reader()
    net.load_state_dict(saved["net"])
    return net.eval(), saved["how"]


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
        "recipe_sha256": recipe_hash(),
        "data_sha256": material.hashes,
        "held_out_writers": data.HELD_OUT,
        "threshold": metrics.pop("threshold"),
        "temperature": round(temperature, 4),
        "metrics": metrics,
        "kinds_seen": negatives.SEEN,
        "kinds_unseen": negatives.UNSEEN,
        "training": how,
        "weights": sum(p.numel() for p in net.parameters()),
        "attribution": ATTRIBUTION,
        "input": "uint8 (n, 28, 28), ink 255 on 0, by the rule in hdr/preprocessing/capture.py",
        "outputs": {
            "probabilities": "float32 (n, 10), of each digit, given that it is one",
            "digit": "float32 (n,), the probability that it is a digit; below the threshold it is refused",
            "features": "float32 (n, d), the last layer before the answer",
        },
    }
    for name, value in values.items():
        model.metadata_props.add(key=name, value=value if isinstance(value, str) else json.dumps(value))
    model.producer_name, model.producer_version, model.doc_string = "hdr", VERSION, "The ready-made reader of digits."
    return model


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description="Train the ready-made reader.")
    parser.add_argument("--shorter", type=int, default=1, help="divide its length by this, to try the recipe out")
    parser.add_argument("--workers", type=int, default=1, help="processes that make samples")
    parser.add_argument("--threads", type=int, default=1, help="threads that train")
    parser.add_argument("--keep", type=Path, help="file that the weights are kept in while it trains")
    parser.add_argument("--weights", type=Path, help="take the weights that --keep wrote, and do not train")
    parser.add_argument("--out", type=Path, default=FILE, help="the reader's file")
    parser.add_argument("--card", type=Path, default=CARD, help="the model card")
    parser.add_argument("--convert", type=Path, nargs=2, metavar=("FROM", "TO"), help="only convert UCI's pen strokes")
    chosen = parser.parse_args()
    if chosen.convert:
        print(f"{data.convert(*chosen.convert)} digits written to {chosen.convert[1]}")
        return
    torch.set_num_threads(chosen.threads)
    material = data.load()
    if chosen.weights:
        net, how = restored(chosen.weights)
    else:
        cycles = tuple(training.shorter(c, chosen.shorter) for c in training.CYCLES)
        net, how = train(material, cycles, chosen.workers, chosen.keep)
    content = export(net, how, material).SerializeToString()
    write_atomically(chosen.out, content)
    text = card.text(content)
    write_atomically(chosen.card, text.encode())
    print(text)


if __name__ == "__main__":
    main()
