"""The run store with 1,000 runs and 100,000 events: how long the Runs page and a comparison of ten take.

    python benchmarks/store.py [--runs 1000] [--events 100] [--repeats 7]

The store is created in a separate home folder. Pages are run as Streamlit runs them, without a browser, each after a
first time that is not counted. Beside the time stands the processor's, which a busy machine does not lengthen.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))


def fill(runs: int, events: int) -> list[str]:
    """Fill the store of this home; returns the ids of the runs. Results are as long as they get, with 500 mistakes."""
    import numpy as np
    import sqlalchemy as sa

    from hdr.store import schema
    from hdr.store.runs import RunStore
    from hdr.training.metrics import evaluate
    from hdr.training.run_spec import PRESETS, RunSpec
    from hdr.types import Step

    store, random = RunStore(), np.random.default_rng(0)
    labels = random.integers(0, 10, 10_000).astype(np.uint8)
    probabilities = np.full((10_000, 10), 0.05)
    probabilities[np.arange(10_000), (labels + (random.random(10_000) < 0.08)) % 10] = 0.55
    result = {**evaluate(labels, probabilities), "fitted_on": 10_000, "features": 324, "total_seconds": 9.0}
    plans: list[RunSpec] = [replace(preset.spec, dataset="bundled") for preset in PRESETS.values()]
    rows, points = [], []
    for number in range(runs):
        spec = replace(plans[number % len(plans)], seed=number)
        if spec.classifier.name == "mlp":
            spec = replace(spec, classifier=Step("mlp", {"units": 10 + number % 300}))
        figures = {
            "test_accuracy": 0.9 + 0.09 * float(random.random()),
            "validation_accuracy": 0.95,
            "train_accuracy": 1.0,
            "fit_seconds": float(random.lognormal()),
            "predict_ms": float(random.lognormal()) / 10,
            "model_bytes": int(random.integers(10_000, 10_000_000)),
        }
        full, name = result | figures, f"{number:024x}"
        rows.append(
            {
                "id": name,
                "owner": "local",
                "published": False,
                "token": name,
                "title": spec.summary,
                "key": spec.key,
                "spec": json.dumps(spec.to_json()),
                "status": "done",
                "message": "",
                "stop": False,
                "created": 1.7e9 + number,
                "result": json.dumps(full),
                **schema.figures(full),
            }
        )
        for n in range(events):
            event = {
                "phase": "fitting",
                "step": n + 1,
                "of": events,
                "unit": "epoch",
                "loss": 1 / (n + 1),
                "train_accuracy": 1 - 0.5 / (n + 1),
                "validation_accuracy": 1 - 0.6 / (n + 1),
                "elapsed": 0.1 * n,
            }
            points.append({"run": name, "number": n, "time": 1.7e9, "data": json.dumps(event)})
    engine = sa.create_engine(store.url)
    with engine.begin() as connection:
        connection.execute(schema.runs.insert(), rows)
        connection.execute(schema.events.insert(), points)
    return [row["id"] for row in rows]


def _alone(work: Callable[[], object], _: None) -> None:
    work()


def measure(title: str, work: Callable[[Any], Any], repeats: int, ready: Callable[[], Any] = lambda: None) -> None:
    """Print the median and the longest of some times, after a first one that is not counted; the preparation
    is not counted either."""
    work(ready())
    walls, processor = [], []
    for _ in range(repeats):
        things = ready()
        start, busy = perf_counter(), process_time()
        work(things)
        walls.append((perf_counter() - start) * 1000)
        processor.append((process_time() - busy) * 1000)
    print(
        f"{title:46}{statistics.median(walls):>9.1f} ms{max(walls):>9.1f} ms{statistics.median(processor):>9.1f} ms",
        flush=True,
    )


def pages(ids: list[str], repeats: int) -> None:
    """The Runs page as Streamlit runs it, each time in a new session."""
    from streamlit.testing.v1 import AppTest

    from hdr.ui.shell import startup

    # Prevent training of the default model, and downloads.
    startup._prepare = lambda *_: None

    def session(address: str) -> AppTest:
        app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60).run()
        app.switch_page("pages/runs.py")
        if address:
            app.query_params["runs"] = address
        return app

    def opened(app: AppTest) -> None:
        app.run()
        assert app.header[0].value == "All runs" and not app.exception, app.exception

    measure("the Runs page", opened, repeats, lambda: session(""))
    measure("the Runs page with a comparison of ten", opened, repeats, lambda: session("~".join(ids[-10:])))


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--events", type=int, default=100, help="of each run")
    parser.add_argument("--repeats", type=int, default=7)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        os.environ["HDR_HOME"] = folder
        ids = fill(options.runs, options.events)
        from hdr.store.runs import RunStore

        size = (Path(folder) / "runs.sqlite").stat().st_size / 1e6
        print(f"{options.runs:,} runs, {options.runs * options.events:,} events, {size:.0f} MB")
        print(f"{'':46}{'median':>12}{'longest':>12}{'processor':>12}")
        store = RunStore()
        works: dict[str, Callable[[], object]] = {
            "opening the store": RunStore,
            "all runs as a list": lambda: store.listed("local"),
            "the 200 newest readers, as for every stroke": lambda: store.listed("local", ("done",), 200),
            "the curves of ten runs": lambda: store.curves(ids[:10]),
            "200 runs with their results": lambda: store.runs("local"),
        }
        for title, work in works.items():
            measure(title, partial(_alone, work), options.repeats)
        pages(ids, options.repeats)


if __name__ == "__main__":
    main()
