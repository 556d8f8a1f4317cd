"""How many made pages with numbers are read exactly right: python -m benchmarks.made_pages

The pages are those of the tests (tests/support/synthetic_pages.py), of digits that trained no network: MNIST's test
split and the six held-out writers of the pen strokes.
"""

from __future__ import annotations

import argparse
import gzip
import json
from time import process_time

import cv2
import numpy as np

from hdr import datasets
from hdr.paths import dataset_folders
from hdr.reading import read_page, ready
from tests.support.synthetic_pages import Pool, from_images, from_strokes, make_page

HELD_OUT = (5, 10, 15, 20, 25, 30)
STROKES = "strokes/pendigits-train.jsonl.gz"


def pools() -> dict[str, Pool]:
    """Whose digits are written."""
    path = next(folder / STROKES for folder in dataset_folders() if (folder / STROKES).is_file())
    with gzip.open(path, "rt") as stream:
        rows = [row for row in map(json.loads, stream) if row["writer"] in HELD_OUT]
    drawings = [[np.array(s, float) for s in row["strokes"]] for row in rows]
    labels = np.array([row["label"] for row in rows], np.uint8)
    return {"MNIST test": from_images(datasets.load("mnist").test), "held-out pens": from_strokes(drawings, labels)}


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pages", type=int, default=500, help="of each kind")
    pages = parser.parse_args().pages
    cv2.setNumThreads(1)
    reader = ready.load()
    print(_row("", "digits of", "pages", "exactly right", "count right", "ms, median", "95th"))
    for touching in (False, True):
        rights = []
        for name, pool in pools().items():
            right, counted, times = [], [], []
            for seed in range(pages):
                page = make_page(pool, seed, touching=touching, lines=1 + (seed % 10 == 9))
                start = process_time()
                reading = read_page(page.image, reader)
                times.append(1e3 * (process_time() - start))
                right.append(reading.number == page.number)
                counted.append(len(reading.digits) == len(page.boxes))
            rights += right
            kind = "touching" if touching else "separate"
            median, late = (f"{v:.0f}" for v in np.percentile(times, [50, 95]))
            print(_row(kind, name, pages, f"{np.mean(right):.1%}", f"{np.mean(counted):.1%}", median, late), flush=True)
        print(_row("", "both", 2 * pages, f"{np.mean(rights):.1%}"), flush=True)


def _row(kind: str, name: str, pages: object, right: str, counted: str = "", median: str = "", late: str = "") -> str:
    return f"{kind:10} {name:14} {pages:>6} {right:>14} {counted:>12} {median:>11} {late:>6}".rstrip()


if __name__ == "__main__":
    main()
