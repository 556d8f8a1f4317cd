"""What the canvas sends. The objects were recorded from streamlit-drawable-canvas 0.13 in Chromium."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdr.preprocessing.size_normalisation import CaptureError
from hdr.reading import strokes_from_canvas

PATH = [
    ["M", 79.98, 90],
    ["Q", 80, 90, 87.5, 90],
    ["Q", 95, 90, 102.5, 90],
    ["Q", 110, 90, 117.5, 90],
    ["Q", 125, 90, 132.5, 90],
    ["Q", 140, 90, 135, 103.5],
    ["Q", 130, 117, 125, 131],
    ["Q", 120, 145, 110, 172.5],
    ["L", 99.98, 200.02],
]


def stroke(**changes: Any) -> dict[str, Any]:
    """The recorded stroke, from 80, 90 over 140, 90 to 100, 200, with what the edit tool changed."""
    recorded = {
        "type": "Path",
        "version": "7.4.0",
        "originX": "center",
        "originY": "center",
        "left": 109.2323,
        "top": 145.01,
        "width": 58.5047,
        "height": 110.02,
        "strokeWidth": 20,
        "scaleX": 1,
        "scaleY": 1,
        "angle": 0,
        "flipX": False,
        "flipY": False,
        "skewX": 0,
        "skewY": 0,
        "path": PATH,
    }
    return recorded | changes


def ends(item: dict[str, Any]) -> np.ndarray:
    """The first and the last point."""
    (points,) = strokes_from_canvas([item])
    return points[[0, -1]]


def test_a_stroke_lies_where_it_was_drawn() -> None:
    (points,) = strokes_from_canvas([stroke()])
    assert points.dtype == np.float64 and points.shape[1] == 2
    assert points[[0, -1]] == pytest.approx(np.array([[79.98, 90], [99.98, 200.02]]), abs=0.05)
    assert points[:, 0].max() == pytest.approx(138, abs=2)
    assert np.hypot(*np.diff(points, axis=0).T).max() < 15


def test_moved() -> None:
    assert ends(stroke(left=139.2323, top=165.01)) == pytest.approx(np.array([[110, 110], [130, 220]]), abs=0.1)


def test_scaled_and_turned() -> None:
    # Read off the canvas's picture.
    scaled = stroke(left=147.6081, top=178.8819, scaleX=1.2134, scaleY=1.2134)
    assert ends(scaled) == pytest.approx(np.array([[112.1, 112.1], [136.4, 245.6]]), abs=0.2)
    assert ends(scaled | {"angle": 21.8141}) == pytest.approx(np.array([[139.5, 103.7], [112.4, 236.7]]), abs=0.2)


def test_flipped() -> None:
    plain, flipped = ends(stroke()), ends(stroke(flipX=True))
    assert flipped[:, 0] == pytest.approx(2 * 109.2323 - plain[:, 0], abs=0.05)
    assert flipped[:, 1] == pytest.approx(plain[:, 1])


def test_skewed() -> None:
    plain, skewed = ends(stroke()), ends(stroke(skewX=45))
    assert skewed[:, 0] == pytest.approx(plain[:, 0] + plain[:, 1] - 145.01, abs=0.05)


def test_a_corner_as_origin_as_older_versions_send_it() -> None:
    corner = stroke(originX="left", originY="top", left=109.2323 - 39.2523, top=145.01 - 65.01)
    assert ends(corner) == pytest.approx(ends(stroke()), abs=0.05)


def test_a_stroke_without_a_place_stays_where_it_was_drawn() -> None:
    assert ends({"type": "path", "path": PATH}) == pytest.approx(ends(stroke()), abs=0.05)


def test_a_click_is_a_dot() -> None:
    dot = {"type": "Path", "left": 220, "top": 220, "strokeWidth": 20, "path": [["M", 219.98, 220], ["L", 220.02, 220]]}
    (points,) = strokes_from_canvas([dot])
    assert np.abs(points - 220).max() < 0.1


def test_a_single_point_is_a_dot() -> None:
    (points,) = strokes_from_canvas([{"type": "Path", "path": [["M", 5, 6]]}])
    assert (points == [5, 6]).all()


def test_what_is_not_a_stroke_is_left_out() -> None:
    others: list[Any] = [
        {"type": "Circle", "radius": 5},
        {"type": "IText", "text": "7"},
        None,
        3,
        {},
        {"type": ["Path"]},
    ]
    assert strokes_from_canvas(others) == [] == strokes_from_canvas([]) == strokes_from_canvas(None)
    assert len(strokes_from_canvas([*others, stroke()])) == 1


@pytest.mark.parametrize(
    "objects",
    [
        "objects",
        {"objects": []},
        [{}] * 501,
        [{"type": "Path"}],
        [stroke(path=[])],
        [stroke(path="M 1 2 L 3 4")],
        [stroke(path=[["Q", 1, 2, 3, 4]])],
        [stroke(path=[["M", 1]])],
        [stroke(path=[["M", 1, 2], ["M", 3, 4]])],
        [stroke(path=[["M", 1, 2], ["C", 1, 2, 3, 4, 5, 6]])],
        [stroke(path=[["M", 1, 2], [["L"], 3, 4]])],
        [stroke(path=[["M", "1", 2]])],
        [stroke(path=[["M", True, 2]])],
        [stroke(path=[["M", float("nan"), 2]])],
        [stroke(path=[["M", float("inf"), 2]])],
        [stroke(path=[["M", 10**5000, 2]])],
        [stroke(path=[["M", 0, 0], *[["L", 1, 1]] * 6000])],
        [stroke(path=[["M", 0, 0], *[["L", 1, 1]] * 3000])] * 2,
        [stroke(left="5")],
        [stroke(scaleX=1e99)],
        [stroke(scaleX=9e4)],
        [stroke(skewX=90)],
        [stroke(angle=None, top=[])],
    ],
)
def test_hostile_objects_are_refused(objects: Any) -> None:
    with pytest.raises(CaptureError):
        strokes_from_canvas(objects)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["M", "Q", "L"]),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=12,
)


@given(
    st.lists(
        st.fixed_dictionaries(
            {"type": st.sampled_from(["Path", "path", "Circle"]), "path": ANYTHING | st.just(PATH)},
            optional={
                k: ANYTHING for k in ("left", "top", "angle", "scaleX", "flipX", "skewY", "originX", "strokeWidth")
            },
        )
        | ANYTHING,
        max_size=4,
    )
    | ANYTHING
)
def test_anything_gives_strokes_or_a_capture_error(objects: Any) -> None:
    try:
        strokes = strokes_from_canvas(objects)
    except CaptureError:
        return
    assert all(s.dtype == np.float64 and s.shape[1] == 2 and len(s) and np.isfinite(s).all() for s in strokes)
