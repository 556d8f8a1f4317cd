"""hdr serve: the dashboard, from any folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click

from hdr import entry

REPLACES = os.name == "posix"
"""Whether a process can be replaced by another: on Windows, os.execv leaves the new one in the background."""


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[STREAMLIT OPTION]...")
@click.pass_context
def serve(ctx: click.Context, options: tuple[str, ...]) -> None:
    """Open the dashboard in the browser.

    All options go to Streamlit: hdr serve --server.port 9000. See `streamlit run --help` for a list. In a checkout of
    the project, the checkout's own files are used.
    """
    here = Path.cwd()
    script = (here if entry.is_checkout(here) else entry.folder()) / entry.SCRIPT
    # -P: a file random.py in the current folder must not take the place of Python's own.
    command = [sys.executable, "-P", "-m", "streamlit", "run", str(script), *options]
    if REPLACES:
        # The server replaces this process, so that signals and the exit code need no passing on.
        os.execv(command[0], command)  # nosec B606 # our own Python; the options are those of the person who typed them
    ctx.exit(subprocess.call(command))  # nosec B603 # the same
