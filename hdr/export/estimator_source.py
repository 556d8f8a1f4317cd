"""Estimators as Python source: the constructor call of a catalogue entry, with all non-default parameters."""

from __future__ import annotations

import inspect
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from hdr import catalogue
from hdr.export.preprocessing_script import literal
from hdr.export.source_extraction import CodeError, Import, call
from hdr.models import FitContext
from hdr.training.model import TrainedModel

LIBRARY = "sklearn."


@dataclass
class Estimators:
    """Writes estimators, and gathers what has to be imported for them."""

    imports: dict[str, Import] = field(default_factory=dict)

    def written(self, value: Any, start: str = "", indent: str = "    ") -> str:
        """An estimator or a plain value as an expression.

        Args:
            value: of scikit-learn, unfitted, or a number, text or tuple.
            start: the prefix, such as ``classifier = ``.
            indent: of the line that it begins.

        Raises:
            CodeError: it is an estimator of another library.
        """
        if not hasattr(value, "get_params"):
            return start + literal(value.item() if isinstance(value, np.generic) else value)
        cls, deeper = type(value), indent + "    "
        if hasattr(value, "steps"):
            name = self._imported("sklearn.pipeline", "make_pipeline")
            return call(start + name, [self.written(step, indent=deeper) for _, step in value.steps], indent=indent)
        defaults = {n: p.default for n, p in inspect.signature(cls.__init__).parameters.items()}
        changed = {n: v for n, v in value.get_params(deep=False).items() if repr(v) != repr(defaults.get(n))}
        name = self._imported(cls.__module__, cls.__name__)
        return call(start + name, [self.written(v, f"{n}=", deeper) for n, v in changed.items()], indent=indent)

    def _imported(self, module: str, name: str) -> str:
        if not module.startswith(LIBRARY):
            raise CodeError(f"{name} is not of scikit-learn, so that it cannot be written with its parameters alone.")
        # Public names are imported from their documented module: SVC from sklearn.svm, not from sklearn.svm._classes.
        self.imports[name] = Import(module.split("._")[0], name)
        return name


def clone_with_resolved_params(model: TrainedModel) -> tuple[Any, list[str]]:
    """The classifier as it was before it was fitted, and its parameters that come from the variance of the features."""
    spec = model.spec
    function = catalogue.get("classifier", spec.classifier.name).function
    context = FitContext(spec.seed, int(model.metrics["features"]), 1.0, spec.threads)
    made, other = (function(replace(context, variance=variance), **spec.classifier.params) for variance in (1.0, 2.0))
    # The variance of the features is not kept, but what was made of it is a parameter of the fitted classifier.
    measured = other.get_params()
    fitted = model.classifier.get_params()
    different = [n for n, v in made.get_params().items() if isinstance(v, float) and v != measured[n]]
    return made.set_params(**{name: fitted[name] for name in different}), different
