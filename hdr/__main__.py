"""The same work without a browser: `python -m hdr COMMAND`.

Every command imports what it needs when it runs, so that `--help` and the quick ones do not wait for the slow ones.
"""

from __future__ import annotations

import sys
from typing import Any

import click

from hdr.cli.read import read
from hdr.cli.train import train
from hdr.cli.tune import tune
from hdr.types import HdrError


class _PlainErrors(click.Group):
    """Ends in one plain message and exit code 1 where an error was written for a person."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except HdrError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=_PlainErrors, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Handwritten digits: the dashboard's work without a browser."""


main.add_command(train)
main.add_command(tune)
main.add_command(read)


@main.command()
@click.option("--fetch", is_flag=True, help="Download what is missing of MNIST and verify it.")
def data(fetch: bool) -> None:
    """Say where each data set is, file by file, and whether it is verified."""
    from hdr import datasets

    if fetch:
        _fetch()
    for dataset in datasets.describe():
        click.echo(f"{dataset.name}: {dataset.title}, {'ready' if dataset.ready else 'not complete'}")
        click.echo(f"  {dataset.note}")
        for file in dataset.files:
            state = "verified" if file.verified else "missing" if file.path is None else "damaged"
            click.echo(f"  {state:9} {file.name:24}  {file.path or ''}".rstrip())
            if file.problem:
                click.echo(f"            not used: {file.problem}")
        if not dataset.ready and dataset.name == "mnist":
            click.echo("  To download it: python -m hdr data --fetch")


def _fetch() -> None:
    from hdr.datasets import download

    # The length is known at the first report, and then shown; until then a mirror is being asked.
    with click.progressbar(length=1, label="MNIST", file=sys.stderr) as bar:

        def report(file: str, done: int, total: int) -> None:
            bar.length, bar.label = total, file
            bar.update(done - bar.pos)

        fetched = download.fetch(report)
    click.echo(f"Fetched and verified: {', '.join(fetched)}" if fetched else "Nothing to fetch: MNIST is here.")


if __name__ == "__main__":
    main(prog_name="python -m hdr")
