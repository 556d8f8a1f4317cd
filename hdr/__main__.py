"""The same work without a browser: `python -m hdr COMMAND`.

Every command imports what it needs when it runs, so that `--help` and the quick ones do not wait for the slow ones.
"""

from __future__ import annotations

from typing import Any

import click

from hdr.cli.data import data
from hdr.cli.evaluate import evaluate
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
main.add_command(evaluate)
main.add_command(data)


if __name__ == "__main__":
    main(prog_name="python -m hdr")
