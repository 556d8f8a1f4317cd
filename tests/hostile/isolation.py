"""Many sessions of one server, each with marks of its own: none is ever sent another's.

``python -m tests.hostile.isolation`` opens thirty. Every visitor draws, names the drawing, uploads a photo and digits
of their own, has a run with a title, tags and a note, and searches for a word. Whatever the server sends is kept as it
comes; afterwards each mark is looked for in what all others were sent, and in what somebody is sent who comes last.
"""

from __future__ import annotations

import asyncio
import base64
import io
import math
import sys
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import click
import numpy as np
from PIL import Image

from hdr.plots import html_images
from hdr.store.runs import RunStore
from hdr.training.run_spec import RunSpec
from hdr.types import Step
from tests.hostile import data_sets
from tests.hostile.visitors import Listener, server

PAGES = ("", "preprocess", "features", "train", "runs", "draw", "data", "about")
AT_ONCE = 6
"""Visitors that are busy at the same time; all of them stay connected until the last one is done."""

EXPECTED = "It was not begun"
PUBLISHED = "markpublishedforall"
SPEC = RunSpec("bundled", 500, classifier=Step("mlp", {"epochs": 5, "units": 50}))


@dataclass
class Marked:
    """A visitor with marks.

    Attributes:
        number: which, from 0.
        listener: who keeps what was sent.
        marks: texts that nobody else may be sent, by what they are.
        seen: kinds of marks that the visitor was sent itself: what nobody is sent proves nothing.
    """

    number: int
    listener: Listener
    marks: dict[str, str] = field(default_factory=dict)

    @property
    def seen(self) -> set[str]:
        """Kinds of marks that came back to their own visitor."""
        return {kind for kind, mark in self.marks.items() if self.listener.holds(mark)}

    def word(self, kind: str) -> str:
        """A new mark that is a word; it is none that a page could say by chance."""
        self.marks[kind] = f"mark{kind}{self.number:02d}q{self.number * 7919 % 997:03d}x"
        return self.marks[kind]


def stroke(number: int) -> list[tuple[float, float]]:
    """A drawing that no other visitor makes: an arc whose size and turn follow from the number."""
    turn, wide = 0.35 * number, 40 + 2.3 * number
    angles = [turn + 0.13 * step for step in range(30)]
    return [(140 + wide * math.cos(a), 140 + 1.2 * wide * math.sin(a)) for a in angles]


def photo(number: int) -> bytes:
    """A photo that no other visitor has."""
    grey = np.full((60, 90), 240, np.uint8)
    grey[10:50, 20 + number % 40 : 24 + number % 40] = 30
    grey[::7, ::5] = 200 + number
    stream = io.BytesIO()
    Image.fromarray(grey).save(stream, "PNG")
    return stream.getvalue()


async def visit(one: Marked, store: RunStore) -> None:
    """Do everything that leaves something behind."""
    listener = one.listener
    await _draw(one)
    await _photo(one)
    await _data(one)
    _run(one, store)
    await listener.go("runs")
    await listener.say("runs_search", string_value=one.word("search"))
    await listener.say("runs_search", string_value="")
    await listener.go("train", f"run={one.marks['id']}")


async def _draw(one: Marked) -> None:
    listener = one.listener
    await listener.go("draw")
    line = stroke(one.number)
    await listener.draw("drawn", [line])
    # The canvas is shown again with what was drawn, in full figures.
    one.marks["drawing"] = repr(line[7][0])
    await listener.choose("meant-", str(one.number % 10))
    await listener.go("preprocess")
    await listener.go("draw")


async def _photo(one: Marked) -> None:
    listener = one.listener
    await listener.go("preprocess")
    await listener.choose("digit-0-source", "A photo")
    status = await listener.upload("upload", one.word("file") + ".png", photo(one.number))
    assert status == 204, status
    # What is shown of it is a picture that was made of its pixels.
    grey = np.asarray(Image.open(io.BytesIO(photo(one.number))))
    one.marks["photo"] = base64.b64encode(html_images.png(grey)).decode()


async def _data(one: Marked) -> None:
    listener = one.listener
    await listener.go("data")
    # Each has other digits: the first picture of all is its own.
    first, *rest = data_sets.sound()[0].split(b"\n")
    csv = b"\n".join([first.replace(b",0,", f",{one.number + 1},".encode(), 1), *rest])
    await listener.upload("data_files-0", one.word("table") + ".csv", csv)
    await listener.say("data_title", string_value=one.word("data"))
    await listener.push("data_check")
    await listener.push("data_use")


def _run(one: Marked, store: RunStore) -> None:
    run = store.create(SPEC, one.listener.owner, f"token-{one.number}", one.word("title"))
    store.end(run.id, "failed", f"{EXPECTED} {one.word('message')}.")
    store.edit(run.id, one.listener.owner, tags=[one.word("tag")], note=one.word("note"))
    one.marks["id"] = run.id


def leaks(marked: Sequence[Marked], others: Sequence[tuple[str, Listener]]) -> list[str]:
    """Marks that somebody was sent whose they are not."""
    found = []
    for one in marked:
        owned = {**one.marks, "owner": one.listener.owner, "session": one.listener.session}
        for name, listener in others:
            if listener is not one.listener:
                found += [
                    f"the {k} of visitor {one.number} went to {name}" for k, m in owned.items() if listener.holds(m)
                ]
    return found


async def many(url: str, home: Path, count: int) -> tuple[list[Marked], list[str], list[str]]:
    """Let so many visitors do everything.

    Returns:
        The visitors, what went to somebody else, and what went wrong on a page.
    """
    store = RunStore(f"sqlite:///{home / 'runs.sqlite'}")
    published = store.create(SPEC, "host", "published", PUBLISHED, published=True)
    store.end(published.id, "stopped")
    marked = [Marked(number, Listener(url)) for number in range(count)]
    turns = asyncio.Semaphore(AT_ONCE)

    async def come(one: Marked) -> None:
        async with turns:
            await one.listener.__aenter__()
            await visit(one, store)

    await asyncio.gather(*map(come, marked))
    # Once more, when everything of everybody is there.
    for one in marked:
        for page in PAGES:
            await one.listener.go(page)
    async with Listener(url) as late:
        for page in PAGES:
            await late.go(page)
        for one in marked:
            await late.go("train", f"run={one.marks['id']}")
            await late.go("runs", f"runs={one.marks['id']}")
    for one in marked:
        await one.listener.__aexit__()
    others = [(f"visitor {o.number}", o.listener) for o in marked] + [("one who came later", late)]
    wrong = [f"{name}: {error}" for name, listener in others for error in listener.errors if EXPECTED not in error]
    return marked, leaks(marked, others), wrong


@click.command()
@click.option("--visitors", default=30, show_default=True, help="How many there are.")
def main(visitors: int) -> None:
    """Open sessions with marks, and count what went to somebody else."""
    # A process that is just being ended may still write.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        home = Path(folder) / "home"
        with server(home) as url:
            marked, leaked, wrong = asyncio.run(many(url, home, visitors))
        log = (home / "server.log").read_text(errors="replace")
    own = sum(len(one.seen) for one in marked)
    sent = sum(sum(map(len, one.listener.heard)) for one in marked)
    click.echo(
        f"{visitors} sessions were sent {sent / 1e6:.0f} MB: {own} of their own marks, and {len(leaked)} of others'."
    )
    kinds = Counter(kind for one in marked for kind in one.seen)
    click.echo("Their own: " + ", ".join(f"{kind} {count}" for kind, count in kinds.most_common()))
    for line in [*leaked, *wrong, *([log[-5000:]] if wrong else [])]:
        click.echo(line)
    sys.exit(1 if leaked or wrong else 0)


if __name__ == "__main__":
    main()
