"""From strokes and pictures to what the net is shown: each time a little different, always by the capture rule."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from hdr.preprocessing.size_normalisation import PEN, from_pixels, from_strokes
from hdr.reading.ink_parting import even_pen
from hdr.types import SIDE, Strokes

FLAG = 8.0
"""Longest flag of a 1 that has no foot, in pixels."""

PLAIN = 0.12
"""How often a picture is left as sharp as it is."""

_WIDE = 4
# Sub-pixels while marks are drawn onto a digit.


def bend(strokes: Strokes, random: np.random.Generator, strength: float = 1.0) -> Strokes:
    """Slant, turn, stretch and bend a drawing, and shake the hand that drew it.

    Args:
        strokes: of any size, y down.
        random: what decides.
        strength: 1 for all that people's hands do.

    Returns:
        New strokes, the longer side about 200 long, as on a canvas.
    """
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    size = max(float((high - low).max()), 1e-6)
    if size < 2:
        return strokes
    angle = np.deg2rad(random.normal(0, 7)) * strength
    slant = random.normal(0, 0.16) * strength
    aspect = np.exp(random.normal(0, 0.14) * strength)
    matrix = _matrix(angle, -slant, aspect)
    # Waves of about the digit's size bend it smoothly: elastic deformation, for points.
    waves = random.normal(0, 0.022 * strength, (3, 2))
    ways = random.normal(0, 4.0, (3, 2))
    phases = random.uniform(0, 2 * np.pi, 3)
    out = []
    for stroke in strokes:
        place = (stroke - (low + high) / 2) / size
        place = place + np.sin(place @ ways.T + phases) @ waves
        out.append(200 * (place @ matrix.T))
    kind = random.random()
    if kind < 0.25:
        shake = random.uniform(0.3, 2.5)
        out = [s + random.normal(0, shake, s.shape) for s in out]
    elif kind < 0.4:
        # A slow device: few points, straight lines between them.
        out = [_thin(s, int(random.integers(2, 5))) for s in out]
    return out


def _matrix(angle: float, slant: float, aspect: float) -> NDArray[np.float64]:
    """Stretch, then slant, then turn by so many radians: (2, 2)."""
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return turn @ np.array([[1, slant], [0, 1]]) @ np.diag([aspect, 1 / aspect])


def _thin(stroke: NDArray[np.float64], every: int) -> NDArray[np.float64]:
    if len(stroke) <= 2 * every + 4:
        return stroke
    return np.vstack([stroke[:-1:every], stroke[-1:]])


def pen_width(random: np.random.Generator) -> float:
    """The Draw page's pen mostly, else any from a fine liner to a marker, in pixels of the result."""
    if random.random() < 0.6:
        return float(np.clip(random.normal(PEN, 0.15), 1.6, 2.8))
    return float(np.exp(random.uniform(np.log(1.2), np.log(4.6))))


def ink(strokes: Strokes, random: np.random.Generator) -> NDArray[np.uint8]:
    """Draw by the capture rule, uint8 (28, 28); sometimes as a scan or a photo of it would come out."""
    image = from_strokes(strokes, pen_width(random))
    return worsen(image, random) if random.random() < 0.3 else image


def worsen(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    """What scanners, cameras and thresholds do to a digit, uint8 (28, 28) to the same, brought to the frame anew."""
    out = image.astype(np.float32)
    kinds = random.random(6)
    if kinds[0] < 0.4:
        out = cv2.GaussianBlur(out, (0, 0), random.uniform(0.3, 0.9))
    if kinds[1] < 0.35:
        # A pencil: ink is uneven.
        grain = cv2.resize(random.uniform(0.5, 1, (9, 9)).astype(np.float32), (SIDE, SIDE))
        out *= grain
    if kinds[2] < 0.35:
        out = 255 * (out / 255) ** np.exp(random.normal(0, 0.5))
    if kinds[3] < 0.25 and kinds[1] >= 0.35:
        out = np.where(out > random.uniform(0.25, 0.6) * max(float(out.max()), 1), 255, 0).astype(np.float32)
    if kinds[4] < 0.15:
        # A gap where the pen ran dry.
        x, y = random.integers(5, 23, 2)
        r = int(random.integers(1, 3))
        out[y : y + r, x : x + r] *= random.uniform(0, 0.6)
    if kinds[5] < 0.3:
        out += np.abs(random.normal(0, random.uniform(2, 12), out.shape)) * (random.random(out.shape) < 0.5)
    peak = float(out.max())
    if peak < 40:
        return image
    out = out * (random.uniform(0.75, 1.0) if random.random() < 0.3 else 1.0) * 255 / peak
    return from_pixels(np.rint(out.clip(0, 255)).astype(np.uint8)[None])[0]


def warp(
    image: NDArray[np.uint8], random: np.random.Generator, plain: float = PLAIN, strength: float = 1.0
) -> NDArray[np.uint8]:
    """Distort a picture of a digit as `bend` distorts strokes, thicken or thin it, and mostly bring it to the frame.

    Args:
        image: uint8 (28, 28).
        random: what decides.
        plain: how often it is left as it is, 0 to 1.
        strength: 1 for distortions as large as those of `bend`.

    Returns:
        uint8 (28, 28).
    """
    if random.random() < plain:
        # As sharp as it is, and at most moved by a pixel.
        return np.roll(image, random.integers(-1, 2, 2), axis=(0, 1))
    angle, slant = np.deg2rad(random.normal(0, 7)) * strength, random.normal(0, 0.12) * strength
    aspect = np.exp(random.normal(0, 0.1) * strength)
    scale = np.exp(random.normal(0, 0.06) * strength)
    matrix = _matrix(angle, slant, aspect) * scale
    shift = random.normal(0, 0.6, 2)
    base = _grid(SIDE) @ matrix.T + _MIDDLE + shift
    places = (base + strength * _waves(SIDE, random) * random.uniform(0.2, 0.85)).astype(np.float32)
    out = cv2.remap(_weight(image, random), places, None, cv2.INTER_LINEAR, None, cv2.BORDER_CONSTANT, 0)
    kind = random.random()
    if kind < 0.2:
        return worsen(out, random)
    return from_pixels(out[None])[0] if kind < 0.55 else out


def enlarged(image: NDArray[np.uint8], random: np.random.Generator, strength: float = 1.0) -> NDArray[np.uint8]:
    """Distort a picture of a digit as `warp` does, but as large as digits are on a page, and capture it there.

    Args:
        image: uint8 (28, 28).
        random: what decides.
        strength: as that of `warp`.

    Returns:
        uint8 (28, 28), as pages are captured.
    """
    angle, slant = np.deg2rad(random.normal(0, 5)) * strength, random.normal(0, 0.13) * strength
    aspect = np.exp(random.normal(0, 0.08) * strength)
    scale = float(random.uniform(2.0, 5.5))
    side = round((SIDE + 6) * scale)
    base = _grid(side) @ (_matrix(angle, slant, aspect) / scale).T + _MIDDLE
    waves = _waves(side, random)
    bent = 0.0 if random.random() < 0.3 else strength * random.uniform(0.1, 0.7)
    picture = _weight(image, random).astype(np.float32) / 255
    places = (base + bent * waves).astype(np.float32)
    large = cv2.remap(picture, places, None, cv2.INTER_CUBIC, None, cv2.BORDER_CONSTANT, 0)
    large = cv2.GaussianBlur(large, (0, 0), scale * random.uniform(0.3, 0.5))
    level = random.normal(0.43, 0.05)
    return _on_a_page(np.clip((large - level) * scale + 0.5, 0, 1), random)


def written(strokes: Strokes, random: np.random.Generator) -> NDArray[np.uint8]:
    """Draw strokes as large as digits are on a page, and capture them there, uint8 (28, 28)."""
    points = np.concatenate(strokes)
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    tall = float(random.uniform(40, 110))
    pen = max(1, round(tall * float(np.exp(random.uniform(np.log(0.035), np.log(0.15))))))
    scale, margin = (tall - pen) / max(float(extent.max()), 1.0), 2 * pen + 4
    width, height = np.ceil(extent * scale).astype(int) + 2 * margin
    canvas = np.zeros((height, width), np.uint8)
    for stroke in strokes:
        line = np.rint(((stroke - low) * scale + margin) * 16).astype(np.int32)
        line = np.repeat(line, 2, axis=0) if len(line) == 1 else line
        cv2.polylines(canvas, [line], False, 255, pen, cv2.LINE_AA, 4)
    return _on_a_page(canvas.astype(np.float32) / 255, random)


def _on_a_page(ink: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.uint8]:
    """What lens, paper and thresholds leave of ink 0 to 1 (h, w), captured: uint8 (28, 28)."""
    out = cv2.GaussianBlur(ink, (0, 0), float(random.uniform(0.4, 1.2)))
    out /= max(float(out.max()), 0.1)
    if random.random() < 0.3:
        rough = cv2.GaussianBlur(random.normal(0, 1, out.shape).astype(np.float32), (0, 0), 0.8)
        out = out * np.clip(0.9 + random.uniform(0.1, 0.4) * rough, 0.3, 1.2)
    out = (out - random.uniform(0, 0.2)) * random.uniform(1.3, 2.2)
    grey = np.rint(np.clip(out, 0, 1) * 255).astype(np.uint8)
    x, y, w, h = cv2.boundingRect((grey > 100).view(np.uint8))
    return even_pen(grey[max(0, y - 1) : y + h + 1, max(0, x - 1) : x + w + 1])


def _grid(side: int) -> NDArray[np.float64]:
    """The x and y of every pixel of a square, from its middle: (side, side, 2)."""
    return np.stack(np.meshgrid(np.arange(side), np.arange(side)), axis=-1) - (side - 1) / 2


def _waves(side: int, random: np.random.Generator) -> NDArray[np.float32]:
    """Smooth shifts, of about a pixel of the picture: (side, side, 2)."""
    rough = random.normal(0, 1, (5, 5, 2)).astype(np.float32)
    return cv2.resize(rough, (side, side), interpolation=cv2.INTER_CUBIC)


def _weight(image: NDArray[np.uint8], random: np.random.Generator) -> NDArray[np.uint8]:
    amount = random.normal(0, 0.35)
    if abs(amount) < 0.1:
        return image
    other = cv2.dilate(image, _CROSS) if amount > 0 else cv2.erode(image, _CROSS)
    return cv2.addWeighted(image, 1 - min(abs(amount), 0.9), other, min(abs(amount), 0.9), 0)


def habit(image: NDArray[np.uint8], label: int, random: np.random.Generator, flag: float = FLAG) -> NDArray[np.uint8]:
    """Draw what another writer adds onto a picture: a slash into a 0, flag and foot onto a 1, a bar through a 7.

    Args:
        image: uint8 (28, 28).
        label: which digit it is.
        random: what decides.
        flag: longest one of a 1 without a foot, in pixels.
    """
    rows, columns = np.nonzero(image > 100)
    if len(rows) == 0:
        return image
    x0, x1, y0, y1 = columns.min(), columns.max(), rows.min(), rows.max()
    lines = []
    if label == 0:
        reach, tilt = random.uniform(0.5, 1.2), random.uniform(0.5, 1.1)
        cx, cy, hx, hy = (x0 + x1) / 2, (y0 + y1) / 2, (x1 - x0) / 2, (y1 - y0) / 2
        lines.append((cx + reach * tilt * hx, cy - reach * hy, cx - reach * tilt * hx, cy + reach * hy))
    elif label == 1:
        kind = random.random()
        top, bottom = columns[rows == y0].mean(), columns[rows == y1].mean()
        if kind < 0.75:
            length, tilt = random.uniform(3, 12 if kind > 0.4 else flag), np.deg2rad(random.uniform(36, 68))
            lines.append((top, y0 + 0.5, top - length * np.cos(tilt), y0 + 0.5 + length * np.sin(tilt)))
        if kind > 0.4:
            half = random.uniform(2, 6)
            lines.append((bottom - half, y1 - 0.5, bottom + half * random.uniform(0.6, 1.3), y1 - 0.5))
    elif label == 7:
        y = y0 + random.uniform(0.42, 0.64) * (y1 - y0)
        row = columns[np.abs(rows - y) < 1.0]
        if len(row):
            half, slip = random.uniform(2.5, 6), random.normal(0.3, 0.8)
            lines.append((row.mean() - half, y + slip, row.mean() + half, y - slip))
    if not lines:
        return image
    sheet = np.zeros((SIDE * _WIDE, SIDE * _WIDE), np.uint8)
    width = max(1, round(_WIDE * float(np.clip(random.normal(2.2, 0.5), 1.2, 3.5))))
    for line in lines:
        a, b, c, d = (round((v + 0.5) * _WIDE) for v in line)
        cv2.line(sheet, (a, b), (c, d), 255, width, cv2.LINE_AA)
    drawn = cv2.resize(sheet, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return from_pixels(np.maximum(image, drawn)[None])[0]


def printed(text: str, random: np.random.Generator) -> NDArray[np.uint8]:
    """A printed character by the capture rule, uint8 (28, 28)."""
    sheet = np.zeros((120, 120), np.uint8)
    face = int(random.choice(_FACES))
    width = int(random.integers(2, 9))
    cv2.putText(sheet, text, (24, 90), face, 2.6, 255, width, cv2.LINE_AA)
    return from_pixels(sheet[None])[0]


_FACES = (
    cv2.FONT_HERSHEY_SIMPLEX,
    cv2.FONT_HERSHEY_DUPLEX,
    cv2.FONT_HERSHEY_COMPLEX,
    cv2.FONT_HERSHEY_TRIPLEX,
    cv2.FONT_HERSHEY_SCRIPT_SIMPLEX,
)
_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
_MIDDLE = (SIDE - 1) / 2
