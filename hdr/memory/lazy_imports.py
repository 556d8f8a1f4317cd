"""Memory that nobody needs to take: 75 MB in the server, and nearly as much in every training process.

scikit-learn imports pandas wherever that is installed, for its reader of ARFF files alone, and with it pyarrow. Here
both are installed because Streamlit draws tables with them; until it draws one they are not needed. And the app's own
tables (`hdr.ui.components.arrow_table`) are made by pyarrow, which imports pandas to look for its types in a list.

SciPy imports everything that numpy has, its translator of Fortran among it. And skops imports all of scikit-learn, its
data sets and its tests' tools too, to list the estimators that it trusts.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import sys
from collections.abc import Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import LazyLoader
from types import FrameType, ModuleType

_ASK = {
    "pandas": ("sklearn.utils.fixes", "hdr.ui.components.arrow_table"),
    "rich.progress": ("sklearn.callback._progressbar",),
}
"""What is there to some and not to others, who do without: the only place in scikit-learn that imports pandas by
itself, who has pyarrow do so, and scikit-learn's bars of progress for a terminal."""

_FORTRAN = "numpy.f2py"
_TRUSTED = "skops.io._trusted_types"
_WITHOUT_ESTIMATORS = ("conftest", "datasets", "experimental", "externals", "inspection", "metrics", "tests", "utils")


class _Spared(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Nothing, so that others look for it; with the exceptions above.

        Raises:
            ModuleNotFoundError: one asks who does without it.
        """
        if fullname in _ASK and _importer(sys._getframe(1)) in _ASK[fullname]:
            raise ModuleNotFoundError("not needed here", name=fullname)
        if fullname == _FORTRAN:
            return _later(fullname, path, target)
        if fullname == _TRUSTED:
            _list_estimators_quickly()
        return None


def _importer(frame: FrameType | None) -> str:
    while frame is not None and frame.f_globals.get("__name__", "").startswith("importlib."):
        frame = frame.f_back
    return frame.f_globals.get("__name__", "") if frame is not None else ""


def _later(fullname: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
    """A module that is there, and is loaded when it is first used."""
    finders = (f for f in sys.meta_path if not isinstance(f, _Spared))
    spec = next(filter(None, (f.find_spec(fullname, path, target) for f in finders)), None)
    if spec is not None and spec.loader is not None:
        spec.loader = LazyLoader(spec.loader)
    return spec


def _list_estimators_quickly() -> None:
    import sklearn.utils

    thorough = sklearn.utils.all_estimators

    def estimators() -> list[tuple[str, type]]:
        """As `sklearn.utils.all_estimators` but for those of texts, without importing what has none."""
        sklearn.utils.all_estimators = thorough
        return _estimators()

    sklearn.utils.all_estimators = estimators


def _estimators() -> list[tuple[str, type]]:
    import sklearn
    from sklearn.base import BaseEstimator

    names = [m.name for m in pkgutil.iter_modules(sklearn.__path__) if not m.name.startswith("_")]
    modules = [importlib.import_module(f"sklearn.{name}") for name in names if name not in _WITHOUT_ESTIMATORS]
    classes = {c for module in modules for c in inspect.getmembers(module, inspect.isclass)}
    return sorted(
        (name, c)
        for name, c in classes
        if issubclass(c, BaseEstimator) and c is not BaseEstimator and not name.startswith("_") and not _abstract(c)
    )


def _abstract(c: type) -> bool:
    return bool(getattr(c, "__abstractmethods__", None))


def install_import_hooks() -> None:
    """From now on none of this is imported where it is not needed; who does need it gets it as always."""
    if not any(isinstance(finder, _Spared) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Spared())
