"""python -m hdr read: pictures and drawings to digits, one line each."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Iterator
from io import BufferedIOBase
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hdr.types import Classifier, HdrError, Reading, Strokes

if TYPE_CHECKING:
    from hdr.reading.ready import Reader
    from hdr.training.model import TrainedModel

OWNER = "local"
"""Whose runs are looked through for a model, besides published ones."""

BATCH = 512
"""Drawings that are read at once."""

LONGEST_LINE = 4_000_000
"""Most bytes of a line of a strokes file; a drawing as large as is allowed has 400,000."""

Answer = tuple[str | int, Reading | HdrError]
"""Where something comes from, and what was read or why it could not be."""


@click.command()
@click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path(path_type=Path))
@click.option("--strokes", metavar="FILE", type=click.Path(path_type=Path), help="Drawings as JSON lines; may be .gz.")
@click.option("--run", "run_id", metavar="ID", help="The run whose model reads, in place of the ready-made reader.")
@click.option("--json", "as_json", is_flag=True, help="Print a JSON object per line.")
@click.pass_context
def read(ctx: click.Context, files: tuple[Path, ...], strokes: Path | None, run_id: str | None, as_json: bool) -> None:
    """Read the number in each picture, or in each drawing of a strokes file: one digit or several, in lines.

    A line of a strokes file is an object with "strokes": lists of [x, y] points in pixels, y down. What cannot be read
    gives a line that says why, the rest goes on, and the exit code is 1.
    """
    if not files and strokes is None:
        raise click.UsageError("Say what to read: picture files, or --strokes FILE.jsonl.")
    import cv2

    cv2.setNumThreads(1)
    ready = find_ready()
    model = find_model(run_id) if run_id is not None or ready is None else ready
    failed = False
    for source, answer in _answers(files, strokes, model, ready):
        failed |= isinstance(answer, HdrError)
        click.echo(json.dumps(_as_json(source, answer)) if as_json else _as_text(source, answer))
    ctx.exit(1 if failed else 0)


def find_model(run_id: str | None) -> TrainedModel:
    """The model of a run, or of the newest run that is done and whose model can be read.

    Raises:
        HdrError: there is none; the message says how to come by one.
    """
    from hdr import cluster
    from hdr.store import artifacts
    from hdr.store.runs import RunStore
    from hdr.training.model import ModelError, TrainedModel

    cluster.register()
    store = RunStore()
    if run_id is not None:
        run = store.get(run_id)
        if run.status != "done":
            raise HdrError(f"Run {run.id} is {run.status}; only a run that is done has a model.")
        return TrainedModel.load(artifacts.artifact_store().fetch(run.id))
    for run in store.runs(OWNER, statuses=("done",)):
        try:
            return TrainedModel.load(artifacts.artifact_store().fetch(run.id))
        except (ModelError, artifacts.ArtifactsError):
            continue
    raise HdrError("There is no trained model yet. Train one with: python -m hdr train --preset fast")


def _answers(
    files: tuple[Path, ...], strokes: Path | None, model: Classifier, judges: Reader | None
) -> Iterator[Answer]:
    from hdr.reading import open_image, read_page

    for path in files:
        try:
            yield str(path), read_page(open_image(path), model, judges)
        except HdrError as error:
            yield str(path), error
    if strokes is not None:
        yield from _read_strokes(strokes, model, judges)


def find_ready() -> Reader | None:
    """The ready-made reader, which also tells what is a digit and what is half of one; None where it is missing."""
    from hdr.reading.ready import ReaderError, load

    try:
        return load()
    except ReaderError:
        return None


def _read_strokes(path: Path, model: Classifier, judges: Reader | None) -> Iterator[Answer]:
    from hdr.reading import read_numbers

    try:
        with gzip.open(path) if path.suffix == ".gz" else open(path, "rb") as stream:
            parsed = ((number, _parse(line)) for number, line in _lines(stream))
            while batch := list(islice(parsed, BATCH)):
                drawings = [p for _, p in batch if not isinstance(p, HdrError)]
                readings = iter(_without_scribbles(read_numbers(drawings, model, judges), judges))
                for number, drawing in batch:
                    yield number, drawing if isinstance(drawing, HdrError) else next(readings)
    except (OSError, EOFError, zlib.error) as error:
        # The lines of the last batch are lost with the rest: what comes out of a damaged archive is not to be trusted.
        yield str(path), HdrError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.")


def _without_scribbles(readings: list[Reading], judges: Reader | None) -> list[Reading]:
    """The same, but that drawings of which nothing looks like a digit are not read."""
    import numpy as np

    captured = [d.stages[0].image for reading in readings for d in reading.digits]
    if judges is None or not captured:
        return readings
    accepted = iter(judges.accepts(np.stack(captured)).tolist())
    return [reading if any([next(accepted) for _ in reading.digits]) else Reading(()) for reading in readings]


def _lines(stream: BufferedIOBase) -> Iterator[tuple[int, bytes]]:
    """Numbered lines without the empty ones; of a line that is too long, its beginning."""
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        rest = line
        while len(rest) > LONGEST_LINE and not rest.endswith(b"\n"):
            rest = stream.readline(LONGEST_LINE + 1)
        if line.strip():
            yield number, line


def _parse(line: bytes) -> Strokes | HdrError:
    from hdr.reading.handwriting import strokes_of

    if len(line) > LONGEST_LINE:
        return HdrError(f"The line is too long; at most {LONGEST_LINE:,} bytes are allowed.")
    try:
        return strokes_of(line)
    except HdrError as error:
        return error


def _as_json(source: str | int, answer: Reading | HdrError) -> dict[str, Any]:
    if isinstance(answer, HdrError):
        return {"source": source, "error": str(answer)}
    digits = [
        {
            "label": digit.label,
            "probability": digit.probability,
            "probabilities": [float(p) for p in digit.probabilities],
            "box": list(digit.box),
        }
        for digit in answer.digits
    ]
    return {"source": source, "number": answer.number, "digits": digits, "abstained": answer.abstained}


def _as_text(source: str | int, answer: Reading | HdrError) -> str:
    if isinstance(answer, HdrError):
        return f"{source}: not read. {answer}"
    if answer.abstained:
        return f"{source}: nothing to read"
    number = answer.number.replace("\n", " / ")
    return f"{source}: {number} ({', '.join(f'{d.probability:.1%}' for d in answer.digits)})"
