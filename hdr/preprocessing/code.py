"""Show me the code: a chain as a short Python script that needs OpenCV and friends, and nothing of ours.

The script holds the steps' own source with the values that were chosen, so that it gives bit for bit what the chain
gives. It is laid out as `ruff format` would with the line length of this project.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hdr import catalogue
from hdr.preprocessing.definitions import WIDTH, CodeError, Definition, Import, Place, call, definition, renamed
from hdr.preprocessing.pipeline import Pipeline
from hdr.types import Step

PACKAGES = {"cv2": "opencv-python-headless", "pywt": "PyWavelets", "skimage": "scikit-image", "sklearn": "scikit-learn"}
"""What to install for an import, where the two have different names."""

RUN = "preprocess"

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
NEEDED_BY_MAIN = {"cv2": Import("cv2"), "sys": Import("sys")}
RESERVED = {RUN, "picture", "len", *NEEDED_BY_MAIN}
"""Names that are the script's own."""


def script(pipeline: Pipeline) -> str:
    """The chain as a Python script that runs alone: ``python preprocess.py digit.png result.png``.

    Steps that are off are left out. It defines ``preprocess(images)``, which takes and returns what `Pipeline.apply`
    does.

    Raises:
        CodeError: a step is written in a way that cannot be shown; tests keep every step of the catalogue from that.
    """
    steps = pipeline.active.steps
    found = _Gathered()
    places = {}
    for step in steps:
        function = catalogue.get("step", step.name).function
        places[step.name] = Place(function.__module__, function.__name__)
        found.add(places[step.name])
    names = found.names(places.values())
    blocks = [_block(d, names) for d in found.in_order()]
    parts = [
        _about(steps, found.libraries),
        _imports({**found.imports, **NEEDED_BY_MAIN}),
        *_spaced(blocks, [d.constant for d in found.in_order()]),
        "\n" + _run([(names[places[s.name]], s.params) for s in steps]),
        MAIN,
    ]
    return "\n".join(parts)


@dataclass
class _Gathered:
    """Definitions with all that they need, what is needed first."""

    definitions: dict[Place, Definition] = field(default_factory=dict)
    imports: dict[str, Import] = field(default_factory=dict)
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

    def names(self, first: Iterable[Place]) -> dict[Place, str]:
        """A name for each definition that none other has; the first ones may choose before the others."""
        taken = {*RESERVED, *self.imports}
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
        """What has to be installed, sorted."""
        packages = {i.module.split(".")[0] for i in (*self.imports.values(), *NEEDED_BY_MAIN.values())}
        packages = packages.union(*(d.libraries for d in self.definitions.values())) - set(sys.stdlib_module_names)
        return sorted((PACKAGES.get(p, p) for p in packages), key=str.lower)


def _block(made: Definition, names: Mapping[Place, str]) -> str:
    changed = {name: names[need] for name, need in made.needs.items() if isinstance(need, Place)}
    return renamed(made, {**changed, made.place.name: names[made.place]})


def _spaced(blocks: Sequence[str], constants: Sequence[bool]) -> list[str]:
    # Joined by newlines: constants stand together, functions apart.
    return [
        block if constant and (i == 0 or constants[i - 1]) else "\n" + block
        for i, (block, constant) in enumerate(zip(blocks, constants, strict=True))
    ]


def _imports(names: Mapping[str, Import]) -> str:
    whole, parts = set(), {}
    for name, found in names.items():
        if found.name:
            alias = found.name if found.name == name else f"{found.name} as {name}"
            parts.setdefault(found.module, []).append(alias)
        else:
            whole.add(f"import {found.module}" + (f" as {name}" if name != found.module else ""))
    lines = [*sorted(whole), *(_import_from(module, sorted(parts[module])) for module in sorted(parts))]
    inside = [line for line in lines if _library(line) in sys.stdlib_module_names]
    outside = [line for line in lines if line not in inside]
    return "\n".join(inside) + "\n\n" + "\n".join(outside) + "\n"


def _import_from(module: str, names: list[str]) -> str:
    line = f"from {module} import {', '.join(names)}"
    return line if len(line) <= WIDTH else call(f"from {module} import ", names)


def _library(line: str) -> str:
    return line.split()[1].split(".")[0]


def _about(steps: Sequence[Step], libraries: Sequence[str]) -> str:
    lines = ["Prepares the picture of a handwritten digit, light ink on dark as in MNIST:"]
    lines += [f"  {number}. {_in_words(step)}" for number, step in enumerate(steps, 1)]
    if not steps:
        lines += ["  nothing is done, the chain has no step."]
    wrapped = [part for line in lines for part in textwrap.wrap(line, WIDTH - 2, subsequent_indent="     ")]
    wrapped += ["", "It needs Python 3.11 or newer, and:", f"  pip install {' '.join(libraries)}"]
    return "".join(f"# {line}".rstrip() + "\n" for line in wrapped)


def _in_words(step: Step) -> str:
    entry = catalogue.get("step", step.name)
    values = []
    for parameter in entry.parameters:
        value = catalogue.format_value(step.params[parameter.name])
        values.append(f"{parameter.title.lower()} {value}" + (f" {parameter.unit}" if parameter.unit else ""))
    return f"{entry.title}: {', '.join(values)}" if values else entry.title


def _run(calls: Sequence[tuple[str, Mapping[str, Any]]]) -> str:
    lines = [
        f"def {RUN}(images):",
        '    """Grey pictures in, grey pictures out: uint8 (n, height, width), ink 255 on 0."""',
    ]
    for name, params in calls:
        arguments = ["images", *(f"{key}={_literal(value)}" for key, value in params.items())]
        lines.append("    " + call(f"images = {name}", arguments, indent="    "))
    return "\n".join([*lines, "    return images", ""])


def _literal(value: Any) -> str:
    return f'"{value}"' if isinstance(value, str) else repr(value)
