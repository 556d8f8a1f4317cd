"""Draw the architecture from the import rules in pyproject.toml: ``python -m tools.architecture``."""

from __future__ import annotations

import tomllib
from html import escape
from pathlib import Path

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "pictures" / "architecture.svg"

CAPTIONS = {
    "hdr.ui": "everything that knows Streamlit",
    "hdr.cli": "the same work in a terminal",
    "hdr.plots": "figures from plain values",
    "hdr.cluster": "PostgreSQL, S3 and Dask, registered on demand",
    "hdr.jobs": "scheduler, worker processes, quotas, clean-up",
    "hdr.export": "ONNX, scripts, model cards",
    "hdr.classroom": "assignments for a class",
    "hdr.store": "runs, searches, artifacts",
    "hdr.analysis": "calibration, ablation, internals",
    "hdr.tuning": "search space and sampler",
    "hdr.training": "run spec, fitting, metrics",
    "hdr.reading": "drawings and photos to digits",
    "hdr.models": "classifiers, reductions",
    "hdr.features": "extractors",
    "hdr.datasets": "MNIST and others",
    "hdr.preprocessing": "image steps and their pipeline",
    "hdr.catalogue": "one declared function: widget, check, address, JSON, search axis, contract test",
    "hdr.paths": "where files are kept, and how they are written",
    "hdr.images": "one opener for every picture",
    "hdr.settings": "HDR_* settings, with defaults for two profiles",
    "hdr.background": "work in threads, with progress",
    "hdr.types": "shared values",
    "hdr.sanitize": "safe text",
    "hdr.formatting": "numbers as text",
    "hdr.memory": "low memory",
    "hdr.redaction": "no passwords",
    "hdr.entry": "the app's script",
}
"""The second line of each box. A layer without a caption is an error, so that no package is left out."""

WIDTH, LEFT, TOP, HEIGHT, GAP, SIDE = 960, 24, 64, 52, 14, 216
"""Pixels: the picture, its margins, a box, the space between boxes, and the column at the right."""

TITLE = "Imports go down only. Boxes side by side do not import each other."

STYLE = """
  .ground { fill: #ffffff; stroke: #d5d9e0 }
  .box { fill: #eef3fa; stroke: #2b6cb0 }
  .top { fill: #e6f2ea; stroke: #228833 }
  .side { fill: #f6eef6; stroke: #aa3377 }
  .name { fill: #1c2430; font: 600 15px ui-monospace, monospace }
  .caption { fill: #4a5464; font: 13px system-ui, sans-serif }
  .rule { stroke: #4a5464; fill: none; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) {
    .ground { fill: #12151b; stroke: #343b47 }
    .box { fill: #1b2737; stroke: #4c8fd6 }
    .top { fill: #17291d; stroke: #4fae66 }
    .side { fill: #2b1c29; stroke: #d070a8 }
    .name { fill: #e6e9ee }
    .caption { fill: #b3bbc8 }
    .rule { stroke: #b3bbc8 }
  }
"""


def layers() -> list[list[str]]:
    """Read the layers of the import rules, the uppermost first; packages of one layer do not import each other."""
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (found,) = (rule["layers"] for rule in rules if rule["type"] == "layers")
    return [[name.strip() for name in layer.split("|")] for layer in found]


def picture() -> str:
    """Draw the whole picture, as SVG with colours for light and dark pages."""
    rows = layers()
    step, whole = HEIGHT + GAP, WIDTH - 2 * LEFT
    inner, right = whole - GAP - SIDE, WIDTH - LEFT - SIDE
    height = TOP + (len(rows) + 1) * step - GAP + LEFT
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}" '
        'role="img">',
        "<!-- Written by `python -m tools.architecture`; change pyproject.toml or the captions there instead. -->",
        f"<title>{TITLE}</title>",
        f"<style>{STYLE}</style>",
        f'<rect class="ground" x="0.5" y="0.5" width="{WIDTH - 1}" height="{height - 1}" rx="12"/>',
        f'<path class="rule" d="M{LEFT + 4} 20 v18 m-5 -6 l5 6 l5 -6"/>',
        f'<text class="caption" x="{LEFT + 20}" y="34">{TITLE}</text>',
        _box("top", LEFT, TOP, whole, HEIGHT, "streamlit_app.py, pages/", "one short script for each page of the app"),
        # Beside the layers that it neither imports nor is imported by.
        _box("side", right, TOP + 2 * step, SIDE, (len(rows) - 2) * step - GAP, "hdr.plots", CAPTIONS["hdr.plots"]),
    ]
    for number, row in enumerate(rows):
        room = whole if number in (0, len(rows) - 1) else inner
        width = (room - GAP * (len(row) - 1)) / len(row)
        for place, name in enumerate(row):
            x, y = LEFT + place * (width + GAP), TOP + (number + 1) * step
            parts.append(_box("box", x, y, width, HEIGHT, name, CAPTIONS[name]))
    return "\n".join([*parts, "</svg>", ""])


def _box(kind: str, x: float, y: float, width: float, height: float, name: str, caption: str) -> str:
    across, down = x + width / 2, y + height / 2
    return (
        f'<g id="{escape(name, quote=False)}">'
        f'<rect class="{kind}" x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" rx="7"/>'
        f'<text class="name" x="{across:g}" y="{down - 4:g}" text-anchor="middle">{escape(name, quote=False)}</text>'
        f'<text class="caption" x="{across:g}" y="{down + 14:g}" text-anchor="middle">'
        f"{escape(caption, quote=False)}</text></g>"
    )


if __name__ == "__main__":
    PICTURE.write_text(picture(), "utf-8")
