"""Where something from outside comes in: what is sent there, and what the app does with it.

Each takes content as the app gets it (a file's bytes, an address's text, what a canvas says) through the functions that
the pages call, up to what is shown.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import random
import string
import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hdr import catalogue, datasets
from hdr.analysis import compare_runs
from hdr.cli import read as command
from hdr.datasets.formats import idx
from hdr.export import preprocessing_script
from hdr.features.extract import drawings
from hdr.plots import html_images
from hdr.preprocessing import PRESETS, Pipeline
from hdr.preprocessing.pipeline import chain
from hdr.preprocessing.size_normalisation import from_strokes
from hdr.reading import open_image, read_numbers, read_page, read_strokes, ready, sharing, strokes_from_canvas
from hdr.reading.cutting import cut, find_digits
from hdr.reading.handwriting import Handwriting
from hdr.training.limits import check_memory
from hdr.training.run_spec import PRESETS as PLANS
from hdr.training.run_spec import RunSpec, for_dataset
from hdr.tuning.search_spec import SearchSpec
from hdr.tuning.space import all_dimensions, reachable_dimensions
from hdr.types import Dataset, HdrError, Step, Strokes
from hdr.ui.draw import photo_board
from hdr.ui.features import extractor_gallery
from hdr.ui.inputs import clipboard, digit_picker, image_source
from hdr.ui.runs import actions
from hdr.ui.state import search_config
from hdr.ui.tune import parallel_brush
from tests.hostile import data_sets, mutate

WHOLE_WAY = 120_000
"""Pixels up to which a picture is also read; larger ones take the time that their pixels take."""

READ = 6
"""One of so many pictures is read to its end, since that takes a tenth of a second and opening it a hundredth."""


@dataclass(frozen=True)
class Surface:
    """One way in.

    Attributes:
        share: how much of all cases it gets.
        make: content from a source of random numbers.
        take: what the app does with it; an `HdrError` is a plain answer.
        valid: sound content, which is taken in before anything is watched.
    """

    share: int
    make: Callable[[random.Random], bytes]
    take: Callable[[bytes], None]
    valid: Callable[[], list[bytes]]


@cache
def reader() -> ready.Reader:
    """The ready-made reader."""
    return ready.load()


@cache
def _digits() -> Dataset:
    return datasets.load("bundled")


@cache
def _page() -> NDArray[np.uint8]:
    page = np.full((96, 300), 230, np.uint8)
    for place in range(4):
        box = page[34:62, 30 + 60 * place : 58 + 60 * place]
        box -= (_digits().test.images[place] * 0.7).astype(np.uint8)
    return page


@cache
def _seeds() -> list[bytes]:
    """The same page in every format and mode that is opened, with and without what cameras add."""
    grey, found = Image.fromarray(_page()), []
    clear = Image.merge("LA", (grey, grey.point(lambda v: 255 - v)))
    deep = Image.fromarray(_page().astype(np.uint16) * 200)
    exif = Image.Exif()
    exif[0x0112], exif[0x010E], exif[0x9286] = 6, "a page", b"UNICODE\0" + b"x" * 50
    modes = [grey, grey.convert("RGB"), grey.convert("P"), grey.convert("1"), clear, clear.convert("RGBA"), deep]
    modes += [grey.convert("CMYK"), grey.convert("I"), grey.convert("F")]
    options: list[tuple[str, dict[str, Any]]] = [
        ("PNG", {}),
        ("PNG", {"exif": exif.tobytes()}),
        ("JPEG", {"exif": exif.tobytes(), "quality": 60}),
        ("JPEG", {"progressive": True}),
        ("WEBP", {"exif": exif.tobytes()}),
        ("WEBP", {"lossless": True}),
        ("GIF", {}),
        ("GIF", {"save_all": True, "append_images": [grey.rotate(3)] * 3}),
        ("BMP", {}),
        ("TIFF", {"exif": exif.tobytes()}),
        ("TIFF", {"compression": "tiff_lzw"}),
        ("TIFF", {"compression": "tiff_adobe_deflate"}),
        ("TIFF", {"compression": "jpeg"}),
        ("TIFF", {"compression": "group4"}),
    ]
    for picture in modes:
        for name, more in options:
            stream = io.BytesIO()
            try:
                picture.save(stream, name, **more)
            except (OSError, ValueError, TypeError, KeyError):
                continue  # not every format has every mode
            found.append(stream.getvalue())
    return found


def _refused(data: bytes) -> bool:
    # Sound, and not opened: what such a file can cost cannot be told.
    with Image.open(io.BytesIO(data)) as picture:
        return picture.info.get("compression") in ("jpeg", "tiff_jpeg")


def _image(random: random.Random) -> bytes:
    kind = random.random()
    if kind < 0.03:
        return _swelling(random)
    if kind < 0.06:
        return _strange_picture(random)
    data = random.choice(_seeds())
    changed = mutate.damaged(random, data)
    return mutate.repaired(changed) if data.startswith(b"\x89PNG") and random.random() < 0.7 else changed


def _swelling(random: random.Random) -> bytes:
    """A small file that is large inside, or says that it is."""
    bomb = bytes(random.choice((1_000_000, 60_000_000)))
    sizes = [
        (1, 20_000_000),
        (20_000_000, 1),
        (5_000, 4_000),
        (10_000, 5_000),
        (2**31 - 1, 1),
        (300, 65_535),
        (0, 9),
    ]
    width, height = random.choice(sizes)
    depth, colour = random.choice(((8, 0), (8, 2), (8, 6), (16, 0), (16, 6), (1, 0), (8, 3), (16, 2)))
    chunk = random.choice(("zTXt", "iCCP", "iTXt", "eXIf", "tEXt", "PLTE", "tRNS"))
    packed = zlib.compress(bomb, 1)
    more = {chunk: b"note\0\0" + packed} if random.random() < 0.4 else {}
    return mutate.png(width, height, bomb if random.random() < 0.5 else b"", colour, depth, **more)


def _strange_picture(random: random.Random) -> bytes:
    """Sound files of pictures that nobody would take: noise, grids, stripes, dots, one line of pixels."""
    numbers = np.random.default_rng(random.randrange(2**32))
    h, w = random.choice(((1, 90_000), (90_000, 1), (300, 300), (2, 40_000), (150, 700), (1, 1), (3, 3), (28, 28)))
    y, x = np.mgrid[:h, :w]
    step = random.choice((1, 2, 3, 5, 9))
    picture = random.choice(
        (
            lambda: numbers.integers(0, 256, (h, w)),
            lambda: (x // step + y // step) % 2 * 255,
            lambda: ((x % (2 * step) == 0) & (y % (2 * step) == 0)) * 255,
            lambda: (x % (2 * step) < step) * 255,
            lambda: (np.hypot(x - w / 2, y - h / 2) // step % 2) * 255,
            lambda: np.full((h, w), 255),
            lambda: np.where(numbers.random((h, w)) < 0.02, 0, 255),
        )
    )()
    stream = io.BytesIO()
    Image.fromarray(picture.astype(np.uint8)).save(stream, random.choice(("PNG", "BMP", "TIFF")))
    return stream.getvalue()


def _take_image(data: bytes) -> None:
    grey = open_image(data)
    assert grey.dtype == np.uint8 and grey.ndim == 2
    scale = min(1.0, (image_source.MOST_PIXELS / max(grey.size, 1)) ** 0.5)
    grey = html_images.shrunk(grey, min(image_source.LONGEST_SIDE, int(max(grey.shape) * scale)))
    assert html_images.digit(grey, 140, "your photo")
    if grey.size <= WHOLE_WAY and zlib.crc32(data) % READ == 0:
        whole, single = chain(*PRESETS["Noisy photo"]).parted()
        ink = whole.apply(grey[None])[0]
        single.apply(cut(ink, find_digits(ink)))
        read_page(grey, reader(), reader())


def _take_pasted(data: bytes) -> None:
    _take_image(clipboard.decoded(data.decode("latin-1")))


def _pasted(random: random.Random) -> bytes:
    text = base64.b64encode(random.choice(_seeds())).decode()
    return mutate.reworded(random, text, string.printable).encode("utf-8", "surrogatepass")


def _plans() -> list[Any]:
    kinds = [catalogue.entries(kind) for kind in ("classifier", "feature", "reduction", "step")]
    found = [for_dataset(p.spec, "bundled").to_json() for p in PLANS.values()]
    found += [RunSpec("bundled", 500, classifier=Step(classifier.name)).to_json() for classifier in kinds[0]]
    found += [{"dataset": "bundled", "features": [{"name": feature.name}, {"name": "pixels"}]} for feature in kinds[1]]
    found.append({"dataset": "bundled", "reduction": {"name": kinds[2][0].name}, "augmentation": {"name": "distort"}})
    found.append({"dataset": "bundled", "pipeline": [{"name": s.name} for s in kinds[3][:20]]})
    steered = {"classifier": {"name": "mlp", "epochs": 9}, "changes": [{"epoch": 4, "learning_rate": 0.0005}]}
    return [*found, {"dataset": "bundled", **steered, "changes": [*steered["changes"], {"epoch": 8, "stop": True}]}]


def _as_text(data: bytes) -> str:
    # As browsers and Streamlit hand a text over: what is no text becomes a mark.
    return data.decode("utf-8", "replace")


def _take_plan(data: bytes) -> None:
    spec = actions.read_plan(_as_text(data)[: actions.LONGEST_PLAN])
    assert RunSpec.from_json(json.loads(json.dumps(spec.to_json()))).key == spec.key
    assert spec.summary and compare_runs.settings(spec.to_json())
    check_memory(spec, _digits())


def _searches() -> list[Any]:
    found: list[Any] = []
    for plan in _plans()[:6]:
        base = RunSpec.from_json(plan)
        space = [d.to_json() for d in reachable_dimensions(base, ())]
        for method in ("tpe", "grid", "random", "halving"):
            picked = random.Random(len(found)).sample(space, min(3, len(space)))
            found.append({"base": plan, "space": picked, "method": method, "most_trials": 9, "validation": 3})
    return [*found, {"base": _plans()[0], "space": [d.to_json() for d in all_dimensions(RunSpec("bundled"))][:40]}]


def _take_search(data: bytes) -> None:
    draft = search_config.from_text(_as_text(data[: 4 * search_config.LONGEST + 1]))
    assert draft.to_text() and isinstance(reachable_dimensions(draft.base, draft.space), tuple)
    spec = draft.spec
    assert SearchSpec.from_json(json.loads(json.dumps(spec.to_json()))).key == spec.key
    assert spec.summary and spec.grid_size >= 1
    if (own := spec.own_values()) is not None:
        spec.apply(own)


def _take_chain(data: bytes) -> None:
    pipeline = Pipeline.from_text(_as_text(data))
    assert Pipeline.from_text(pipeline.to_text()) == pipeline
    preprocessing_script.script(pipeline)
    pipeline.apply(_digits().test.images[:1])


def _chains() -> list[str]:
    texts = [chain(*steps).to_text() for steps in PRESETS.values() if steps]
    texts += [catalogue.step_to_text(catalogue.with_defaults("step", Step(e.name))) for e in catalogue.entries("step")]
    return [*texts, "~".join(texts[-8:])]


def _take_digit(data: bytes) -> None:
    choice = digit_picker._from_text(_as_text(data))
    assert digit_picker._from_text(digit_picker._to_text(choice)) == choice


def _take_feature(data: bytes) -> None:
    step = catalogue.step_from_text("feature", _as_text(data)[: extractor_gallery.LONGEST_ADDRESS])
    for one in drawings(step, _digits().test.images[0]):
        assert html_images.drawing(one, 196)


def _features() -> list[str]:
    return [
        catalogue.step_to_text(catalogue.with_defaults("feature", Step(e.name))) for e in catalogue.entries("feature")
    ]


@cache
def _strokes() -> Strokes:
    angles = np.linspace(0, 6, 40)
    ring = np.stack([140 + 60 * np.cos(angles), 140 + 90 * np.sin(angles)], axis=1)
    return [ring, np.array([[20.0, 20], [60, 200]]), np.array([[9.5, 7.25]])]


def _take_share(data: bytes) -> None:
    strokes = sharing.from_text(_as_text(data))
    read_strokes(strokes, reader())
    sharing.to_text(strokes)


def _share(random: random.Random) -> bytes:
    if random.random() < 0.5:
        alphabet = string.ascii_letters + string.digits + "-_ =+/%"
        return mutate.reworded(random, sharing.to_text(_strokes()), alphabet).encode("utf-8", "surrogatepass")
    # With a check that is right: everything behind it is looked at.
    content = b"\x01" + mutate.damaged(random, sharing._bytes(sharing.to_text(_strokes())))
    whole = content + sharing._check(content)
    return base64.urlsafe_b64encode(whole).rstrip(b"=")


def _take_hand(data: bytes) -> None:
    mine = Handwriting().with_lines(data)
    assert len(mine.split()) == len(mine)
    assert len(Handwriting().with_lines(mine.to_lines().encode())) == len(mine)


def _drawings() -> list[Any]:
    return [{"label": 7, "strokes": [s.tolist() for s in _strokes()]}, {"label": 0, "strokes": [[[1, 2], [3, 4.5]]]}]


def _lines(random: random.Random) -> bytes:
    lines = [mutate.written(random, mutate.nasty(random, d)) for d in _drawings()]
    return random.choice((b"\n", b"\r\n", b"\n\n", b"\xef\xbb\xbf")).join(lines * random.choice((1, 1, 3, 300)))


def _take_lines(data: bytes) -> None:
    for number, (_, line) in enumerate(command._lines(io.BytesIO(data))):
        if number == 20:
            break  # a file of one's own, read by the command line, may take as long as it is
        found = command._parse(line)
        if isinstance(found, HdrError):
            assert len(str(found)) < LONGEST_MESSAGE
        elif number < 3:
            command._as_json(number, read_numbers([found], reader(), reader())[0])


def _canvases() -> list[Any]:
    path = [["M", 10, 20], ["Q", 30, 40, 50, 60], ["Q", 80, 90, 100, 20], ["L", 100, 21]]
    look = {
        "left": 60,
        "top": 40,
        "scaleX": 1,
        "scaleY": 1,
        "angle": 0,
        "flipX": False,
        "skewX": 0,
        "originX": "center",
    }
    drawn = {"type": "Path", "path": path, "originY": "center", "strokeWidth": 18, "stroke": "#1c2430", **look}
    box = {"type": "Rect", "width": 40, "height": 60, **look}
    return [{"version": "7", "objects": [drawn, drawn]}, {"version": "7", "objects": [box, drawn, {"type": "Circle"}]}]


def _take_canvas(data: bytes) -> None:
    try:
        sent = json.loads(data)
    except (ValueError, RecursionError):
        return  # Streamlit's part: what a component sends is JSON
    photo_board.boxes_of(sent, 1.7, (900, 480))
    parallel_brush.parse(sent, "a", 3)
    found = sent.get("objects") if isinstance(sent, dict) else None
    strokes = strokes_from_canvas(found if isinstance(found, list) else [])
    if strokes:
        from_strokes(strokes)
        read_strokes(strokes, reader())


def _brushes() -> list[Any]:
    return [{"search": "a", "ranges": [[0.1, 0.9], [[1, 2], [3, 4]], None]}]


@cache
def _idx() -> list[bytes]:
    split = _digits().test
    images = struct.pack(">4B3I", 0, 0, 8, 3, 20, 28, 28) + split.images[:20].tobytes()
    labels = struct.pack(">4BI", 0, 0, 8, 1, 20) + split.labels[:20].tobytes()
    return [images, labels, gzip.compress(images, mtime=0), gzip.compress(labels, mtime=0)]


def _take_idx(data: bytes) -> None:
    found = idx.parse(b"".join(idx.inflate([data[:7], data[7:]], 1_000_000)))
    assert found.nbytes <= 1_000_000


def _idx_bomb(random: random.Random) -> bytes:
    if random.random() < 0.02:
        return gzip.compress(bytes(80_000_000), 1, mtime=0)
    return mutate.damaged(random, random.choice(_idx()))


LONGEST_MESSAGE = 1_200
"""Letters that a message may have: a page stays a page, whatever was sent."""


def _json(random: random.Random, values: list[Any]) -> bytes:
    return mutate.written(random, mutate.nasty(random, random.choice(values)))


def _text(random: random.Random, texts: list[str]) -> bytes:
    alphabet = string.ascii_lowercase + string.digits + "-_~.+ %"
    return mutate.reworded(random, random.choice(texts), alphabet).encode("utf-8", "surrogatepass")


def _dumped(values: list[Any]) -> list[bytes]:
    return [json.dumps(v).encode() for v in values]


SURFACES: dict[str, Surface] = {
    "picture": Surface(30, _image, _take_image, lambda: [s for s in _seeds() if not _refused(s)]),
    "pasted picture": Surface(3, _pasted, _take_pasted, lambda: [base64.b64encode(s) for s in _seeds()[:3]]),
    "plan": Surface(14, lambda r: _json(r, _plans()), _take_plan, lambda: _dumped(_plans())),
    "search": Surface(12, lambda r: _json(r, _searches()), _take_search, lambda: _dumped(_searches())),
    "chain": Surface(8, lambda r: _text(r, _chains()), _take_chain, lambda: [t.encode() for t in _chains()]),
    "feature": Surface(5, lambda r: _text(r, _features()), _take_feature, lambda: [t.encode() for t in _features()]),
    "digit": Surface(
        2, lambda r: _text(r, ["bundled-test-any-0", "photo"]), _take_digit, lambda: [b"bundled-test-3-1"]
    ),
    "share link": Surface(9, _share, _take_share, lambda: [sharing.to_text(_strokes()).encode()]),
    "handwriting": Surface(5, _lines, _take_hand, lambda: [b"\n".join(_dumped(_drawings()))]),
    "strokes file": Surface(3, _lines, _take_lines, lambda: [b"\n".join(_dumped(_drawings()))]),
    "canvas": Surface(
        6, lambda r: _json(r, [*_canvases(), *_brushes()]), _take_canvas, lambda: _dumped([*_canvases(), *_brushes()])
    ),
    "data set": Surface(14, data_sets.made, data_sets.take, data_sets.sound),
    "idx": Surface(3, _idx_bomb, _take_idx, _idx),
}
"""Every way in, by its name."""
