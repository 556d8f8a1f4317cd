"""Training: the article's recipe in plain scikit-learn beside our presets, in one run.

    python benchmarks/training.py [--best]

How the presets were chosen: fitted on 30,000 digits of the training split and compared on 20,000 others of it, by
which digits each gets wrong. The test split was read once, for the figures here.

    upright, one size, centred; HOG of 4 px cells; 150 components; C = 5     139 errors of 20,000
    the same with HOG of 7 px cells added                                    138
    with 250 components                                                      131
    upright only; both HOGs; 150 components                                  127
    upright only; HOG of 4 px cells; 150 components                          128
    upright only; both HOGs; 200 components; C = 10                          131
    upright only; both HOGs; 100 components                                  132
    digits as published; both HOGs; 150 components                           157
    with raw pixels added                                                    161
    one size, both HOGs, with one distorted copy of each digit               133    fitting takes five times as long

Then on 55,000 digits, and compared on the 5,000 that a run keeps for validation, without a fitted temperature:

    upright only; both HOGs; 150 components                                  38 errors of 5,000
    the same with 100 components and one distorted copy of each digit        33    "Best"

Fewer than about 15 errors more or less may be chance (McNemar's test): preprocessing and HOG matter most, then
the number of digits.

The plain recipe times what its few lines time, fitting and scoring on pixels that lie ready. Ours is timed twice: what
fitting took, features and reduction included, and everything from the images to the result, with the learning curve and
the test. Every row runs in a process of its own with one numerical thread.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from time import perf_counter
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


def plain() -> dict[str, Any]:
    """The article's recipe as one would write it: 60,000 digits, pixels from 0 to 1, ten epochs."""
    from sklearn.neural_network import MLPClassifier

    from hdr import datasets

    mnist = datasets.load("mnist")
    train, test = (s.images.reshape(len(s), -1) / 255 for s in (mnist.train, mnist.test))
    start = perf_counter()
    network = MLPClassifier(hidden_layer_sizes=(100,), max_iter=10, random_state=0).fit(train, mnist.train.labels)
    fitted = perf_counter()
    accuracy = network.score(test, mnist.test.labels)
    return _row(accuracy, len(train), fitted - start, perf_counter() - start)


def preset(name: str) -> dict[str, Any]:
    """Run a preset as the training process does, and compare it with the predicted cost."""
    import cv2

    from hdr import datasets
    from hdr.jobs.cost_estimate import estimate
    from hdr.training.fitting import fit
    from hdr.training.run_spec import PRESETS

    cv2.setNumThreads(1)
    foreseen = estimate(PRESETS[name].spec)
    metrics = fit(PRESETS[name].spec, datasets.load("mnist")).metrics
    row = _row(metrics["test_accuracy"], metrics["fitted_on"], metrics["fit_seconds"], metrics["total_seconds"])
    return row | {"foreseen": [foreseen.fit_seconds, foreseen.total_seconds, foreseen.peak_mb]}


def _row(accuracy: float, digits: int, fit_seconds: float, total_seconds: float) -> dict[str, Any]:
    from hdr.training.fitting import peak_rss_mb

    return {
        "accuracy": accuracy,
        "digits": digits,
        "fit": fit_seconds,
        "total": total_seconds,
        "peak": peak_rss_mb() or float("nan"),
    }


def _foreseen(row: dict[str, Any]) -> str:
    if "foreseen" not in row:
        return ""
    fitting, total, memory = row["foreseen"]
    return f"{fitting:.1f} s, {total:.1f} s, {memory:,.0f} MB"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--best", action="store_true", help="also the preset on all digits (minutes)")
    parser.add_argument("--row", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.row:
        print(json.dumps(plain() if options.row == "plain" else preset(options.row)))
        return
    print(f"{'':28}{'fitted on':>10}{'accuracy':>10}{'fitting':>10}{'in all':>10}{'memory':>10}   foreseen")
    titles = {"plain": "article, plain scikit-learn", "article": "article", "fast": "fast"}
    if options.best:
        titles["best"] = "best"
    environment = {**os.environ, **THREADS, "PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "ignore"}
    for name, title in titles.items():
        command = [sys.executable, __file__, "--row", name]
        done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, text=True, check=True)
        row = json.loads(done.stdout.splitlines()[-1])
        print(
            f"{title:28}{row['digits']:>10,}{row['accuracy']:>10.2%}{row['fit']:>8.1f} s{row['total']:>8.1f} s"
            f"{row['peak']:>7,.0f} MB   {_foreseen(row)}"
        )


if __name__ == "__main__":
    main()
