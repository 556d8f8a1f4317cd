"""python -m hdr data: where data sets are, and fetching them."""

from __future__ import annotations

import sys

import click


@click.command()
@click.option("--fetch", is_flag=True, help="Download what is missing of the named ones, or of MNIST, and verify it.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
def data(fetch: bool, names: tuple[str, ...]) -> None:
    """Say where each data set is, file by file, and whether it is verified.

    With --fetch, names are mnist, qmnist, emnist-digits (its archive has 560 MB) and usps.
    """
    from hdr import datasets

    if names and not fetch:
        raise click.UsageError("Names say what to download: python -m hdr data --fetch qmnist")
    if fetch:
        for name in names or ("mnist",):
            _fetch(name)
    for dataset in datasets.describe():
        click.echo(f"{dataset.name}: {dataset.title}, {'ready' if dataset.ready else 'not complete'}")
        click.echo(f"  {dataset.note}")
        for file in dataset.files:
            state = "verified" if file.verified else "missing" if file.path is None else "damaged"
            click.echo(f"  {state:9} {file.name:24}  {file.path or ''}".rstrip())
            if file.problem:
                click.echo(f"            not used: {file.problem}")
        if not dataset.ready and dataset.name != "bundled":
            named = "" if dataset.name == "mnist" else f" {dataset.name}"
            click.echo(f"  To download it: python -m hdr data --fetch{named}")


def _fetch(name: str) -> None:
    if name != "mnist":
        _fetch_extra(name)
        return
    from hdr.datasets.public import download

    # The length is known at the first report, and then shown; until then a mirror is being asked.
    with click.progressbar(length=1, label="MNIST", file=sys.stderr) as bar:

        def report(file: str, done: int, total: int) -> None:
            bar.length, bar.label = total, file
            bar.update(done - bar.pos)

        fetched = download.fetch("mnist", report)
    click.echo(f"Fetched and verified: {', '.join(fetched)}" if fetched else "Nothing to fetch: MNIST is here.")


def _fetch_extra(name: str) -> None:
    from hdr.datasets.public import download

    told: dict[str, int] = {}

    def report(file: str, done: int, total: int) -> None:
        # A line for every ten megabytes: nobody says how many there will be.
        if file not in told or done // 10_000_000 > told[file]:
            told[file] = done // 10_000_000
            click.echo(f"{file}: {done / 1e6:.0f} MB so far", err=True)

    fetched = download.fetch(name, report)
    click.echo(f"Fetched and verified: {name}" if fetched else f"Nothing to fetch: {name} is here.")
