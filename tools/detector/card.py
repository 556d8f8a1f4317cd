"""The model card, made from the metadata of the file: no number in it is typed by hand."""

from __future__ import annotations

from tools.detector.training import CHUNK
from tools.reader.card import metadata


def text(content: bytes) -> str:
    """The card as Markdown, for the content of the detector's file."""
    known = metadata(content)
    m, how = known["metrics"], known["training"]
    seen = sum(plan["chunks"] * plan["shown"] for plan in how["plans"]) * CHUNK
    made = sum(plan["chunks"] for plan in how["plans"]) * CHUNK
    hashes = "\n".join(f"- `{name}`: `{value}`" for name, value in known["data_sha256"].items())
    held_out = ", ".join(map(str, known["held_out_writers"]))
    return f"""\
# The detector

<!-- Written by tools/train_detector.py from what hdr/reading/detector.onnx says of itself. Change that, not this. -->

A fully convolutional network of {known["weights"]:,} weights in an ONNX file of {len(content) / 1000:,.0f} kB. It sees
a grey page at two or more sizes and says where digits are, which ones, and where marks are that are no digits: points
and commas, dashes, slashes, colons and others. For each place at a quarter of the size it gives how probable the
middle of each kind is there, scores of the ten digits, and a box (X. Zhou, D. Wang and P. Krähenbühl, Objects as
Points, 2019).

| on {m["samples"]:,} made pieces of pages with digits that it never saw | |
|---|---:|
| of {m["digits"]:,} digits, found | {100 * m["digits_found"]:.2f} % |
| found and read right | {100 * m["digits_read"]:.2f} % |
| of {m["marks"]:,} marks, found | {100 * m["marks_found"]:.2f} % |
| digits found where there are none, for each digit | {100 * m["false_digits"]:.2f} % |

How well whole numbers are read is measured with other pages, which share no code with these, by
`python -m benchmarks.made_pages`; the README has the figures.

## What it learnt from

{made:,} made pieces of pages, {seen:,} times shown: digits of MNIST's training split, as they are or drawn along
their middle with other pens, and pen strokes of two collections stand apart, touch or are joined, on plain, ruled,
squared and printed paper, in uneven light, in either polarity, blurred, shrunk and compressed, with marks, letters and
stray strokes among them. 5,000 digits of MNIST's training split, its test split and the writers
{held_out} of the pen strokes never trained it. It took {how["seconds"] / 60:.0f} minutes on two cores that others used
as well (PyTorch {how["torch"]}). `make detector` does it again.

{known["attribution"]}

SHA-256 of the data, uncompressed:

{hashes}

Recipe {known["recipe_version"]}; SHA-256 of its source files: `{known["recipe_sha256"]}`.

## Where it fails

- Digits that are less than 9 pixels high, and pages that lie on their side.
- Where one digit covers another, or where two run into each other so that people read them by sense only.
- Letters that look like digits.
"""
