"""Show me the code: scripts that run alone and give bit for bit what the chain gives, for every step there is."""

from __future__ import annotations

import ast
import itertools
import json
import subprocess
import sys
import types
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

import hdr.preprocessing  # noqa: F401 - registers the steps
from hdr import catalogue
from hdr.catalogue import Entry, ParameterError
from hdr.export.preprocessing_script import script
from hdr.export.source_extraction import CodeError, parsed
from hdr.preprocessing import PRESETS
from hdr.preprocessing.pipeline import LONGEST, chain
from hdr.types import Images, Split, Step

STEPS = catalogue.entries("step")
LINE_LENGTH = 120

RUN_ALL = """
import json, sys
import numpy as np
sys.modules["hdr"] = None
images = np.load("images.npz")
results = {}
for name, text in json.loads(open("scripts.json", encoding="utf-8").read()).items():
    space = {"__name__": "script"}
    exec(compile(text, name, "exec"), space)
    for key in images:
        results[f"{name}|{key}"] = space["preprocess"](images[key].copy())
np.savez("results.npz", **results)
"""


def settings(entry: Entry) -> Iterator[dict[str, Any]]:
    """The defaults, and three sets of other values, as far as the entry allows them."""
    yield {}
    for share in (0.0, 0.4, 1.0):
        values = {}
        for p in entry.parameters:
            if p.choices:
                values[p.name] = p.choices[round(share * (len(p.choices) - 1))]
            elif p.type is bool:
                values[p.name] = share < 1
            else:
                values[p.name] = p.type(p.minimum + share * (p.maximum - p.minimum))
        try:
            yield entry.validate(values)
        except ParameterError:
            continue


ALONE = {f"{e.name} {i}": chain(Step(e.name, params)) for e in STEPS for i, params in enumerate(settings(e))}
CHAINS = {title: chain(*steps) for title, steps in PRESETS.items()} | {
    "the same step twice": chain(Step("median", {"size": 5}), "otsu", Step("median", {"size": 3})),
    "nothing": chain(),
    "all off": chain(Step("median", on=False)),
}
# Long chains in which every family meets every other, so that no two names are in each other's way.
PARTS = -(-len(STEPS) // LONGEST)
MIXED = {f"mixed {i}": chain(*(e.name for e in STEPS[i::PARTS])) for i in range(PARTS)}
ALL = ALONE | CHAINS | MIXED


@pytest.fixture(scope="module")
def pictures(digits: Split) -> dict[str, Images]:
    """Digits, noise, what is not a digit, and other sizes."""
    rng = np.random.default_rng(0)
    odd = np.stack([np.zeros((28, 28)), np.full((28, 28), 255), np.eye(28) * 200]).astype(np.uint8)
    return {
        "digits": np.concatenate([digits.images[:12], odd]),
        "noise": rng.integers(0, 256, (2, 41, 60), np.uint8),
        "small": rng.integers(0, 256, (2, 3, 5), np.uint8),
    }


@pytest.fixture(scope="module")
def results(pictures: dict[str, Images], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Images]:
    """What every script makes of every picture, in a Python that does not know this project."""
    folder = tmp_path_factory.mktemp("scripts")
    (folder / "scripts.json").write_text(json.dumps({name: script(p) for name, p in ALL.items()}), "utf-8")
    np.savez(folder / "images.npz", **pictures)
    run_python("-c", RUN_ALL, folder=folder)
    return dict(np.load(folder / "results.npz"))


def run_python(*arguments: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Python without the folder it is called from, PYTHONPATH and the user's packages."""
    done = subprocess.run([sys.executable, "-I", *arguments], cwd=folder, capture_output=True, text=True, timeout=250)
    assert done.returncode == 0, done.stderr[-3000:]
    return done


@pytest.mark.parametrize("name", ALL)
def test_a_script_gives_what_the_chain_gives(name: str, results: dict[str, Images], pictures: dict) -> None:
    for key, images in pictures.items():
        found = results[f"{name}|{key}"]
        assert found.dtype == np.uint8
        np.testing.assert_array_equal(found, ALL[name].apply(images), key)


@pytest.mark.parametrize("title", PRESETS)
def test_a_preset_runs_as_a_program(title: str, digits: Split, tmp_path: Path) -> None:
    (tmp_path / "preprocess.py").write_text(script(CHAINS[title]), "utf-8")
    empty = tmp_path / "empty"
    empty.mkdir()
    for image in (digits.images[3], np.kron(digits.images[5], np.ones((4, 3), np.uint8))):
        cv2.imwrite(str(tmp_path / "digit.png"), image)
        run_python(*(str(tmp_path / name) for name in ("preprocess.py", "digit.png", "result.png")), folder=empty)
        found = cv2.imread(str(tmp_path / "result.png"), cv2.IMREAD_UNCHANGED)
        np.testing.assert_array_equal(found, CHAINS[title].apply(image[None])[0])


def test_a_program_that_cannot_do_its_work_says_why(tmp_path: Path) -> None:
    (tmp_path / "preprocess.py").write_text(script(chain("otsu")), "utf-8")
    cv2.imwrite(str(tmp_path / "digit.png"), np.zeros((28, 28), np.uint8))
    for arguments, words in (
        ([], "Usage: python preprocess.py digit.png result.png"),
        (["missing.png", "result.png"], "missing.png is not a picture"),
        (["digit.png", "result.xyz"], "result.xyz does not end in"),
        (["digit.png", "no/such/folder/result.png"], "cannot be written"),
    ):
        command = [sys.executable, "-I", "preprocess.py", *arguments]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60)
        assert done.returncode == 1 and words in done.stderr and "Traceback" not in done.stderr


def imported(text: str) -> set[str]:
    nodes = list(ast.walk(ast.parse(text)))
    found = {alias.name for n in nodes if isinstance(n, ast.Import) for alias in n.names}
    return {name.split(".")[0] for name in found | {str(n.module) for n in nodes if isinstance(n, ast.ImportFrom)}}


@pytest.mark.parametrize("name", ALL)
def test_a_script_imports_what_it_says_and_nothing_of_ours(name: str) -> None:
    text = script(ALL[name])
    packages = {"cv2": "opencv-python-headless", "pywt": "PyWavelets", "skimage": "scikit-image"}
    libraries = imported(text) - set(sys.stdlib_module_names)
    assert "hdr" not in libraries and "hdr" not in text
    line = next(line for line in text.splitlines() if line.startswith("#   pip install "))
    assert set(line.split()[3:]) == {packages.get(n, n) for n in libraries}


def test_every_script_is_as_ruff_would_have_it(tmp_path: Path) -> None:
    for i, (name, pipeline) in enumerate(ALL.items()):
        (tmp_path / f"script{i}.py").write_text(f"{script(pipeline)}\n# {name}\n", "utf-8")
    ruff = [sys.executable, "-m", "ruff"]
    options = ["--isolated", "--no-cache", "--target-version", "py311", "--line-length", str(LINE_LENGTH), "."]
    for command in (["format", "--diff"], ["check", "--select", "E,F,I", "--quiet"]):
        done = subprocess.run([*ruff, *command, *options], cwd=tmp_path, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-1000:]


@pytest.mark.parametrize("entry", STEPS, ids=lambda e: e.name)
def test_a_step_is_there_as_it_is_written_without_its_declarations(entry: Entry) -> None:
    text = script(chain(entry.name))
    found = next(n for n in ast.parse(text).body if isinstance(n, ast.FunctionDef) and n.name == entry.name)
    assert " ".join((ast.get_docstring(found) or "").split()) == entry.caption
    assert not found.decorator_list and [a.arg for a in found.args.args] == ["images"]
    assert [a.arg for a in found.args.kwonlyargs] == [p.name for p in entry.parameters]
    for node in ast.walk(ast.parse(text)):
        assert not isinstance(node, ast.AnnAssign) and getattr(node, "annotation", None) is None
        assert getattr(node, "returns", None) is None
    assert "Annotated" not in text and "Field(" not in text and "__future__" not in text


def test_any_two_steps_fit_into_one_script() -> None:
    for one, two in itertools.combinations(STEPS, 2):
        functions = [
            n.name for n in ast.parse(script(chain(one.name, two.name))).body if isinstance(n, ast.FunctionDef)
        ]
        assert len(set(functions)) == len(functions) and {one.name, two.name} <= set(functions)


def test_the_script_by_example() -> None:
    text = script(chain(Step("median", {"size": 5}), Step("mean", on=False), Step("deskew", {"limit": 0.5}), "median"))
    assert "def median(images, *, size=3):\n" in text and text.count("def median(") == 1
    assert "def mean(" not in text
    assert (
        "    images = median(images, size=5)\n"
        "    images = deskew(images, limit=0.5)\n"
        "    images = median(images, size=3)\n"
        "    return images\n" in text
    )
    assert "#   1. Median filter: size 5 px\n#   2. Deskew: limit 0.5\n#   3. Median filter: size 3 px\n" in text
    nothing = script(chain())
    assert "the chain has no step" in nothing and "numpy" not in nothing


# Modules as somebody might write them.
FIRST = '''
from __future__ import annotations
import numpy as np
from functools import cache
from numpy import uint8 as small
from hdr.preprocessing.batch_ops import each as per_image
from hdr.types import HdrError, Images

class TooDark(HdrError):
    """Nothing to see."""

# Why it is 7.
AMOUNT: int = 7
"""How much is added: schön.

More about it."""

TABLE = {"a": AMOUNT}

@cache
def _helper(value: int = AMOUNT) -> int:
    """One \\\\alpha."""
    return value + TABLE["a"]

def round(image: Images) -> Images:
    return image

def step_one(images: Images, *, über: int = 3, mode: str = "a") -> Images:
    """Adds. It does.

    Formula: x
    """
    out: list[int] = []
    total: int

    def inner(  # noqa: ANN
        x: int = (lambda: 1)(),
        *rest: int,
        key: str = "ä: ö",
        **more: int,
    ) -> int:  # why: so
        return x + über

    if images.max(initial=0) > 300:
        raise TooDark("too dark")
    # keep: this comment
    return per_image(images, lambda image: round(image // 2) + small(_helper() + inner()))
'''

SECOND = '''
from __future__ import annotations
import numpy as np

AMOUNT = 1

def _helper(x, /, y=AMOUNT, *, z=2):
    return x + np.uint8(AMOUNT + y * z)

def inverted(values):
    return values if AMOUNT > 5 else inverted_back(values)

def inverted_back(values):
    return inverted(values) if AMOUNT > 5 else ~values

def step_two(images, *, text="it"):
    """Does. It too."""
    return inverted(_helper(images // round(2.2)))
'''


@pytest.fixture
def modules(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Any:
    """Makes modules of texts, and registers their functions `step_...`."""
    monkeypatch.setattr(catalogue, "_entries", {kind: dict(table) for kind, table in catalogue._entries.items()})
    monkeypatch.syspath_prepend(tmp_path)

    def make(**texts: str) -> None:
        for name, text in texts.items():
            (tmp_path / f"{name}.py").write_text(text, "utf-8")
            module = types.ModuleType(name)
            module.__file__ = str(tmp_path / f"{name}.py")
            monkeypatch.setitem(sys.modules, name, module)
            exec(compile(text, module.__file__, "exec"), module.__dict__)
            for key, value in list(vars(module).items()):
                if key.startswith("step_") and value.__module__ == name:
                    entry = Entry("step", key, "Stand-in", "Probes", value, catalogue._Parameters, {})
                    catalogue._entries["step"][key] = entry

    return make


def test_names_that_two_modules_use_are_told_apart(modules: Any, digits: Split) -> None:
    modules(first_module=FIRST, second_module=SECOND)
    pipeline = chain("step_one", "step_two", "step_one")
    text = script(pipeline)
    assert "AMOUNT_second_module" in text and "def _helper_second_module(x, /, y=AMOUNT_second_module, *, z=2):" in text
    assert "def round_first_module(image):" in text, "what Python calls round, others may need"
    assert '    def inner(x=(lambda: 1)(), *rest, key="ä: ö", **more):  # why: so\n' in text
    assert "# Why it is 7.\n# How much is added: schön.\nAMOUNT = 7\n" in text
    assert "@cache\ndef _helper(value=AMOUNT):" in text and '"""One \\\\alpha."""' in text
    assert "    out = []\n\n" in text and "# keep: this comment" in text
    assert "from numpy import uint8 as small" in text and "class TooDark(HdrError):" in text
    space: dict[str, Any] = {"__name__": "script"}
    exec(text, space)
    np.testing.assert_array_equal(space["preprocess"](digits.images[:5]), pipeline.apply(digits.images[:5]))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("import hdr.types\ndef step_x(images):\n    return hdr.types.SIDE", "imports hdr.types whole"),
        (
            "from hdr.preprocessing import batch_ops as arrays\ndef step_x(i):\n    return arrays",
            "imports the module batch_ops",
        ),
        ("import scipy.ndimage\ndef step_x(images):\n    return scipy", "without a name of its own"),
        ("def step_x(images):\n    from hdr.types import SIDE\n    return SIDE", "imports hdr.types within itself"),
        ("for K in (1, 2):\n    pass\ndef step_x(images):\n    return K", "uses K, which is not defined"),
    ],
)
def test_what_cannot_be_shown_is_refused_in_words(text: str, words: str, modules: Any) -> None:
    modules(**{f"odd_{abs(hash(text))}": text})
    with pytest.raises(CodeError, match=words):
        script(chain("step_x"))


def test_a_parser_that_lost_count_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    parse, times = ast.parse, itertools.count()

    def disturbed(text: str) -> ast.Module:
        if next(times) < 3:
            raise SystemError("AST constructor recursion depth mismatch (before=51, after=22)")
        return parse(text)

    monkeypatch.setattr(ast, "parse", disturbed)
    assert len(parsed("x = 1").body) == 1
