"""Show me the code: a chain, and the features of its pictures, as a short Python script that needs OpenCV and friends,
and nothing of ours.

The script holds the steps' own source with the values that were chosen, so that it gives bit for bit what the chain
gives. It is laid out as `ruff format` would with the line length of this project.
"""

from __future__ import annotations

import ast
import sys
import textwrap
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hdr import catalogue
from hdr.export.source_extraction import WIDTH, CodeError, Definition, Import, Place, call, definition, parsed, renamed
from hdr.preprocessing.pipeline import Pipeline
from hdr.types import Step

PACKAGES = {"cv2": "opencv-python-headless", "pywt": "PyWavelets", "skimage": "scikit-image", "sklearn": "scikit-learn"}
"""What to install for an import, where the two have different names."""

Names = Mapping[Place, str]
"""The name of each definition in a program."""

NUMPY = {"np": Import("numpy")}

MAIN = """
if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit("Usage: python preprocess.py digit.png result.png")
    picture = cv2.imread(sys.argv[1], cv2.IMREAD_GRAYSCALE)
    if picture is None:
        sys.exit(f"{sys.argv[1]} is not a picture that OpenCV can read.")
    if not cv2.haveImageWriter(sys.argv[2]):
        sys.exit(f"{sys.argv[2]} does not end in .png or the name of another kind of picture.")
    if not cv2.imwrite(sys.argv[2], preprocess(picture[None])[0]):
        sys.exit(f"{sys.argv[2]} cannot be written.")
"""


def script(pipeline: Pipeline) -> str:
    """The chain as a Python script that runs alone: ``python preprocess.py digit.png result.png``.

    Steps that are off are left out. It defines ``preprocess(images)``, which takes and returns what `Pipeline.apply`
    does.

    Raises:
        CodeError: a step is written in a way that cannot be shown; tests keep every step of the catalogue from that.
    """
    steps = pipeline.active.steps
    return program(
        ["Prepares the picture of a handwritten digit, light ink on dark as in MNIST:", *chain_in_words(pipeline)],
        places("step", steps),
        lambda names: preprocess_function(steps, names) + "\n" + MAIN,
        {"cv2": Import("cv2"), "sys": Import("sys")},
    )


def features_script(pipeline: Pipeline, features: Sequence[Step], also: Sequence[Place] = ()) -> str:
    """Return the chain and its feature extraction as a Python module that does not import hdr.

    It defines ``preprocess(images)``, as `script` does, and ``features(images)``, which takes what that returns and
    gives float32 (n, d), as `hdr.features.extract.extract` does for up to 2,048 digits at a time; and `also` other
    functions of ours.

    Raises:
        CodeError: as `script`.
    """
    steps = pipeline.active.steps
    return program(
        [
            "Turns digits, light ink on dark as in MNIST, into numbers to learn from. First they are prepared:",
            *chain_in_words(pipeline),
            "Then, one after another in one row:",
            *numbered(in_words("feature", step) for step in features),
        ],
        [*places("step", steps), *places("feature", features), *also],
        lambda names: preprocess_function(steps, names) + "\n\n" + features_function(features, names),
        NUMPY if len(features) > 1 else {},
    )


def program(
    about: Sequence[str], uses: Sequence[Place], write: Callable[[Names], str], imports: Mapping[str, Import]
) -> str:
    """A Python program from definitions of ours, with all that they need, and a text that uses them.

    Args:
        about: lines for the comment at its head; the required packages are added.
        uses: the definitions that the text uses; these keep their names in a clash.
        write: the program's own text, given what each place is called in it.
        imports: the imports of this text.

    Raises:
        CodeError: a definition is written in a way that cannot be shown.
    """
    found = _Gathered(dict(imports))
    for place in uses:
        found.add(place)
    stand_ins = {place: f"place_{i}_" for i, place in enumerate(found.definitions)}
    names = found.names(uses, _identifiers(write(stand_ins)) - set(stand_ins.values()))
    blocks = [_block(d, names) for d in found.in_order()]
    parts = [
        _about(about, found.libraries),
        *([_imports(found.imports)] if found.imports else []),
        *_spaced(blocks, [d.constant for d in found.in_order()]),
        "\n" + write(names),
    ]
    return "\n".join(parts)


def places(kind: catalogue.Kind, steps: Iterable[Step]) -> list[Place]:
    """Where the functions of these entries are defined."""
    return [_place(kind, step) for step in steps]


def _place(kind: catalogue.Kind, step: Step) -> Place:
    function = catalogue.get(kind, step.name).function
    return Place(function.__module__, function.__name__)


@dataclass
class _Gathered:
    """Return definitions and their dependencies, dependencies first."""

    imports: dict[str, Import]
    definitions: dict[Place, Definition] = field(default_factory=dict)
    _seen: set[Place] = field(default_factory=set)

    def add(self, place: Place) -> None:
        if place in self._seen:
            return
        self._seen.add(place)
        made = definition(place)
        for name, need in made.needs.items():
            if isinstance(need, Place):
                self.add(need)
            elif self.imports.setdefault(name, need) != need:
                raise CodeError(f"{name} is imported in two ways: {need} and {self.imports[name]}.")
        self.definitions[place] = made

    def in_order(self) -> list[Definition]:
        """Constants that need no function come first; no definition needs a later one while it is made."""
        plain: dict[Place, Definition] = {}
        for place, made in self.definitions.items():
            if made.constant and all(n in plain for n in made.needs.values() if isinstance(n, Place)):
                plain[place] = made
        return [*plain.values(), *(d for place, d in self.definitions.items() if place not in plain)]

    def names(self, first: Iterable[Place], reserved: Iterable[str]) -> dict[Place, str]:
        """A name for each definition that none other has; the first ones may choose before the others."""
        taken = {*reserved, *self.imports}
        taken.update(*(d.builtins for d in self.definitions.values()))
        names: dict[Place, str] = {}
        for place in [*first, *self.definitions]:
            if place not in names:
                name = place.name
                while name in taken:
                    name = f"{name}_{place.module.split('.')[-1]}"
                taken.add(name)
                names[place] = name
        return names

    @property
    def libraries(self) -> list[str]:
        """Return the required packages, sorted."""
        packages = {i.module.split(".")[0] for i in self.imports.values()}
        packages = packages.union(*(d.libraries for d in self.definitions.values())) - set(sys.stdlib_module_names)
        return sorted((PACKAGES.get(p, p) for p in packages), key=str.lower)


def _identifiers(text: str) -> set[str]:
    # Definitions must not take a name that the program's own text uses.
    found = set()
    for node in ast.walk(parsed(text)):
        if isinstance(node, ast.Name):
            found.add(node.id)
        elif isinstance(node, ast.FunctionDef):
            found.add(node.name)
        elif isinstance(node, ast.arg):
            found.add(node.arg)
    return found


def _block(made: Definition, names: Names) -> str:
    changed = {name: names[need] for name, need in made.needs.items() if isinstance(need, Place)}
    return renamed(made, {**changed, made.place.name: names[made.place]})


def _spaced(blocks: Sequence[str], constants: Sequence[bool]) -> list[str]:
    # Joined by newlines: constants stand together, functions apart.
    return [
        block if constant and (i == 0 or constants[i - 1]) else "\n" + block
        for i, (block, constant) in enumerate(zip(blocks, constants, strict=True))
    ]


def _imports(names: Mapping[str, Import]) -> str:
    whole: set[str] = set()
    parts: dict[str, list[str]] = {}
    for name, found in names.items():
        if found.name:
            alias = found.name if found.name == name else f"{found.name} as {name}"
            parts.setdefault(found.module, []).append(alias)
        else:
            whole.add(f"import {found.module}" + (f" as {name}" if name != found.module else ""))
    lines = [*sorted(whole), *(_import_from(module, sorted(parts[module])) for module in sorted(parts))]
    inside = [line for line in lines if _library(line) in sys.stdlib_module_names]
    outside = [line for line in lines if line not in inside]
    return "\n\n".join("\n".join(block) for block in (inside, outside) if block) + "\n"


def _import_from(module: str, names: list[str]) -> str:
    line = f"from {module} import {', '.join(names)}"
    return line if len(line) <= WIDTH else call(f"from {module} import ", names)


def _library(line: str) -> str:
    return line.split()[1].split(".")[0]


def _about(lines: Sequence[str], libraries: Sequence[str]) -> str:
    wrapped = [part for line in lines for part in textwrap.wrap(line, WIDTH - 2, subsequent_indent="     ")]
    wrapped += ["", "It needs Python 3.11 or newer" + (", and:" if libraries else ".")]
    wrapped += [f"  pip install {' '.join(libraries)}"] if libraries else []
    return "".join(f"# {line}".rstrip() + "\n" for line in wrapped)


def chain_in_words(pipeline: Pipeline) -> list[str]:
    """A line for each step that is on, numbered from 1."""
    steps = pipeline.active.steps
    return numbered(in_words("step", step) for step in steps) or ["  nothing is done, the chain has no step."]


def numbered(lines: Iterable[str]) -> list[str]:
    """The lines, each behind its number, indented."""
    return [f"  {number}. {line}" for number, line in enumerate(lines, 1)]


def in_words(kind: catalogue.Kind, step: Step) -> str:
    """An entry with its values: ``Median filter: size 5 px``."""
    entry = catalogue.get(kind, step.name)
    values = []
    for parameter in entry.parameters:
        value = catalogue.format_value(step.params[parameter.name])
        values.append(f"{_within(parameter.title)} {value}" + (f" {parameter.unit}" if parameter.unit else ""))
    return f"{entry.title}: {', '.join(values)}" if values else entry.title


def _within(title: str) -> str:
    # C and other symbols stay as they are.
    return title[0].lower() + title[1:] if title[1:2].islower() else title


def preprocess_function(steps: Sequence[Step], names: Names) -> str:
    """The source of ``preprocess(images)``."""
    lines = [
        "def preprocess(images):",
        '    """Grey pictures in, grey pictures out: uint8 (n, height, width), ink 255 on 0."""',
    ]
    lines += [f"    {_called('step', s, names, 'images = ')}" for s in steps]
    return "\n".join([*lines, "    return images", ""])


def features_function(features: Sequence[Step], names: Names) -> str:
    """The source of ``features(images)``."""
    lines = ["def features(images):", '    """Prepared pictures in, a row of numbers for each out: float32 (n, d)."""']
    if len(features) == 1:
        return "\n".join([*lines, f"    {_called('feature', features[0], names, 'return ')}", ""])
    lines += ["    found = ["]
    lines += [f"        {_called('feature', s, names, '', indent='        ', end=',')}" for s in features]
    return "\n".join([*lines, "    ]", "    return np.concatenate(found, axis=1)", ""])


def _called(kind: catalogue.Kind, step: Step, names: Names, start: str, indent: str = "    ", end: str = "") -> str:
    arguments = ["images", *(f"{key}={literal(value)}" for key, value in step.params.items())]
    return call(start + names[_place(kind, step)], arguments, end, indent)


def literal(value: Any) -> str:
    """A text or number as in a program."""
    return f'"{value}"' if isinstance(value, str) else repr(value)
