"""python -m hdr evaluate: a trained run on the test digits of another data set."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from hdr.types import Dataset, HdrError

if TYPE_CHECKING:
    from hdr.analysis.cross_dataset import Transfer


@click.command()
@click.option("--run", "run_id", metavar="ID", help="The run; left out, the newest that is done.")
@click.option("--data", metavar="NAME", help="The data set to test on: mnist, bundled, qmnist, emnist-digits or usps.")
@click.option(
    "--file", "file", metavar="FILE", type=click.Path(path_type=Path), help="Digits of your own: ZIP, CSV, IDX or NPZ."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def evaluate(run_id: str | None, data: str | None, file: Path | None, as_json: bool) -> None:
    """Measure a trained run on the test digits of another data set, at most 10,000 of them."""
    load: Callable[[], Dataset]
    if data is not None and file is None:
        load = partial(_known, data)
    elif file is not None and data is None:
        load = partial(_own, file)
    else:
        raise click.UsageError("Say what to test on: either --data NAME, or --file FILE.")
    import cv2

    from hdr.analysis.cross_dataset import transfer
    from hdr.cli.read import find_model

    cv2.setNumThreads(1)
    model = find_model(run_id)
    found = transfer(model, load())
    if as_json:
        kept = ("test_accuracy", "interval", "tested_on", "wrong", "confusion")
        said = {name: found.figures[name] for name in kept}
        click.echo(json.dumps({"learned_from": model.spec.dataset, "dataset": found.dataset, **said}))
    else:
        _print(found, model.spec.dataset)


def _known(name: str) -> Dataset:
    from hdr import datasets

    return datasets.load(name)


def _own(file: Path) -> Dataset:
    """All digits of a file, as a test split."""
    from hdr.datasets.uploads import clean_and_split, reader, user_datasets

    try:
        content = file.read_bytes()
    except OSError as error:
        raise HdrError(f"{file} cannot be read: {error.strerror}.") from None
    found = reader.read([reader.Upload(file.name, content)])
    train, test, _ = clean_and_split.prepare(found, clean_and_split.Options())
    return user_datasets.create(file.stem, "", train, test)


def _print(found: Transfer, learned: str) -> None:
    figures = found.figures
    low, high = figures["interval"]
    click.echo(f"Learned from         {learned}")
    click.echo(f"Tested on            {figures['tested_on']:,} of {found.of:,} test digits of {found.title}")
    click.echo(f"Accuracy             {figures['test_accuracy']:.2%} (95% interval {low:.2%} to {high:.2%})")
    click.echo("Confusion            a row for each true digit, a column for what it was called")
    for label, row in enumerate(figures["confusion"]):
        click.echo(f"  {label}  " + " ".join(f"{n:6,}" for n in row))
    for mistake in figures["mistakes"][:10]:
        click.echo(
            f"Most sure and wrong  number {mistake['index']}: a {mistake['label']}, "
            f"called {mistake['said']} ({mistake['probability']:.1%})"
        )
