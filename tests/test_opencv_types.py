"""Whether typings/cv2 says the truth: mypy believes it, and never asks OpenCV."""

import ast
from pathlib import Path

import cv2
import numpy as np
import pytest

STUB = ast.parse((Path(__file__).parents[1] / "typings" / "cv2" / "__init__.pyi").read_text())
FUNCTIONS = {node.name: node for node in STUB.body if isinstance(node, ast.FunctionDef)}

CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
MATRIX = cv2.getRotationMatrix2D((4, 4), 30, 1.0)
GRID = np.stack(np.meshgrid(np.arange(8), np.arange(8)), axis=-1).astype(np.float32)
LINES = [np.array([[1, 1], [6, 6]], np.int32)]

KEPT = {
    "GaussianBlur": lambda p: cv2.GaussianBlur(p, (3, 3), 1.0),
    "addWeighted": lambda p: cv2.addWeighted(p, 0.5, p, 0.5, 0),
    "bilateralFilter": lambda p: cv2.bilateralFilter(p, 3, 9, 9),
    "bitwise_and": lambda p: cv2.bitwise_and(p, p),
    "blur": lambda p: cv2.blur(p, (3, 3)),
    "circle": lambda p: cv2.circle(p, (4, 4), 2, 1.0),
    "copyMakeBorder": lambda p: cv2.copyMakeBorder(p, 1, 1, 1, 1, cv2.BORDER_CONSTANT),
    "dilate": lambda p: cv2.dilate(p, CROSS, iterations=2),
    "erode": lambda p: cv2.erode(p, CROSS),
    "fillPoly": lambda p: cv2.fillPoly(p, LINES, 1.0),
    "line": lambda p: cv2.line(p, (0, 0), (7, 7), 1.0),
    "medianBlur": lambda p: cv2.medianBlur(p, 3),
    "merge": lambda p: cv2.merge([p, p]),
    "min": lambda p: cv2.min(p, p),
    "polylines": lambda p: cv2.polylines(p, LINES, False, 1.0),
    "remap": lambda p: cv2.remap(p, GRID, None, cv2.INTER_LINEAR),
    "resize": lambda p: cv2.resize(p, (4, 4), interpolation=cv2.INTER_AREA),
    "threshold": lambda p: cv2.threshold(p, 5, 9, cv2.THRESH_BINARY)[1],
    "warpAffine": lambda p: cv2.warpAffine(p, MATRIX, (8, 8)),
}
"""A call of every function that keeps the type of the picture it is given."""

MADE = {
    "Canny": (lambda p: cv2.Canny(p, 10, 20), np.uint8),
    "connectedComponents": (lambda p: cv2.connectedComponents(p)[1], np.int32),
    "connectedComponentsWithStats": (lambda p: cv2.connectedComponentsWithStats(p)[2], np.int32),
    "cornerHarris": (lambda p: cv2.cornerHarris(p, 2, 3, 0.04), np.float32),
    "cornerMinEigenVal": (lambda p: cv2.cornerMinEigenVal(p, 2), np.float32),
    "distanceTransform": (lambda p: cv2.distanceTransform(p, cv2.DIST_L2, 3), np.float32),
    "equalizeHist": (cv2.equalizeHist, np.uint8),
    "fastNlMeansDenoising": (lambda p: cv2.fastNlMeansDenoising(p, None, 3, 3, 5), np.uint8),
    "findContours": (lambda p: cv2.findContours(p, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)[0][0], np.int32),
    "getRotationMatrix2D": (lambda p: cv2.getRotationMatrix2D((4, 4), 30, 1.0), np.float64),
    "getStructuringElement": (lambda p: cv2.getStructuringElement(cv2.MORPH_RECT, (3, 3)), np.uint8),
    "goodFeaturesToTrack": (lambda p: cv2.goodFeaturesToTrack(p, 5, 0.01, 1), np.float32),
    "putText": (lambda p: cv2.putText(p, "7", (0, 7), cv2.FONT_HERSHEY_SIMPLEX, 0.3, 1.0), np.uint8),
    "inRange": (lambda p: cv2.inRange(p, 3, 9), np.uint8),
    "invertAffineTransform": (lambda p: cv2.invertAffineTransform(MATRIX), np.float64),
}
"""A call of functions that make a type of their own, and the type."""


@pytest.fixture
def picture():
    return np.random.default_rng(0).integers(0, 255, (8, 8)).astype(np.uint8)


def test_everything_in_it_is_there():
    names = [*FUNCTIONS, *(n.name for n in STUB.body if isinstance(n, ast.ClassDef))]
    names += [n.target.id for n in STUB.body if isinstance(n, ast.AnnAssign)]
    assert len(names) > len(FUNCTIONS) > 30
    assert [name for name in names if not hasattr(cv2, name)] == []


@pytest.mark.parametrize("kind", [np.uint8, np.float32])
@pytest.mark.parametrize("name", KEPT)
def test_a_type_is_kept(name, kind, picture):
    assert KEPT[name](picture.astype(kind)).dtype == kind


def test_every_function_that_keeps_a_type_is_called():
    keeping = {name for name, node in FUNCTIONS.items() if "_N" in ast.unparse(node.returns)}
    assert keeping - {"approxPolyDP"} == set(KEPT)


def test_a_line_with_fewer_points_keeps_its_type():
    line = np.array([[[0, 0]], [[1, 0]], [[5, 0]]], np.float32)
    assert cv2.approxPolyDP(line, 0.5, False).dtype == np.float32


@pytest.mark.parametrize("name", MADE)
def test_a_type_of_its_own(name, picture):
    made, kind = MADE[name]
    assert made(picture).dtype == kind
    assert kind.__name__ in ast.unparse(FUNCTIONS[name].returns)
