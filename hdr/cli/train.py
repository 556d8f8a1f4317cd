"""python -m hdr train: a run in this process, with the same store, files and numbers as in the app."""

from __future__ import annotations

import json
import queue
import secrets
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hdr.types import HdrError

if TYPE_CHECKING:
    from hdr.store.runs import Run, RunStore
    from hdr.training.run_spec import RunSpec

OWNER = "local"
"""Who runs belong to that are started here; in the app's local profile, everybody is this owner."""

LOOK_SECONDS = 0.3

DATA_HELP = (
    "What to learn from, instead of what the plan says: mnist, bundled (comes with the app), or qmnist, emnist-digits "
    "or usps, once python -m hdr data --fetch NAME has got it."
)

Events = queue.SimpleQueue[dict[str, Any]]


@click.command()
@click.option("--preset", metavar="NAME", help="A ready-made plan: article, fast or best.")
@click.option("--spec", "spec_file", metavar="FILE", type=click.Path(path_type=Path), help="A plan as a JSON file.")
@click.option("--data", metavar="NAME", help=DATA_HELP)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object instead of a table.")
def train(preset: str | None, spec_file: Path | None, data: str | None, as_json: bool) -> None:
    """Train a classifier and measure it on the test digits."""
    spec = _plan(preset, spec_file, data)

    import cv2

    from hdr import cluster, datasets
    from hdr.store.runs import RunStore
    from hdr.training.limits import check_memory

    cv2.setNumThreads(1)
    # Before it becomes a run, as on the Train page: one that the system ends for its memory could not say why.
    check_memory(spec, datasets.load(spec.dataset))
    cluster.register()
    store = RunStore()
    run = store.create(spec, OWNER, token=secrets.token_hex(16))
    try:
        _execute(store, run.id, hidden=as_json)
    except KeyboardInterrupt:
        store.request_stop(run.id)
        store.end(run.id, "stopped")
        raise HdrError(f"Run {run.id} was stopped.") from None
    run = store.get(run.id)
    if run.status != "done":
        raise HdrError(f"Run {run.id} has {run.status}. {run.message}".strip())
    summary = summarise(run)
    if as_json:
        click.echo(json.dumps(summary))
    else:
        _print_table(summary)


def summarise(run: Run) -> dict[str, Any]:
    """What a run that is done has come to, as plain JSON values."""
    kept = ("fitted_on", "test_accuracy", "interval", "validation_accuracy", "train_accuracy")
    return {
        "run": run.id,
        "status": run.status,
        "dataset": run.spec.dataset,
        "classifier": run.spec.classifier.name,
        "train_size": run.spec.train_size,
        **{name: run.result[name] for name in (*kept, "fit_seconds", "total_seconds", "peak_mb")},
    }


def _plan(preset: str | None, spec_file: Path | None, data: str | None) -> RunSpec:
    from hdr.training.run_spec import PRESETS, RunSpec, for_dataset

    if preset is not None and spec_file is None:
        if preset not in PRESETS:
            raise HdrError(f"There is no preset {preset!r}; there are {', '.join(PRESETS)}.")
        spec = PRESETS[preset].spec
    elif spec_file is not None and preset is None:
        spec = RunSpec.from_json(read_json(spec_file))
    else:
        raise click.UsageError("Say what to train: either --preset article, fast or best, or --spec FILE.json.")
    spec = spec if data is None else for_dataset(spec, data)
    check_dataset(spec)
    return spec


def check_dataset(spec: RunSpec) -> None:
    """Refuse a plan whose data set is not on this machine; the message says how to get it."""
    from hdr import datasets

    known = {status.name: status for status in datasets.describe()}
    if spec.dataset not in known:
        raise HdrError(f"There is no data set {spec.dataset!r}; there are {', '.join(known)}.")
    if not known[spec.dataset].ready:
        raise HdrError(
            f"{known[spec.dataset].title} is not on this machine, or is damaged. "
            "Get it with: python -m hdr data --fetch\nOr train on the small set that comes with the app: --data bundled"
        )


def read_json(path: Path) -> Any:
    """What a JSON file holds; an error names the file and what is wrong."""
    try:
        return json.loads(path.read_bytes())
    except OSError as error:
        raise HdrError(f"{path} cannot be read: {error.strerror}.") from None
    except (ValueError, RecursionError) as error:
        raise HdrError(f"{path} is not JSON: {error}.") from None


def _execute(store: RunStore, run_id: str, hidden: bool) -> None:
    from hdr.jobs.worker import execute

    events: Events = queue.SimpleQueue()
    # In a thread, since libraries compute for many seconds without looking at Ctrl-C; this one waits for it instead.
    worker = threading.Thread(target=execute, args=(store, run_id), kwargs={"report": events.put}, daemon=True)
    worker.start()
    with click.progressbar(length=100, label="starting", file=sys.stderr, show_eta=False, hidden=hidden) as bar:
        while worker.is_alive():
            worker.join(LOOK_SECONDS)
            while not events.empty():
                _show(bar, events.get())
            if not store.heartbeat(run_id) and store.get(run_id).status in ("running", "stopped"):
                raise KeyboardInterrupt
    # A server that shares the store may have taken the run before this process did.
    while store.get(run_id).active:
        time.sleep(LOOK_SECONDS)


def _show(bar: Any, event: dict[str, Any]) -> None:
    if "step" in event:
        share = f"{event['unit']} {event['step']:,} of {event['of']:,}"
        bar.label = f"{share}, validation {event['validation_accuracy']:.2%}"
        bar.update(round(100 * event["step"] / event["of"]) - bar.pos)
    elif "digits" in event:
        bar.label = f"{event['phase']}, {event['digits']:,} digits"
        bar.update(0)
    elif event["phase"] == "paused":
        bar.label = "paused"
        bar.update(0)


def _print_table(summary: dict[str, Any]) -> None:
    low, high = summary["interval"]
    memory = f"{summary['peak_mb']:,.0f} MB" if summary["peak_mb"] else "unknown"
    rows = [
        ("Run", summary["run"]),
        ("Classifier", summary["classifier"]),
        ("Fitted on", f"{summary['fitted_on']:,} digits of {summary['dataset']}"),
        ("Test accuracy", f"{summary['test_accuracy']:.2%} (95% interval {low:.2%} to {high:.2%})"),
        ("Validation accuracy", f"{summary['validation_accuracy']:.2%}"),
        ("Fitting", f"{summary['fit_seconds']:.1f} s"),
        ("In all", f"{summary['total_seconds']:.1f} s"),
        ("Memory at most", memory),
    ]
    for name, value in rows:
        click.echo(f"{name:20} {value}")
