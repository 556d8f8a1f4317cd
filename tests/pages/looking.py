"""What tests of the Preprocess page look at and click."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from streamlit.testing.v1 import AppTest

from hdr.preprocessing import Pipeline
from tests.pages.conftest import healthy, text


def steps(app: AppTest) -> list[str]:
    """The names of the steps in the address."""
    return [s.name for s in Pipeline.from_text(app.query_params["chain"]).steps]


def titles(app: AppTest) -> list[str]:
    """The titles of the steps in the strip."""
    shown = (b for b in app.button if (b.key or "").startswith("select-"))
    return [b.label for b in sorted(shown, key=lambda b: int(b.key.split("-")[1]))]


def decoded(data: str) -> NDArray[np.uint8]:
    """The grey values of a PNG picture in base64."""
    return cv2.imdecode(np.frombuffer(base64.b64decode(data), np.uint8), cv2.IMREAD_GRAYSCALE)


def images(app: AppTest, width: int) -> list[NDArray[np.uint8]]:
    """The grey pictures that are so many pixels wide on the page, in its order."""
    found = re.findall(rf'<img class="hdr-digit[^>]*width:{width}px[^>]*image/png;base64,([^"]+)"', text(app))
    return [decoded(f) for f in found]


def pictures(app: AppTest) -> list[NDArray[np.uint8]]:
    """The grey pictures of the strip, the source first."""
    return images(app, 140)


def panels(app: AppTest) -> list[dict[str, Any]]:
    """The large pictures: title, kind, pictures as grey values, notes."""
    (lens,) = app.get("bidi_component")
    found = json.loads(lens.proto.json)["panels"]
    return [p | {"pictures": [decoded(uri.split(",")[1]) for uri in p["pictures"]]} for p in found]


def select(app: AppTest, index: int) -> AppTest:
    """Show a step large."""
    return click(app, f"select-{index}")


def add(app: AppTest, name: str) -> AppTest:
    """Add a step from the menu, which holds its buttons only while it is open."""
    app.session_state["add_menu"] = True
    return click(app.run(), f"add-{name}")


def click(app: AppTest, key: str) -> AppTest:
    """Click a button and check that nothing went wrong."""
    app.button(key=key).click().run()
    healthy(app)
    return app


def look_at(app: AppTest, source: str) -> AppTest:
    """Choose a data set, the drawing or a photo."""
    app.get("segmented_control")[0].set_value(source).run()
    healthy(app)
    return app


def disturb(app: AppTest, key: str = "gaussian_noise.sigma", value: float = 40) -> AppTest:
    """Move the slider of a disturbance."""
    app.slider(key=key).set_value(value).run()
    healthy(app)
    return app


def open_tab(app: AppTest, name: str) -> AppTest:
    """Open one of the tabs below."""
    app.session_state["closer"] = name
    app.run()
    healthy(app)
    return app
