"""Windows around pieces of lines: own ink, the others' ink, and nothing of size, place or order."""

from __future__ import annotations

import cv2
import numpy as np

from hdr.reading.splitting import to_atoms
from hdr.reading.windows import HEIGHT, WIDTH, stroke_windows, windows


def two_bars() -> np.ndarray:
    ink = np.zeros((100, 200), np.uint8)
    cv2.line(ink, (40, 10), (40, 90), 255, 10)
    cv2.line(ink, (100, 10), (100, 90), 200, 10)
    return ink


def test_own_ink_and_that_of_others_are_apart_and_all_there() -> None:
    ink = two_bars()
    atoms = to_atoms(ink)
    left, right, both = windows(ink, atoms, np.array([[0, 1], [1, 2], [0, 2]]))
    assert left.shape == (2, HEIGHT, WIDTH) and left.dtype == np.uint8
    middle = WIDTH // 2
    assert left[0, HEIGHT // 2, middle] == 255 and not left[0, :, middle + 5 :].any()
    assert left[1, :, middle + 10 :].any() and not left[1, :, : middle + 10].any()
    assert right[0, HEIGHT // 2, middle] == 200 and right[1, :, :middle].any()
    assert both[0].any() and not both[1].any()


def test_none_at_all() -> None:
    ink = two_bars()
    assert windows(ink, to_atoms(ink), np.zeros((0, 2), np.int64)).shape == (0, 2, HEIGHT, WIDTH)
    assert stroke_windows([np.zeros((1, 2))], 1.0, np.zeros((0, 2), np.int64)).shape == (0, 2, HEIGHT, WIDTH)


def test_size_and_place_of_strokes_do_not_matter() -> None:
    strokes = [np.array([[0.0, 0], [5, 80]]), np.array([[40.0, 0], [60, 40], [40, 80]]), np.array([[90.0, 40]])]
    spans = np.array([[0, 1], [1, 2], [1, 3]])
    found = stroke_windows(strokes, 80.0, spans)
    moved = stroke_windows([s * 3.0 + [1000, -500] for s in strokes], 240.0, spans)
    assert np.abs(found.astype(int) - moved).max() <= 16
    assert found[:, 0].any(axis=(1, 2)).all() and found[:, 1].any(axis=(1, 2)).all()


def test_strokes_look_as_their_ink_does() -> None:
    strokes = [np.array([[40.0, 10], [40, 90]]), np.array([[100.0, 10], [100, 90]])]
    ink = np.zeros((100, 200), np.uint8)
    for stroke in strokes:
        cv2.line(ink, *stroke.astype(int).tolist(), 255, 10, cv2.LINE_AA)
    spans = np.array([[0, 1], [1, 2]])
    drawn, inked = stroke_windows(strokes, 80.0, spans), windows(ink, to_atoms(ink), spans)
    assert np.abs(drawn.astype(int) - inked).mean() < 4


def test_a_stroke_that_runs_far_away_is_cut_off() -> None:
    far = [np.array([[0.0, 0], [1e5, 1e5]]), np.array([[0.0, 0], [0, 80]])]
    assert stroke_windows(far, 80.0, np.array([[1, 2]]))[0, 0].any()
