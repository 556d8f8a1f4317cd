"""Queue position of waiting runs and searches."""

from __future__ import annotations

from collections.abc import Sequence

import streamlit as st

from hdr.sanitize import escape_markdown
from hdr.store.runs import RunSummary
from hdr.ui.shell import page
from hdr.ui.state import identity, resources

MOST_NOTED = 3


def place(name: str) -> str:
    """``3rd in line`` for a run, or for a search with `SEARCH` before its name; empty where it does not wait."""
    number = resources.processes().place(name)
    return f"{ordinal(number)} in line" if number else ""


def why(name: str, otherwise: str) -> str:
    """Why something is still in the queue, as Markdown: a cluster that is not there, others before it, or otherwise
    what is given. A name as for `place`."""
    trouble = resources.processes().trouble()
    if trouble:
        return f"**Waiting**. {escape_markdown(trouble)}"
    number = place(name)
    return f"**{number}**: other trainings and searches have their turns first." if number else otherwise


def ordinal(number: int) -> str:
    """``1st``, ``2nd``, ``3rd``, ``11th``."""
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if 10 <= number % 100 <= 13 else ending}"


def note(known: Sequence[RunSummary]) -> None:
    """Show which of the user's runs are queued, and at which positions; nothing if there are none."""
    if not _waiting(known):
        return
    st.fragment(_note, run_every=2.0)([r.id for r in known if r.status == "queued"])


@page.show_errors()
def _note(ids: Sequence[str]) -> None:
    known = [r for r in resources.store().listed(identity.owner(), ("queued",)) if r.id in ids]
    told = [f"{escape_markdown(run.title)} is {said}" for run, said in _waiting(known)]
    more = f", and {len(told) - MOST_NOTED} more wait" if len(told) > MOST_NOTED else ""
    st.caption(f":material/hourglass: {', '.join(told[:MOST_NOTED])}{more}." if told else "")


def _waiting(known: Sequence[RunSummary]) -> list[tuple[RunSummary, str]]:
    mine = [run for run in known if run.status == "queued" and run.owner == identity.owner()]
    return sorted(((run, said) for run in mine if (said := place(run.id))), key=lambda pair: pair[0].created)
