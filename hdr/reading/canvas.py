"""What the drawing canvas sends, as strokes.

The canvas is fabric.js 7 inside streamlit-drawable-canvas 0.13. A stroke is an object of type "Path" whose `path` holds
the points where they were drawn, in pixels of the canvas: ``["M", x, y]``, then ``["Q", control x, y, end x, y]``, and
a last ``["L", x, y]``. Moving, scaling and turning a stroke leave these as they are and change `left`, `top`, `scaleX`,
`scaleY`, `angle`, `flipX`, `flipY` and the skews, which say where the middle of the path's bounding box goes and what
happens around it.
"""

from __future__ import annotations

from math import cos, radians, sin, tan
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hdr.catalogue import shorten
from hdr.preprocessing.size_normalisation import MAX_POINTS, CaptureError
from hdr.types import Strokes

CURVE_POINTS = 4
"""Points into which each curve is cut; the mouse reports every few pixels, so that a curve is short."""

MOST_OBJECTS = 500
"""Most objects that a drawing may have."""

_FARTHEST = 1e5
_LENGTHS = {"M": 3, "L": 3, "Q": 5}
_ORIGINS = {"left": -0.5, "top": -0.5, "center": 0.0, "right": 0.5, "bottom": 0.5}
_T = (np.arange(1, CURVE_POINTS + 1) / CURVE_POINTS)[None, :, None]


def strokes_from_canvas(objects: object) -> Strokes:
    """The strokes of a drawing, where a person sees them.

    Args:
        objects: ``json_data["objects"]``. Objects that are not strokes (text, circles) are left out.

    Returns:
        One float64 (points, 2) array per stroke, in pixels of the canvas, y down. A click without a move is a stroke
        that hardly extends.

    Raises:
        CaptureError: it is not a list of objects, a stroke holds what cannot be drawn, or there is too much of it.
    """
    if objects is None:
        return []
    if not isinstance(objects, list):
        raise CaptureError(f"A drawing is a list of objects, not a {type(objects).__name__}.")
    if len(objects) > MOST_OBJECTS:
        raise CaptureError(f"The drawing has {len(objects)} objects; at most {MOST_OBJECTS} are allowed.")
    paths = [o for o in objects if isinstance(o, dict) and o.get("type") in ("path", "Path")]
    commands = sum(len(o["path"]) for o in paths if isinstance(o.get("path"), list))
    if commands > MAX_POINTS // CURVE_POINTS:
        raise CaptureError(f"The drawing has {commands} curves; at most {MAX_POINTS // CURVE_POINTS} are allowed.")
    return [_stroke(o) for o in paths]


def _stroke(item: dict[str, Any]) -> NDArray[np.float64]:
    curves = _curves(item.get("path"))
    start, control, end = curves[:, None, 0:2], curves[:, None, 2:4], curves[:, None, 4:6]
    drawn = (1 - _T) ** 2 * start + 2 * _T * (1 - _T) * control + _T**2 * end
    points = np.concatenate([curves[:1, 0:2], drawn.reshape(-1, 2)])
    # fabric.js takes the box of a quadratic curve as that of a cubic with both controls in one place.
    outline = (1 - _T) ** 3 * start + 3 * _T * (1 - _T) * control + _T**3 * end
    outline = np.concatenate([curves[:, 0:2], outline.reshape(-1, 2)])
    low, high = outline.min(axis=0), outline.max(axis=0)
    moved = (points - (low + high) / 2) @ _matrix(item).T + _centre(item, (low + high) / 2, high - low)
    if not (np.abs(moved) < _FARTHEST).all():
        raise CaptureError(f"A stroke lies farther than {_FARTHEST:g} pixels from the canvas.")
    return moved


def _curves(path: object) -> NDArray[np.float64]:
    """Start, control and end of each piece, float64 (n, 6); a line's control is its middle."""
    if not isinstance(path, list) or not path:
        raise CaptureError("A stroke has no points: its path is to be a list of commands.")
    found, here = [], None
    for command in path:
        name = command[0] if isinstance(command, list) and command else None
        if not isinstance(name, str) or _LENGTHS.get(name) != len(command) or (name == "M") != (here is None):
            raise CaptureError(f"A stroke's path is M x y, then Q x y x y or L x y, not {shorten(command)!r}.")
        values = [_number(v) for v in command[1:]]
        end = values[-2:]
        if here is None:
            here = end
        middle = values[:2] if name == "Q" else [(here[0] + end[0]) / 2, (here[1] + end[1]) / 2]
        # The first command is a point by itself, so that a path of one point is one, too.
        found.append([*here, *middle, *end])
        here = end
    return np.array(found[1:] or found)


def _matrix(item: dict[str, Any]) -> NDArray[np.float64]:
    angle = radians(_value(item, "angle", 0.0))
    turn = np.array([[cos(angle), -sin(angle)], [sin(angle), cos(angle)]])
    scale = np.diag(_scale(item))
    skew_x = np.array([[1.0, tan(radians(_value(item, "skewX", 0.0)))], [0.0, 1.0]])
    skew_y = np.array([[1.0, 0.0], [tan(radians(_value(item, "skewY", 0.0))), 1.0]])
    return turn @ scale @ skew_x @ skew_y


def _scale(item: dict[str, Any]) -> list[float]:
    signs = [-1.0 if item.get(name) is True else 1.0 for name in ("flipX", "flipY")]
    return [signs[0] * _value(item, "scaleX", 1.0), signs[1] * _value(item, "scaleY", 1.0)]


def _centre(item: dict[str, Any], middle: NDArray[np.float64], extent: NDArray[np.float64]) -> NDArray[np.float64]:
    """Where the middle of the path's box is on the canvas; an object without a place stays where it was drawn."""
    if item.get("left") is None or item.get("top") is None:
        return middle
    place = np.array([_value(item, "left", 0.0), _value(item, "top", 0.0)])
    origin = np.array([_origin(item, "originX"), _origin(item, "originY")])
    if not origin.any():
        return place
    angle = radians(_value(item, "angle", 0.0))
    turn = np.array([[cos(angle), -sin(angle)], [sin(angle), cos(angle)]])
    return place - turn @ (origin * (extent + _value(item, "strokeWidth", 0.0)) * np.abs(_scale(item)))


def _origin(item: dict[str, Any], name: str) -> float:
    value = item.get(name, "center")
    return _ORIGINS.get(value, 0.0) if isinstance(value, str) else 0.0


def _value(item: dict[str, Any], name: str, default: float) -> float:
    value = item.get(name)
    return default if value is None else _number(value)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not -_FARTHEST < value < _FARTHEST:
        raise CaptureError(
            f"A stroke is made of numbers between {-_FARTHEST:g} and {_FARTHEST:g}, not {shorten(value)!r}."
        )
    return float(value)
