"""Pictures side by side under one pointer: the value of a pixel in all of them, and two compared with a divider."""

from __future__ import annotations

import base64
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import streamlit as st

from hdr.plots import html_images
from hdr.types import Stage
from hdr.ui import ASSETS

HINT = "point at a pixel"


@dataclass(frozen=True)
class InspectorPanel:
    """One place in the row.

    Attributes:
        title: a few words over it.
        stages: one picture; for "change" and "divider" two of one size, the earlier or left one first.
        kind: "plain"; "change", the second minus the first; or "divider", both with an edge to drag between them.
        histogram: a picture's address as `pictures.histogram_uri` makes it; empty for none.
        notes: short lines below.
    """

    title: str
    stages: tuple[Stage, ...]
    kind: Literal["plain", "change", "divider"] = "plain"
    histogram: str = ""
    notes: tuple[str, ...] = ()


@st.cache_resource(max_entries=1, show_spinner=False)
def _component():  # noqa: ANN202 - Streamlit names no public type for it
    tables = {display: table.tolist() for display, table in html_images.TABLES.items()}
    return st.components.v2.component(
        "hdr_lens",
        html='<div class="row"></div>',
        css=(ASSETS / "pixel_inspector.css").read_text("utf-8"),
        js=(ASSETS / "pixel_inspector.js").read_text("utf-8").replace('"COLOURS"', json.dumps(tables), 1),
    )


def show(panels: Sequence[InspectorPanel], key: str) -> None:
    """Show the row. The browser follows the pointer by itself, without a request to the server."""
    # A tuple: whether a list is a table Streamlit asks pandas, which nothing else here needs.
    _component()(key=key, data={"panels": tuple(_plain(p) for p in panels), "hint": HINT})


def _plain(panel: InspectorPanel) -> dict[str, Any]:
    return {
        "title": panel.title,
        "kind": panel.kind,
        "display": panel.stages[-1].display,
        "pictures": [_uri(stage) for stage in panel.stages],
        "histogram": panel.histogram,
        "notes": list(panel.notes),
    }


def _uri(stage: Stage) -> str:
    return "data:image/png;base64," + base64.b64encode(html_images.png(html_images.shrunk(stage.image))).decode()
