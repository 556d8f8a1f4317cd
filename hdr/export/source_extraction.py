"""Stand-alone source of a function: without annotations, with one paragraph of docstring and its dependencies.

It works for all names at the top level of a module: functions, classes, constants. Sources are read once.
"""

from __future__ import annotations

import ast
import builtins
import inspect
import symtable
import sys
import textwrap
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from typing import NamedTuple

from hdr import catalogue
from hdr.types import HdrError

OURS = "hdr"
"""Imports from this package are followed; all others are kept as imports."""

WIDTH = 100
"""Columns that docstrings, headers and comments made here may take."""

TRIES = 20
"""How often a text is parsed at most where another thread comes in between."""

Function = ast.FunctionDef | ast.AsyncFunctionDef

_parsing = threading.Lock()


class CodeError(HdrError):
    """A step is written in a way that cannot be shown as code of its own."""


class Place(NamedTuple):
    """Where a name is bound."""

    module: str
    name: str


class Import(NamedTuple):
    """An import from a library: a module, or its attribute `name` if given."""

    module: str
    name: str = ""


@dataclass(frozen=True)
class Definition:
    """The definition of one name of a module.

    Attributes:
        place: where it is bound.
        text: its source, ending in a newline.
        needs: the definition of each global name in it, in the order of the names, without built-ins.
        builtins: the names in it that Python itself gives a meaning.
        libraries: packages that are imported within it.
        constant: True where it is an assignment.
    """

    place: Place
    text: str
    needs: Mapping[str, Place | Import]
    builtins: frozenset[str]
    libraries: frozenset[str]
    constant: bool


def parsed(text: str) -> ast.Module:
    """The syntax tree of a text, from any thread.

    Raises:
        SyntaxError: it is not Python.
    """
    with _parsing:
        for _ in range(TRIES):
            try:
                return ast.parse(text)
            except SystemError:
                # Python 3.11 counts the depth of trees for all threads together, and loses count where another thread,
                # such as Streamlit's that reads a page, makes a tree at the same moment.
                continue
        return ast.parse(text)


@cache
def definition(place: Place) -> Definition:
    """Return the definition.

    Raises:
        CodeError: it is not a plain function, class or constant, or a dependency is not.
    """
    source = _source(place.module)
    node = source.bound[place.name]
    if isinstance(node, Function):
        text = _function_text(source, node, place.module)
    elif isinstance(node, ast.ClassDef):
        text = source.cut(node)
    else:
        text = _constant_text(source, node)
    needs: dict[str, Place | Import] = {}
    python = set()
    for name in _global_names(text):
        if name in source.bound:
            needs[name] = _resolve(Place(place.module, name))
        elif hasattr(builtins, name):
            python.add(name)
        else:
            raise CodeError(f"{place.name} in {place.module} uses {name}, which is not defined at the module's top.")
    libraries = frozenset(_inner_imports(text, place))
    return Definition(place, text, needs, frozenset(python), libraries, isinstance(node, ast.Assign | ast.AnnAssign))


def renamed(found: Definition, names: Mapping[str, str]) -> str:
    """The definition's text with global names, its own among them, replaced by others.

    Raises:
        CodeError: one of the names is also that of a local variable.
    """
    names = {old: new for old, new in names.items() if old != new}
    if not names:
        return found.text
    edits = []
    for table in _tables(symtable.symtable(found.text, found.place.name, "exec")):
        for symbol in table.get_symbols():
            if table.get_type() != "module" and symbol.get_name() in names and symbol.is_local():
                raise CodeError(f"{symbol.get_name()} is a local and a global name in {found.place.name}.")
    text = _Source(found.text)
    for node in ast.walk(text.tree):
        if isinstance(node, ast.Name) and node.id in names:
            # Python 3.11 does not know where a name within an f-string stands.
            if text.of(node) != node.id:
                raise CodeError(f"{node.id} in {found.place.name} would need another name, but is within an f-string.")
            edits.append((*text.span(node), names[node.id]))
        elif isinstance(node, Function | ast.ClassDef) and node.name in names:
            start = text.data.index(f" {node.name}".encode(), text.span(node)[0]) + 1
            edits.append((start, start + len(node.name.encode()), names[node.name]))
    return text.edited(edits)


class _Source:
    """A text and its syntax tree, whose columns count bytes."""

    def __init__(self, text: str) -> None:
        self.data = text.encode()
        self.tree = parsed(text)
        self.lines = self.data.splitlines(keepends=True)
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line))
        self.bound = {name: node for node in self.tree.body for name in _bound_names(node)}

    def at(self, line: int, column: int) -> int:
        return self.starts[line - 1] + column

    def span(self, node: ast.expr | ast.stmt | ast.arg) -> tuple[int, int]:
        assert node.end_lineno is not None and node.end_col_offset is not None
        return self.at(node.lineno, node.col_offset), self.at(node.end_lineno, node.end_col_offset)

    def of(self, node: ast.expr) -> str:
        start, end = self.span(node)
        return self.data[start:end].decode()

    def cut(self, node: ast.stmt, edits: list[tuple[int, int, str]] | None = None) -> str:
        """The whole lines of a statement at the top, with the decorators that it has after the edits."""
        first = min([node.lineno, *(d.lineno for d in getattr(node, "decorator_list", []))])
        return self.edited(edits or [], self.starts[first - 1], self.starts[node.end_lineno or 0])

    def edited(self, edits: list[tuple[int, int, str]], start: int = 0, end: int | None = None) -> str:
        """The text from one byte to another, with pieces of it replaced; an edit within an edit is left out."""
        parts, last = [], start
        end = len(self.data) if end is None else end
        for begin, stop, new in sorted(edits):
            if begin >= last:
                parts += [self.data[last:begin], new.encode()]
                last = stop
        return b"".join([*parts, self.data[last:end]]).decode()

    def comments_above(self, node: ast.stmt) -> list[str]:
        found: list[str] = []
        for line in reversed(self.lines[: node.lineno - 1]):
            if not line.startswith(b"#"):
                break
            found.insert(0, line.decode())
        return found


@cache
def _source(module: str) -> _Source:
    try:
        return _Source(inspect.getsource(sys.modules[module]))
    except (KeyError, OSError, TypeError) as error:
        raise CodeError(f"The source of {module} is not there to be shown.") from error


def _bound_names(node: ast.stmt) -> Iterator[str]:
    if isinstance(node, Function | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        yield from ((alias.asname or alias.name).split(".")[0] for alias in node.names)
    elif isinstance(node, ast.Assign | ast.AnnAssign):
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        yield from (n.id for target in targets for n in ast.walk(target) if isinstance(n, ast.Name))


def _resolve(place: Place) -> Place | Import:
    node = _source(place.module).bound[place.name]
    if isinstance(node, ast.Import):
        alias = next(a for a in node.names if (a.asname or a.name).split(".")[0] == place.name)
        if alias.name.split(".")[0] == OURS:
            raise CodeError(f"{place.module} imports {alias.name} whole; names must be imported from it.")
        if "." in alias.name and not alias.asname:
            raise CodeError(f"{place.module} imports {alias.name} without a name of its own; add one by as.")
        return Import(alias.name)
    if isinstance(node, ast.ImportFrom):
        alias = next(a for a in node.names if (a.asname or a.name) == place.name)
        if node.level or node.module is None:
            raise CodeError(f"{place.module} has a relative import; it must name the whole package.")
        if node.module.split(".")[0] != OURS:
            return Import(node.module, alias.name)
        if f"{node.module}.{alias.name}" in sys.modules:
            raise CodeError(f"{place.module} imports the module {alias.name}; names must be imported from it.")
        return _resolve(Place(node.module, alias.name))
    return place


def _function_text(source: _Source, node: Function, module: str) -> str:
    edits = _without_annotations(source, node)
    for decorator in node.decorator_list:
        if _registers(decorator, module):
            edits.append((source.starts[decorator.lineno - 1], source.starts[decorator.end_lineno or 0], ""))
    if text := ast.get_docstring(node):
        start, end = source.span(node.body[0])
        edits.append((start, end, _docstring(text.split("\n\n")[0])))
    return source.cut(node, edits)


def _registers(decorator: ast.expr, module: str) -> bool:
    root = decorator
    while isinstance(root, ast.Call | ast.Attribute):
        root = root.func if isinstance(root, ast.Call) else root.value
    value = getattr(sys.modules[module], root.id, None) if isinstance(root, ast.Name) else None
    value = value.func if isinstance(value, partial) else value
    return value is catalogue.register or value is catalogue


def _docstring(text: str, indent: str = "    ") -> str:
    quotes = '"""'
    words = " ".join(text.split()).replace("\\", "\\\\").replace('"""', "'''")
    lines = textwrap.wrap(
        words,
        WIDTH,
        initial_indent=indent + quotes,
        subsequent_indent=indent,
        break_long_words=False,
        break_on_hyphens=False,
    )
    if len(lines) == 1:
        return quotes + words + quotes
    return "\n".join([*lines, indent + quotes])[len(indent) :]


def _constant_text(source: _Source, node: ast.stmt) -> str:
    following = source.tree.body[source.tree.body.index(node) + 1 :][:1]
    above = source.comments_above(node)
    if following and isinstance(following[0], ast.Expr) and isinstance(following[0].value, ast.Constant):
        words = " ".join(str(following[0].value.value).split("\n\n")[0].split())
        above += [f"{line}\n" for line in textwrap.wrap(words, WIDTH, initial_indent="# ", subsequent_indent="# ")]
    edits = [(*_annotation(source, node), "")] if isinstance(node, ast.AnnAssign) else []
    return "".join(above) + source.cut(node, edits)


def _annotation(source: _Source, node: ast.AnnAssign) -> tuple[int, int]:
    return source.span(node.target)[1], source.span(node.annotation)[1]


def _without_annotations(source: _Source, node: Function) -> list[tuple[int, int, str]]:
    edits = []
    for inner in ast.walk(node):
        if isinstance(inner, Function):
            edits.append((source.span(inner)[0], _end_of_header(source, inner), _header(source, inner)))
        elif isinstance(inner, ast.AnnAssign) and inner.value is not None:
            edits.append((*_annotation(source, inner), ""))
        elif isinstance(inner, ast.AnnAssign):
            edits.append((source.starts[inner.lineno - 1], source.starts[inner.end_lineno or 0], ""))
    return edits


def _end_of_header(source: _Source, node: Function) -> int:
    # Nothing but brackets, a comma and the colon comes after the last of these.
    parts = [node.returns] if node.returns else [n for n in ast.walk(node.args) if isinstance(n, ast.expr | ast.arg)]
    after = max([source.span(node)[0], *(source.span(part)[1] for part in parts)])
    return source.data.index(b":", after) + 1


def _header(source: _Source, node: Function) -> str:
    spec = node.args
    positional = [*spec.posonlyargs, *spec.args]
    defaults = [None] * (len(positional) - len(spec.defaults)) + list(spec.defaults)
    arguments = [_argument(source, a, d) for a, d in zip(positional, defaults, strict=True)]
    if spec.posonlyargs:
        arguments.insert(len(spec.posonlyargs), "/")
    if spec.vararg or spec.kwonlyargs:
        arguments.append(f"*{spec.vararg.arg if spec.vararg else ''}")
    arguments += [_argument(source, a, d) for a, d in zip(spec.kwonlyargs, spec.kw_defaults, strict=True)]
    if spec.kwarg:
        arguments.append(f"**{spec.kwarg.arg}")
    start = ("async def " if isinstance(node, ast.AsyncFunctionDef) else "def ") + node.name
    return call(start, arguments, ":", " " * node.col_offset)


def call(start: str, arguments: list[str], end: str = "", indent: str = "") -> str:
    """``start(arguments)end`` on one line or, where that is too long, with a line for each argument."""
    line = f"{start}({', '.join(arguments)}){end}"
    if len(indent + line) <= WIDTH:
        return line
    return "\n".join([f"{start}(", *(f"{indent}    {argument}," for argument in arguments), f"{indent}){end}"])


def _argument(source: _Source, argument: ast.arg, default: ast.expr | None) -> str:
    return argument.arg if default is None else f"{argument.arg}={source.of(default)}"


def _tables(table: symtable.SymbolTable) -> Iterator[symtable.SymbolTable]:
    yield table
    for child in table.get_children():
        yield from _tables(child)


def _global_names(text: str) -> list[str]:
    top, *inner = _tables(symtable.symtable(text, "<step>", "exec"))
    own = {s.get_name() for s in top.get_symbols() if s.is_referenced() and not s.is_assigned()}
    return sorted(own | {s.get_name() for table in inner for s in table.get_symbols() if s.is_global()})


def _inner_imports(text: str, place: Place) -> Iterator[str]:
    for node in ast.walk(parsed(text)):
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or OURS] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            if name.split(".")[0] == OURS:
                raise CodeError(f"{place.name} imports {name} within itself; that belongs to the module's top.")
            yield name.split(".")[0]
