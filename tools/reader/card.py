"""The model card, out of what the file says of itself: no number in it is typed by hand."""

from __future__ import annotations

import json
from typing import Any

import onnxruntime


def metadata(content: bytes) -> dict[str, Any]:
    """What a reader's file says of itself, values parsed."""
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    out: dict[str, Any] = {}
    for name, value in session.get_modelmeta().custom_metadata_map.items():
        try:
            out[name] = json.loads(value)
        except ValueError:
            out[name] = value
    return out


def text(content: bytes) -> str:
    """The card as Markdown, for the content of a reader's file."""
    known = metadata(content)
    parts = (_head(known, len(content)), _table(known), _learnt(known), _rejection(known), _limits(known))
    return "\n\n".join(parts) + "\n"


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"


def _head(known: dict[str, Any], size: int) -> str:
    return f"""\
# The ready-made reader

<!-- Written by tools/train_reader.py from what hdr/reading/reader.onnx says of itself. Change the recipe, not this. -->

A convolutional network of {known["weights"]:,} weights in an ONNX file of {size / 1000:,.0f} kB. It gets a picture of
28 by 28 pixels as the app captures it, and says how probable each of the ten digits is (its temperature,
{known["temperature"]:.3f}, is in the file), and how probable it is that this is a digit at all: below
{known["threshold"]:.4f} it is refused."""


def _table(known: dict[str, Any]) -> str:
    m = known["metrics"]
    test, pen, made = (m["counts"][name] for name in ("mnist_test", "held_out_writers", "negatives"))
    rows = [
        ("MNIST test split, as published", test, "read right", m["mnist_test"]),
        ("MNIST test split, captured anew as pictures", test, "read right", m["mnist_test_framed"]),
        ("The six held-out writers' pen strokes", pen, "read right", m["held_out_writers"]),
        ("MNIST test split", test, "expected calibration error", m["mnist_test_ece"]),
        ("Held-out writers", pen, "expected calibration error", m["held_out_writers_ece"]),
        ("MNIST test split", test, "taken for digits", m["mnist_test_kept"]),
        ("Held-out writers", pen, "taken for digits", m["held_out_writers_kept"]),
        ("Non-digits of kinds it never saw", made, "refused", m["refused"]),
    ]
    lines = ["| measured on | how many | what | |", "|---|---:|---|---:|"]
    lines += [f"| {where} | {count:,} | {what} | {_percent(share)} |" for where, count, what, share in rows]
    writers = ", ".join(f"{writer}: {_percent(share)}" for writer, share in m["by_writer"].items())
    return f"""\
## How good it is

{chr(10).join(lines)}

A digit counts as read right whether or not it would have been refused.

By held-out writer: {writers}.

The commonest confusions over both sets: {"; ".join(m["confusions"])}."""


def _learnt(known: dict[str, Any]) -> str:
    n, how = known["metrics"]["counts"], known["training"]
    made = 4096 * sum(cycle["chunks"] for cycle in how["cycles"])
    hashes = "\n".join(f"- `{name}`: `{value}`" for name, value in known["data_sha256"].items())
    return f"""\
## What it learnt from

- {n["mnist_train"]:,} digits of MNIST's training split. The other {n["mnist_validation"]:,}, chosen by seed, are for
  validation. The test split was measured a few times on the way; choices were made on validation digits.
- {n["pen_train"]:,} digits of 24 writers of the pen strokes, each drawn by the rule of the Draw page. The writers
  {", ".join(map(str, known["held_out_writers"]))} (every fifth) never trained it. They did choose the temperature and
  the threshold, together with MNIST's validation digits, and the recipe was judged on them.
- Digits written from a few points each, in ways that both lack: slashed zeros, ones with flag and foot, barred sevens,
  open and closed fours, looped twos, nines like a g, fives whose bar is apart; the same habits edited into the digits
  above; a few printed digits.
- Made non-digits of {len(known["kinds_seen"])} kinds: {", ".join(known["kinds_seen"])}.

All are slanted, turned, stretched and bent anew each time, drawn with pens from fine to thick, and in part blurred,
thresholded, broken or speckled as scans and photos are. {made:,} samples were made, and each was shown
{how["shown"]} times. That took {how["seconds"] / 60:.0f} minutes on two cores that others used as well (threads that
train: {how["threads"]}; processes that make samples: {how["workers"]}; PyTorch {how["torch"]}). `make reader` does it
again.

{known["attribution"]}

SHA-256 of the data, uncompressed:

{hashes}

Recipe {known["recipe_version"]}; SHA-256 of its source files: `{known["recipe_sha256"]}`."""


def _rejection(known: dict[str, Any]) -> str:
    m = known["metrics"]
    kinds = ", ".join(f"{kind} {100 * share:.0f} %" for kind, share in m["refused_by_kind"].items())
    return f"""\
## How refusal was measured

The threshold is the highest that keeps {_percent(m["kept_wanted"])} of MNIST's validation digits and as many of the
held-out writers' digits.
The {m["counts"]["negatives"]:,} non-digits above are made by the recipe's own generators, but of kinds that never
trained the net. That it refused nearly all of them is why the threshold is as lenient as it is; nothing else was
chosen by them. Refused were: {kinds}.

They are made, not collected: people will scribble what no generator thought of. Letters and signs that somebody's
digits look like (O, l, I, Z, S, b, B, g, q, u, y, D, Q, a slash) do not count as non-digits, and will often be read."""


def _limits(known: dict[str, Any]) -> str:
    habits = known["metrics"]["habits"]
    lines = ["| digit | read right | taken for a digit |", "|---|---:|---:|"]
    lines += [f"| {d} | {_percent(found['read'])} | {_percent(found['kept'])} |" for d, found in habits.items()]
    return f"""\
## Where it fails

The held-out writers' digits with other people's habits edited in, then slanted and bent as in training (the edits are
the recipe's own, so this flatters it):

{chr(10).join(lines)}

- A 1 whose flag is long and flat is a 7 without a bar, and only its writer knows which; a 4 whose top closes is a 9;
  a 9 that is open and hooked is a 5 or a g.
- It learnt digits that are turned by 20 degrees at most: turned further they are read worse or refused.
- Its writers are Americans of the 1990s and thirty people at one Turkish university. It knows other hands less well:
  let it learn yours on the Draw page.
- It knows the digits 0 to 9 only, one in each picture."""
