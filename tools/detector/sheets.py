"""Paper, light and camera of a made page."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

Grey = NDArray[np.float32]


def ground(shape: tuple[int, int], height: float, random: np.random.Generator) -> tuple[Grey, Grey]:
    """The print on a sheet: how dark, 0 to 1 of white, and how dark lines that cross the writing are.

    Args:
        shape: of the page.
        height: of its digits.
        random: the source of chance.
    """
    soft, hard = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    kind = random.random()
    if kind < 0.42:
        _security(soft, height, random)
    elif kind < 0.5:
        _dots(soft, random)
    if random.random() < 0.42:
        _ruling(hard, height, random)
    if random.random() < 0.12:
        _edge(soft, random)
    if random.random() < 0.12:
        _fold(soft, random)
    return soft, hard


def _security(soft: Grey, height: float, random: np.random.Generator) -> None:
    """Fine wavy lines, as on cheques and banknotes: families of them that cross each other."""
    h, w = soft.shape
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    depth = random.uniform(0.04, 0.28)
    for _ in range(int(random.choice([1, 1, 2, 2, 3]))):
        step = max(2.5, height * random.uniform(0.06, 0.32))
        angle = random.normal(0, 0.35) if random.random() < 0.7 else random.uniform(0, 3.14)
        across = x * np.sin(angle) + y * np.cos(angle)
        along = x * np.cos(angle) - y * np.sin(angle)
        phase = across / step
        for _ in range(int(random.integers(0, 3))):
            phase += random.uniform(0.1, 2.5) * np.sin(
                along / (height * random.uniform(0.2, 4)) + random.uniform(0, 6.3)
            )
        if random.random() < 0.4:
            phase += (
                np.hypot(x - random.uniform(-w, 2 * w), y - random.uniform(-h, 2 * h)) / step * random.uniform(0.3, 1)
            )
        share = random.uniform(0.15, 0.5)
        line = np.abs(phase - np.rint(phase))
        soft += (depth * random.uniform(0.4, 1)) * np.clip((share / 2 - line) * step + 0.5, 0, 1)
    if random.random() < 0.3:
        # The pattern ends somewhere.
        cut = int(random.uniform(0, 0.6) * h)
        soft[:cut] *= random.uniform(0, 0.6)


def _dots(soft: Grey, random: np.random.Generator) -> None:
    """A raster of dots, or coarse cloudy print."""
    h, w = soft.shape
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    step = random.uniform(2.5, 7)
    wave = np.sin(6.28 * x / step + random.uniform(0, 6)) * np.sin(6.28 * y / step + random.uniform(0, 6))
    soft += random.uniform(0.03, 0.15) * (wave > random.uniform(-0.2, 0.6))


def _ruling(hard: Grey, height: float, random: np.random.Generator) -> None:
    """Lines, squares, cells of a form or a line of dots, slightly turned."""
    h, w = hard.shape
    kind = random.random()
    strong = random.uniform(0.1, 0.75)
    turn = random.normal(0, 0.03)
    thick = max(1.0, height * random.uniform(0.02, 0.08))
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    across, along = y + turn * x, x - turn * y

    def lines(place: Grey, step: float, width: float) -> Grey:
        away = np.abs((place + random.uniform(0, step) + step / 2) % step - step / 2)
        return np.clip(width / 2 - away + 0.5, 0, 1) * strong

    if kind < 0.35:
        np.maximum(hard, lines(across, height * random.uniform(1.0, 2.6), thick), out=hard)
    elif kind < 0.6:
        step = height * (random.uniform(0.35, 1.0) if random.random() < 0.6 else random.uniform(1.2, 2.2))
        np.maximum(hard, lines(across, step, thick), out=hard)
        np.maximum(hard, lines(along, step * random.uniform(0.9, 1.3), thick), out=hard)
    elif kind < 0.9:
        # One line, mostly under the writing.
        away = np.abs(across - h * random.uniform(0.05, 0.98))
        line = np.clip(thick / 2 - away + 0.5, 0, 1) * strong
        if random.random() < 0.25:
            line *= (along % max(3.0, 2.5 * thick)) < max(1.5, 1.3 * thick)
        np.maximum(hard, line, out=hard)
        if random.random() < 0.3:
            away = np.abs(along - w * random.uniform(0.02, 0.98))
            np.maximum(hard, np.clip(thick / 2 - away + 0.5, 0, 1) * strong, out=hard)
    else:
        np.maximum(hard, lines(along, height * random.uniform(1.0, 3), thick), out=hard)


def _edge(soft: Grey, random: np.random.Generator) -> None:
    """The table beside the sheet, darker or, seldom, lighter, with the sheet's shadow."""
    h, w = soft.shape
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    angle = random.choice([0, 1.5708, 3.1416, 4.7124]) + random.normal(0, 0.08)
    away = (x - w / 2) * np.cos(angle) + (y - h / 2) * np.sin(angle)
    reach = abs(np.cos(angle)) * w / 2 + abs(np.sin(angle)) * h / 2
    away = away - reach * random.uniform(0.75, 1.0)
    beside = np.clip(away + 0.5, 0, 1)
    soft += beside * random.uniform(0.2, 0.75)
    if random.random() < 0.5:
        soft += random.uniform(0.05, 0.3) * np.exp(-np.abs(away) / random.uniform(1.5, 8))


def _fold(soft: Grey, random: np.random.Generator) -> None:
    h, w = soft.shape
    y, x = np.mgrid[0:h, 0:w].astype(np.float32)
    angle = random.uniform(0, 3.14)
    away = (x - w * random.random()) * np.cos(angle) + (y - h * random.random()) * np.sin(angle)
    soft += random.uniform(-0.15, 0.2) * np.exp(-np.abs(away) / random.uniform(0.7, 3))
    soft += random.uniform(0, 0.12) * (away > 0)


def photographed(ink: Grey, soft: Grey, hard: Grey, height: float, random: np.random.Generator) -> NDArray[np.uint8]:
    """Ink on paper under uneven light, through a lens, a sensor and a file format; uint8, in either polarity."""
    h, w = ink.shape
    y, x = np.linspace(-1, 1, h, dtype=np.float32)[:, None], np.linspace(-1, 1, w, dtype=np.float32)[None]
    light = 1 + random.uniform(-0.25, 0.25) * x + random.uniform(-0.25, 0.25) * y
    if random.random() < 0.15:
        away = x * random.normal() + y * random.normal() + random.normal(0, 0.7)
        light = light * (
            1 - random.uniform(0.1, 0.4) / (1 + np.exp(np.clip(-away / random.uniform(0.02, 0.4), -30, 30)))
        )
    pencil = random.random() < 0.35
    dark = random.uniform(0.18, 0.6) if pencil else random.uniform(0.4, 0.92)
    if pencil:
        rough = random.normal(0, random.uniform(0.05, 0.3), (h, w)).astype(np.float32)
        ink = ink * np.clip(0.88 + rough, 0.2, 1)
    level = random.uniform(120, 250)
    paper = 1 - soft
    # A ballpoint lets the print below it through a little.
    grey = level * light * paper * (1 - np.maximum(ink * dark, hard * random.uniform(0.3, 0.9)))
    if random.random() < 0.15:
        # The back of the sheet shines through.
        ghost = cv2.GaussianBlur(np.roll(ink[:, ::-1], int(random.integers(h)), axis=0), (0, 0), 1.2)
        grey -= level * random.uniform(0.02, 0.1) * ghost
    rough = random.normal(0, 1, (h // 4 + 2, w // 4 + 2)).astype(np.float32)
    grey += cv2.resize(rough, (w, h), interpolation=cv2.INTER_LINEAR) * random.uniform(0, 4)
    blur = abs(random.normal(0, 0.035)) * height
    if blur > 0.3:
        grey = cv2.GaussianBlur(grey, (0, 0), blur)
    grey += random.normal(0, abs(random.normal(0, 4)), (h, w)).astype(np.float32)
    if random.random() < 0.17:
        grey = 255 - grey
    if random.random() < 0.3:
        grey = 128 + (grey - 128) * random.uniform(0.35, 0.9) + random.uniform(-25, 25)
    out = np.clip(grey, 0, 255).astype(np.uint8)
    return filed(out, height, random)


def filed(grey: NDArray[np.uint8], height: float, random: np.random.Generator) -> NDArray[np.uint8]:
    """Made small, compressed, and enlarged again, as crops of small pictures are."""
    h, w = grey.shape
    out = grey
    share = random.uniform(11, 30) / height if random.random() < 0.45 else 1.0
    if share < 0.9:
        out = cv2.resize(out, (max(8, round(w * share)), max(8, round(h * share))), interpolation=cv2.INTER_AREA)
        if random.random() < 0.3:
            out = cv2.addWeighted(out, 1.8, cv2.GaussianBlur(out, (0, 0), 1.0), -0.8, 0)
    if random.random() < 0.6:
        quality = int(random.uniform(30, 95))
        out = cv2.imdecode(cv2.imencode(".jpg", out, [cv2.IMWRITE_JPEG_QUALITY, quality])[1], cv2.IMREAD_GRAYSCALE)
    if out.shape != grey.shape:
        way = cv2.INTER_CUBIC if random.random() < 0.5 else cv2.INTER_LINEAR
        out = cv2.resize(out, (w, h), interpolation=way)
    return out
