"""Pictures of what speaks for an answer, and of digits that were found."""

from __future__ import annotations

import base64
import re
import xml.etree.ElementTree as ElementTree

import cv2
import numpy as np

from hdr.plots import attribution, bounding_boxes
from hdr.plots.bounding_boxes import Found

LINE = np.array([[10.0, 10], [60, 10], [60, 90]])


def content(html: str) -> bytes:
    """What a picture in HTML holds."""
    return base64.b64decode(re.search(r'src="data:image/[a-z+]+;base64,([^"]+)"', html)[1])


def drawn(html: str) -> ElementTree.Element:
    """A drawn picture, which has to be well-formed."""
    return ElementTree.fromstring(content(html))


def test_ink_is_orange_for_blue_against_and_white_for_neither() -> None:
    image, said = np.zeros((28, 28), np.uint8), np.zeros((28, 28))
    image[5:20, [5, 10, 15]] = 255
    said[:, 5], said[:, 10] = 2.0, -2.0
    rgb = cv2.imdecode(np.frombuffer(content(attribution.heat(image, said, 168, "x")), np.uint8), 1)[:, :, ::-1].astype(
        int
    )
    pro, contra, neither, paper = (rgb[40, x * 4 + 2] for x in (5, 10, 15, 22))
    assert pro[0] > pro[2] + 100
    assert contra[2] > contra[0] + 100
    assert np.ptp(neither) < 12 and neither.min() > 230
    assert paper.max() == 0


def test_weak_evidence_is_not_blown_up() -> None:
    weak = drawn(attribution.strokes([LINE], [0.01], 168, "x"))
    strong = drawn(attribution.strokes([LINE], [3.0], 168, "x"))
    first, second = (p[0].get("stroke") for p in (weak, strong))
    assert first != second
    assert all(int(first[k : k + 2], 16) > 220 for k in (1, 3, 5)), "nearly white"


def test_drawings_of_any_size_and_place_fit_their_frame() -> None:
    for scale, shift in ((1, 0), (0.01, 5000), (300, -9000)):
        (line,) = drawn(attribution.strokes([LINE * scale + shift], [1.0], 168, "x"))
        points = np.array([[float(v) for v in p.split(",")] for p in line.get("points").split()])
        assert points.min() >= 0 and points.max() <= attribution.FRAME


def test_a_dot_and_a_change() -> None:
    dot = np.array([[5.0, 5]])
    assert len(drawn(attribution.strokes([dot], [0.0], 168, "x"))) == 1
    assert len(drawn(attribution.change([LINE, dot], [LINE], [LINE + 3], 168, "x"))) == 5


def test_words_are_escaped() -> None:
    assert "<b>" not in attribution.strokes([LINE], [1.0], 168, '"><b>')
    assert "<b>" not in bounding_boxes.on_paper((100, 100), [LINE], 5, "#000", [], '"><b>')


def test_every_found_digit_has_its_box_and_words_within_the_picture() -> None:
    found = [Found((0, 0, 20, 30), 3, "3 · 99%"), Found((85, 40, 14, 20), 4, "4 · 12%", doubted=True)]
    paper = drawn(bounding_boxes.on_paper((100, 100), [LINE], 5, "#000", found, "x"))
    photo = drawn(bounding_boxes.on_photo(np.full((100, 100), 200, np.uint8), found, "x"))
    for picture in (paper, photo):
        texts = [e for e in picture if e.tag.endswith("text")]
        assert [t.text for t in texts] == ["3 · 99%", "4 · 12%"]
        assert all(0 <= float(t.get("x")) < 100 and 0 < float(t.get("y")) < 100 for t in texts)
        assert sum("stroke-dasharray" in e.attrib for e in picture) == 1
