"""The model card, out of what the file says of itself: no number in it is typed by hand."""

from __future__ import annotations

from tools.parter.samples import CHUNK
from tools.reader.card import metadata


def text(content: bytes) -> str:
    """The card as Markdown, for the content of the parter's file."""
    known = metadata(content)
    m, how = known["metrics"], known["training"]
    pieces = sum(c["chunks"] for c in how["cycles"]) * CHUNK
    hashes = "\n".join(f"- `{name}`: `{value}`" for name, value in known["data_sha256"].items())
    held_out = ", ".join(map(str, known["held_out_writers"]))
    return f"""\
# The parter

<!-- Written by tools/train_parter.py from what hdr/reading/parter.onnx says of itself. Change the recipe, not this. -->

A convolutional network of {known["weights"]:,} weights in an ONNX file of {len(content) / 1000:,.0f} kB, beside
[the reader](reader.md). In a line of writing every run of pieces of ink may be a digit. The parter looks at one such
run and at what stands around it, 32 by 48 pixels, and says which digit it is, or that it is not one whole digit: a part
of one, or parts of several. The way through the line on which all digits are the most probable is taken.

| on made lines of digits that it never saw | how many | |
|---|---:|---:|
| whole digits | {m["digits"]:,} | {100 * m["taken_for_digits"]:.2f} % taken for digits |
| whole digits | {m["digits"]:,} | {100 * m["read_right"]:.2f} % read right |
| parts of digits, and parts of several | {m["others"]:,} | {100 * m["others_refused"]:.2f} % refused |
| all of them | {m["digits"] + m["others"]:,} | {100 * m["ece"]:.2f} % expected calibration error |

How well whole numbers are read is measured with other lines, which share no code with these, by
`python -m benchmarks.made_pages`; the README has the figures.

## What it learnt from

{pieces:,} pieces, each shown {how["shown"]} times, of made lines: digits of MNIST's training split, in
the last cycle some of them drawn anew with other pens, and of the pen strokes of 24 writers stand apart, close
together, over each other's feet, or touch; they lean, rise and fall, and are crossed by what is none of them. Lines are
cut as the app cuts them. MNIST's test split and the writers
{held_out} never trained it. It took {how["seconds"] / 60:.0f} minutes on two cores that others used as well
(PyTorch {how["torch"]}). `make parter` does it again.

{known["attribution"]}

SHA-256 of the data, uncompressed:

{hashes}

Recipe {known["recipe_version"]}; SHA-256 of its source files: `{known["recipe_sha256"]}`.

## Where it fails

- Where two digits run into each other so that the place between them cannot be seen, or where one covers the other.
- A 4 whose halves stand apart beside a 1, a 5 whose bar touches its neighbour: what people read by sense, it does not.
- It knows lines of digits only. Letters are parted as if they were digits, and the reader has to refuse them.
"""
