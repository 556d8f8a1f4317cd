"""The model card, out of what the file says of itself: no number in it is typed by hand."""

from __future__ import annotations

from tools.reader.card import metadata
from tools.reader.chunks import CHUNK
from tools.reader.samples import PAGED


def text(content: bytes) -> str:
    """The card as Markdown, for the content of the page reader's file."""
    known = metadata(content)
    m, how = known["metrics"], known["training"]
    cycle, reader = how["cycle"], known["reader"]
    paged = 100 * sum(cycle["way"]["shares"][PAGED:])
    hashes = "\n".join(f"- `{name}`: `{value}`" for name, value in known["data_sha256"].items())
    held_out = ", ".join(map(str, known["held_out_writers"]))
    return f"""\
# The page reader

<!-- Written by tools/train_page_reader.py from what hdr/reading/page_reader.onnx says of itself. Change the recipe, not
this. -->

The network of [the reader](reader.md), trained on for digits of photos and scans: {known["weights"]:,} weights in an
ONNX file of {len(content) / 1000:,.0f} kB. On a page digits are blurred by lens and paper, and what captures them there
makes all pens equally thick. The reader knows such digits less well than drawn ones; trained on with them, it reads
them better, and MNIST's own a little worse. So each has its own network. Its temperature, {known["temperature"]:.3f},
is in the file; what it takes for a digit with a probability below {known["threshold"]:.4f} it refuses.

| measured on | how many | what | this network | the reader |
|---|---:|---|---:|---:|
| digits captured as on pages | {m["digits"]:,} | read right | {_percent(m["read_right"])} | \
{_percent(m["read_right_before"])} |
| the same | {m["digits"]:,} | expected calibration error | {_percent(m["ece"])} | |
| the same | {m["digits"]:,} | taken for digits | {_percent(m["kept"])} | |
| MNIST test split, as published | {m["mnist_digits"]:,} | read right | {_percent(m["mnist_test"])} | \
{_percent(reader["mnist_test"])} |
| non-digits of kinds it never saw | {m["negatives"]:,} | refused | {_percent(m["refused"])} | \
{_percent(reader["refused"])} |

The captured digits are those of MNIST's test split and of the held-out writers, as they wrote them. How well whole
numbers are read is measured with pages that share no code with these, by `python -m benchmarks.made_pages`; the README
has the figures.

## What it learnt from

{cycle["chunks"] * CHUNK:,} samples, each shown {how["shown"]} times: {paged:.0f} % of them are digits of MNIST's
training split and of the pen strokes of 24 writers, slanted, stretched and bent, as large as on a page, blurred,
roughened, and captured by the app's rule for pages; the others are the reader's own samples. The temperature, and the
threshold, which keeps {_percent(m["kept_wanted"])} of the digits, were chosen on MNIST's validation digits and those of
the writers {held_out}, who never trained it, captured likewise. It took {how["seconds"] / 60:.0f} minutes on two cores
(PyTorch {how["torch"]}). `make page-reader` does it again, from the reader's file.

{known["attribution"]}

SHA-256 of the data, uncompressed, and of the reader's file that it began with:

{hashes}

Recipe {known["recipe_version"]}; SHA-256 of its source files: `{known["recipe_sha256"]}`.

## Where it fails

Where the reader does, and where two digits touch: what was cut from a neighbour has lost a tip or kept one, and
that it was not taught.
"""


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"
