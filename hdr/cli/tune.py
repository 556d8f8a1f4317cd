"""python -m hdr tune: a search in this process, with the same store and numbers as in the app."""

from __future__ import annotations

import json
import queue
import secrets
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hdr.cli.train import LOOK_SECONDS, OWNER, check_dataset, read_json
from hdr.types import HdrError

if TYPE_CHECKING:
    from hdr.store.runs import RunStore
    from hdr.tuning.records import Search, Trial


@click.command()
@click.option(
    "--space", "space_file", metavar="FILE", type=click.Path(path_type=Path), required=True, help="A search as JSON."
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def tune(space_file: Path, as_json: bool) -> None:
    """Search for the best settings, by validation digits."""
    from hdr.tuning.search_spec import SearchSpec

    spec = SearchSpec.from_json(read_json(space_file))
    check_dataset(spec.base)

    import cv2

    from hdr import cluster
    from hdr.store.runs import RunStore
    from hdr.store.searches import SearchStore

    cv2.setNumThreads(1)
    cluster.register()
    store = RunStore()
    searches = SearchStore(store)
    search = searches.create(spec, OWNER, token=secrets.token_hex(16))
    try:
        _execute(store, search, hidden=as_json)
    except KeyboardInterrupt:
        searches.end(search.id, "stopped")
    search = searches.get(search.id)
    if search.status != "done":
        raise HdrError(f"Search {search.id} has {search.status}. {search.message}".strip())
    if search.best is None:
        raise HdrError(search.message)
    summary = summarise(search, searches.trial(search.id, search.best))
    click.echo(json.dumps(summary)) if as_json else _print_table(summary)


def summarise(search: Search, best: Trial) -> dict[str, Any]:
    """What a search that is done has come to, as plain JSON values."""
    return {
        "search": search.id,
        "status": search.status,
        "trials": search.ended,
        "seconds": search.seconds,
        "best": best.number,
        "validation_accuracy": best.value,
        "values": best.values,
        "spec": best.spec(search).to_json(),
    }


def _execute(store: RunStore, search: Search, hidden: bool) -> None:
    from hdr.jobs.search_runner import execute

    ended: queue.SimpleQueue[Trial] = queue.SimpleQueue()
    # In a thread, since libraries compute for many seconds without looking at Ctrl-C; this one waits for it instead.
    arguments = {"stopped": lambda: None, "report": ended.put}
    worker = threading.Thread(target=execute, args=(store, search.id), kwargs=arguments, daemon=True)
    worker.start()
    best = 0.0
    with click.progressbar(length=search.spec.most_trials, label="starting", file=sys.stderr, hidden=hidden) as bar:
        while worker.is_alive():
            worker.join(LOOK_SECONDS)
            while not ended.empty():
                trial = ended.get()
                best = max(best, trial.value or 0.0)
                bar.label = f"trial {trial.number}: {trial.status}, best {best:.2%}"
                bar.update(1)


def _print_table(summary: dict[str, Any]) -> None:
    rows = [
        ("Search", summary["search"]),
        ("Trials", f"{summary['trials']} in {summary['seconds']:.1f} s"),
        ("Best", f"trial {summary['best']}, validation accuracy {summary['validation_accuracy']:.2%}"),
        *((path, value) for path, value in summary["values"].items()),
    ]
    width = max(len(name) for name, _ in rows)
    for name, value in rows:
        click.echo(f"{name:{width}}  {value}")
