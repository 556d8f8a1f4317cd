"""Pictures and drawings, taken out of HTML again."""

from __future__ import annotations

import base64
import re
from typing import Any
from xml.etree import ElementTree

import cv2
import numpy as np
from numpy.typing import NDArray

HOSTILE = '"><script>alert(1)</script>'
SVG = "{http://www.w3.org/2000/svg}"


def picture_in(html: str) -> NDArray[np.uint8]:
    """The pixels of the PNG picture in an HTML text: uint8 (h, w), or RGB (h, w, 3)."""
    data = base64.b64decode(re.search(r"data:image/png;base64,([^\"]+)", html)[1])
    found = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    return found if found.ndim == 2 else found[:, :, ::-1]


def drawing_in(html: str) -> str:
    """The SVG text of the picture in an HTML text."""
    return base64.b64decode(re.search(r"data:image/svg\+xml;base64,([^\"]+)", html)[1]).decode()


def elements(html: str, name: str) -> list[dict[str, Any]]:
    """The elements of that name in a drawing, as their attributes; numbers as numbers."""

    def number(text: str) -> float | str:
        return float(text) if re.fullmatch(r"-?\d+(\.\d+)?", text) else text

    found = ElementTree.fromstring(drawing_in(html)).iter(SVG + name)
    return [{key: number(value) for key, value in e.attrib.items()} | {"text": e.text} for e in found]
