"""Shared parts of all training recipes: the command line, and the provenance metadata of the model files."""

from __future__ import annotations

import argparse
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import onnx
import torch

from hdr.paths import write_atomically

ROOT = Path(__file__).parents[1]

ATTRIBUTION = (
    "Trained on MNIST (Y. LeCun, C. Cortes and C. J. C. Burges, The MNIST database of handwritten digits, 1998) and on "
    "Pen-Based Recognition of Handwritten Digits (E. Alpaydin and F. Alimoglu, 1998, UCI Machine Learning Repository, "
    "data set 81, doi:10.24432/C5MG6K, CC BY 4.0; the pen strokes of pendigits-orig.tra, drawn anew and distorted)."
)


def source_hash(folders: Iterable[str], files: Iterable[str]) -> str:
    """SHA-256 of a recipe's own source files, in the order of their paths.

    Args:
        folders: all Python files in them, as paths from the root.
        files: single ones, likewise.
    """
    own = [*(path for folder in folders for path in sorted((ROOT / folder).glob("*.py"))), *(ROOT / f for f in files)]
    found = hashlib.sha256()
    for path in own:
        found.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def signed(model: onnx.ModelProto, version: str, words: str, said: Mapping[str, Any]) -> onnx.ModelProto:
    """The model, saying of itself what made it: texts as they are, all else as JSON."""
    for name, value in said.items():
        model.metadata_props.add(key=name, value=value if isinstance(value, str) else json.dumps(value))
    model.producer_name, model.producer_version, model.doc_string = "hdr", version, words
    return model


def arguments(description: str, file: Path, card: Path) -> argparse.ArgumentParser:
    """The command line that every recipe has."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--shorter", type=int, default=1, help="divide its length by this, to try the recipe out")
    parser.add_argument("--workers", type=int, default=1, help="processes that make samples")
    parser.add_argument("--keep", type=Path, help="file that the weights are kept in while it trains")
    parser.add_argument("--weights", type=Path, help="take the weights that --keep wrote, and do not train")
    parser.add_argument("--out", type=Path, default=file, help="the network's file")
    parser.add_argument("--card", type=Path, default=card, help="the model card")
    return parser


def keep(path: Path | None, net: torch.nn.Module, how: dict[str, Any]) -> None:
    """Keep weights, and how they were trained, for `restore`; nothing where there is no path."""
    if path is not None:
        torch.save({"net": net.state_dict(), "how": how}, path)


def restore(path: Path, net: torch.nn.Module) -> dict[str, Any]:
    """Give a net the weights that `keep` kept; returns how they were trained."""
    saved = torch.load(path, weights_only=True)
    net.load_state_dict(saved["net"])
    net.eval()
    return saved["how"]


def write(model: onnx.ModelProto, chosen: argparse.Namespace, card: Callable[[bytes], str]) -> None:
    """Write the file and its card, and print the card."""
    content = model.SerializeToString()
    write_atomically(chosen.out, content)
    text = card(content)
    write_atomically(chosen.card, text.encode())
    print(text)
