"""The command `hdr`: the dashboard, and its work without a browser.

Every command imports what it needs when it runs, so that `--help` and the quick ones do not wait for the slow ones.
"""

from __future__ import annotations

from typing import Any

import click

from hdr import __version__
from hdr.cli.data import data
from hdr.cli.evaluate import evaluate
from hdr.cli.read import read
from hdr.cli.serve import serve
from hdr.cli.train import train
from hdr.cli.tune import tune
from hdr.types import HdrError


class UserErrorGroup(click.Group):
    """Ends in one plain message and exit code 1 where an error was written for a person."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except HdrError as error:
            raise click.ClickException(str(error)) from error


@click.group(cls=UserErrorGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, message="hdr %(version)s")
def main() -> None:
    """See how a machine reads handwritten digits: serve opens the dashboard, the others do its work in the terminal."""


for command in (serve, read, train, tune, evaluate, data):
    main.add_command(command)
