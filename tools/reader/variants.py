"""Other people's habits: strokes of digits edited into what those who wrote them might have written elsewhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hdr.types import Strokes

Points = NDArray[np.float64]

FLAG = 0.42
"""Longest flag of a 1 that has no foot, in shares of its height."""


def vary(strokes: Strokes, label: int, random: np.random.Generator, flag: float = FLAG) -> Strokes:
    """Edit a drawing of a digit; now and then not at all.

    Args:
        strokes: of the digit, of any size, y down.
        label: which digit it is.
        random: what decides.
        flag: longest one of a 1 without a foot.

    Returns:
        New strokes.
    """
    low, size = _frame(strokes)
    out = [(s - low) / size for s in strokes]
    if label == 1:
        out = _one(out, random, flag)
    elif label in _EDITS:
        out = _EDITS[label](out, random)
    if random.random() < 0.3:
        out = [_ends(s, random) for s in out]
    if len(out) > 1 and random.random() < 0.3:
        # The pen was put down a little beside where it should have been.
        out = [s + random.normal(0, 0.03, 2) for s in out]
    return [s * size + low for s in out]


def _frame(strokes: Strokes) -> tuple[Points, float]:
    points = np.concatenate(strokes)
    low, high = points.min(axis=0), points.max(axis=0)
    return low, float(max((high - low).max(), 1e-6))


def _ends(stroke: Points, random: np.random.Generator) -> Points:
    """Begin or end a little earlier or later."""
    if len(stroke) < 6:
        return stroke
    out = stroke
    for _ in range(2):
        out = out[::-1]
        if random.random() < 0.5:
            out = out[: max(4, round(len(out) * (1 - random.uniform(0, 0.06))))]
        else:
            step = out[-1] - out[-min(len(out), 4)]
            length = float(np.hypot(*step))
            if length > 1e-6:
                out = np.vstack([out, out[-1] + step / length * random.uniform(0, 0.08)])
    return out


def _bow(start: Points, end: Points, random: np.random.Generator, bend: float = 0.06) -> Points:
    """A stroke from here to there, a little bent."""
    t = np.linspace(0, 1, 8)[:, None]
    across = (end - start)[::-1] * [1, -1]
    return start + t * (end - start) + 4 * t * (1 - t) * across * random.normal(0, bend)


def _box(strokes: Strokes) -> tuple[Points, Points]:
    points = np.concatenate(strokes)
    return points.min(axis=0), points.max(axis=0)


def _zero(strokes: Strokes, random: np.random.Generator) -> Strokes:
    """A slash through it or in it, rarely a dot or a slash the other way; thinner or wider."""
    low, high = _box(strokes)
    middle, half = (low + high) / 2, (high - low) / 2
    if random.random() < 0.3:
        kind = random.random()
        reach = random.uniform(0.45, 1.25) * half
        tilt = random.uniform(0.5, 1.1)
        if kind < 0.88:
            start, end = middle + reach * [tilt, -1], middle + reach * [-tilt, 1]
            if random.random() < 0.3:
                # From the end of the ring in one stroke, as a hurried pen does.
                return [*strokes[:-1], np.vstack([strokes[-1], _bow(start, end, random)])]
            return [*strokes, _bow(start, end, random)]
        if kind < 0.94:
            return [*strokes, _bow(middle - reach * [tilt, 1], middle + reach * [tilt, 1], random)]
        return [*strokes, middle + random.normal(0, 0.02, (3, 2))]
    if random.random() < 0.3:
        return [(s - middle) * [random.uniform(0.6, 1.3), 1] + middle for s in strokes]
    return strokes


def _one(strokes: Strokes, random: np.random.Generator, longest: float) -> Strokes:
    """A plain upright gets a flag, a foot or both."""
    low, high = _box(strokes)
    width, height = high - low
    if len(strokes) > 1 or width > 0.25 * height or random.random() < 0.35:
        return strokes
    stroke = strokes[0]
    top, bottom = stroke[stroke[:, 1].argmin()], stroke[stroke[:, 1].argmax()]
    out = [stroke]
    kind = random.random()
    if kind < 0.75:
        # A long flag without a foot would make it a 7 to most people.
        length = random.uniform(0.12, 0.6 if kind > 0.4 else longest)
        angle = np.deg2rad(random.uniform(36, 68))
        tip = top + length * np.array([-np.cos(angle), np.sin(angle)])
        flag = _bow(tip, top, random)
        out = [np.vstack([flag, stroke if stroke[0, 1] < stroke[-1, 1] else stroke[::-1]])]
    if kind > 0.4:
        half = random.uniform(0.1, 0.35)
        slip = random.normal(0, 0.02)
        left, right = bottom - [half, slip], bottom + np.array([half * random.uniform(0.6, 1.3), slip])
        out.append(_bow(left, right, random))
    return out


def _four(strokes: Strokes, random: np.random.Generator) -> Strokes:
    """The upright moved sideways or up and down: the top opens or closes."""
    if len(strokes) != 2 or random.random() < 0.4:
        return strokes
    first, second = strokes
    moved = second + np.array([random.uniform(-0.1, 0.1), random.uniform(-0.12, 0.08)])
    if random.random() < 0.4:
        # The upright starts higher, up to the top of the digit.
        top = moved[moved[:, 1].argmin()]
        higher = top + np.array([random.normal(0.02, 0.03), -random.uniform(0.05, 0.25)])
        moved = np.vstack([higher, moved if moved[0, 1] < moved[-1, 1] else moved[::-1]])
    return [first, moved]


def _five(strokes: Strokes, random: np.random.Generator) -> Strokes:
    """The bar apart, longer or shorter."""
    if len(strokes) != 2 or random.random() < 0.4:
        return strokes
    bar = min(range(2), key=lambda i: len(strokes[i]))
    out = list(strokes)
    middle = out[bar].mean(axis=0)
    stretched = (out[bar] - middle) * random.uniform(0.7, 1.4) + middle
    out[bar] = stretched + np.array([random.uniform(-0.03, 0.14), random.uniform(-0.12, 0.04)])
    return out


def _seven(strokes: Strokes, random: np.random.Generator) -> Strokes:
    """The bar added where there is none, left out where there is one."""
    low, high = _box(strokes)
    if len(strokes) == 1:
        if random.random() < 0.4:
            stem = strokes[0][strokes[0][:, 1] > low[1] + 0.35 * (high[1] - low[1])]
            if len(stem) >= 2:
                at = stem[np.abs(stem[:, 1] - (low[1] + random.uniform(0.42, 0.64) * (high[1] - low[1]))).argmin()]
                half, slip = random.uniform(0.12, 0.3), random.normal(0.02, 0.05)
                left, right = np.array([-half, slip]), np.array([half * random.uniform(0.7, 1.3), -slip])
                return [*strokes, _bow(at + left, at + right, random)]
        return strokes
    lengths = [np.ptp(s[:, 1]) for s in strokes]
    if len(strokes) == 2 and min(lengths) < 0.3 * max(lengths) and max(lengths) > 0.7 and random.random() < 0.3:
        return [strokes[int(np.argmax(lengths))]]
    return strokes


def _nine(strokes: Strokes, random: np.random.Generator) -> Strokes:
    """A hook at the lower end, as a g has it."""
    last = strokes[-1]
    low, high = _box(strokes)
    end = last[-1]
    if end[1] < low[1] + 0.85 * (high[1] - low[1]) or random.random() < 0.65:
        return strokes
    reach, rise = random.uniform(0.12, 0.45), random.uniform(0.02, 0.2)
    t = np.linspace(0, 1, 8)[1:, None]
    control = end + np.array([-0.3 * reach, random.uniform(0.06, 0.16)])
    hook = (1 - t) ** 2 * end + 2 * t * (1 - t) * control + t**2 * (end + np.array([-reach, -rise]))
    return [*strokes[:-1], np.vstack([last, hook])]


_EDITS = {0: _zero, 4: _four, 5: _five, 7: _seven, 9: _nine}
