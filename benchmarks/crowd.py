"""Visitors of the load benchmark: each draws, changes settings or reads photos, at a steady pace."""

from __future__ import annotations

import asyncio
import random
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import cv2
import numpy as np

from benchmarks.visitor import Stroke, VisitError, Visitor
from hdr.types import Split

EVERY = 2.0
"""Seconds between two actions of a person."""

BEFORE_CLEAR = 0.75
"""Share of `EVERY` that a finished digit stays on the canvas."""

DIGITS: tuple[list[Stroke], ...] = (
    [[(100, 80), (160, 78), (225, 82), (190, 160), (150, 280)], [(110, 180), (230, 178)]],
    [[(170, 60), (168, 120), (165, 200), (160, 270)]],
    [[(110, 70), (105, 130), (100, 180), (160, 182), (230, 180)], [(210, 60), (205, 150), (200, 285)]],
    [[(230, 70), (120, 72)], [(120, 72), (115, 150), (180, 150), (225, 200), (180, 270), (100, 260)], [(90, 262)] * 2],
    [[(168 + 60 * np.sin(a), 168 - 95 * np.cos(a)) for a in np.linspace(0, 2 * np.pi, 25)]],
)

NOISE = "gaussian_noise.sigma"


@dataclass
class Tally:
    """The results of all visitors.

    Attributes:
        waits: seconds that each interaction took, by kind.
        explained: seconds from each stroke to its explanation; None where the next action came first.
        errors: error messages.
        received: bytes that all visitors got.
    """

    waits: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    explained: list[float | None] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    received: int = 0


@dataclass
class Person:
    """One visitor.

    Attributes:
        visitor: the open page.
        number: tells this visitor from the others.
        tally: where results are added.
        digits: pictures for photos.
        drawn: the moment of the last stroke.
    """

    visitor: Visitor
    number: int
    tally: Tally
    digits: Split
    drawn: float = 0.0

    def __post_init__(self) -> None:
        self.chance = random.Random(self.number)


Act = Callable[[Person, float], Awaitable[float]]
"""An action of a visitor at a point in time; returns the time of the next action."""


async def live(person: Person, act: Act, began: float, seconds: float) -> None:
    """Repeat an action until the time is over. No two visitors act at the same moment."""
    moment = began + EVERY * person.number * 0.618 % EVERY
    try:
        while moment < began + seconds:
            moment = await act(person, moment)
    except VisitError as error:
        person.tally.errors.append(str(error))
    person.tally.received += person.visitor.received
    person.tally.errors += person.visitor.errors


async def until(moment: float) -> None:
    """Sleep until a moment of `time.perf_counter`."""
    await asyncio.sleep(max(0.0, moment - time.perf_counter()))


def after(moment: float) -> float:
    """The moment of the next action. A visitor who had to wait does not hurry afterwards."""
    return max(moment + EVERY, time.perf_counter())


async def draw_digit(person: Person, moment: float) -> float:
    """Draw a digit of one to three strokes with *Why?* open, look at it, and clear the canvas."""
    strokes = _digit(person.chance)
    for count in range(1, len(strokes) + 1):
        await until(moment)
        moment = await _stroke(person, "drawn", strokes[:count], moment)
        await until(moment - EVERY * (1 - BEFORE_CLEAR) if count == len(strokes) else moment)
        _note_explanation(person)
    await person.visitor.press("clear")
    await person.visitor.draw("drawn", [])
    return moment


async def draw_number(person: Person, moment: float) -> float:
    """Write a number of three digits on the wide canvas, digit by digit, and clear the canvas."""
    written: list[Stroke] = []
    for place in range(3):
        written += [[(x * 0.6 + 200 * place, y) for x, y in stroke] for stroke in _digit(person.chance)]
        await until(moment)
        moment = await _stroke(person, "drawn_number", written, moment, "number")
    await until(moment - EVERY * (1 - BEFORE_CLEAR))
    await person.visitor.press("clear")
    await person.visitor.draw("drawn_number", [])
    return moment


async def read_photo(person: Person, moment: float) -> float:
    """Paste a photo of four digits."""
    await until(moment)
    if "page_paste" not in person.visitor.widgets:
        await person.visitor.set("page_source", "string_array_value", ["The clipboard"])
    shown, read = await person.visitor.paste("page_paste", _photo(person))
    person.tally.waits["photo"].append(shown)
    person.tally.waits["photo to digits"].append(read)
    return after(moment)


async def move_slider(person: Person, moment: float) -> float:
    """Change the noise on Preprocess or Features."""
    await until(moment)
    value = float(person.chance.randrange(1, 90))
    person.tally.waits["slider"].append(await person.visitor.set(NOISE, "double_array_value", [value]))
    return after(moment)


async def change_digit(person: Person, moment: float) -> float:
    """Ask for another digit on Features."""
    await until(moment)
    person.tally.waits["another digit"].append(await person.visitor.press("another"))
    return after(moment)


async def open_tab(person: Person, moment: float) -> float:
    """Open a tab of a run's result."""
    await until(moment)
    tab = person.chance.choice(person.visitor.tabs["result"])
    person.tally.waits["result tab"].append(await person.visitor.set("result", "string_value", tab))
    return after(moment)


async def _stroke(person: Person, key: str, strokes: list[Stroke], moment: float, kind: str = "stroke") -> float:
    wait, answer = await person.visitor.draw(key, strokes)
    person.tally.waits[kind].append(wait)
    if not answer:
        person.tally.errors.append(f"a {kind} without an answer")
    person.drawn = time.perf_counter() - wait
    return after(moment)


def _note_explanation(person: Person) -> None:
    arrived = person.visitor.explained
    person.tally.explained.append(None if arrived is None else arrived - person.drawn)


def _digit(chance: random.Random) -> list[Stroke]:
    x, y = chance.uniform(-25, 25), chance.uniform(-25, 25)
    strokes = DIGITS[chance.randrange(len(DIGITS))]
    return [[(a + x + chance.gauss(0, 2), b + y + chance.gauss(0, 2)) for a, b in stroke] for stroke in strokes]


def _photo(person: Person) -> bytes:
    chosen = [person.chance.randrange(len(person.digits)) for _ in range(4)]
    row = np.hstack([np.pad(person.digits.images[i], 6) for i in chosen])
    large = cv2.resize(row, None, fx=5, fy=5, interpolation=cv2.INTER_CUBIC)
    return cv2.imencode(".jpg", 235 - (large * 0.8).astype(np.uint8))[1].tobytes()
