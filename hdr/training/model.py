"""A fitted model: it alone knows the estimator, and it keeps itself in files that cannot run code."""

from __future__ import annotations

import io
import json
import platform
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hdr import catalogue
from hdr.features.extract import CHUNK, extract
from hdr.paths import write_atomically
from hdr.training.run_spec import RunSpec
from hdr.types import CLASSES, Features, HdrError, Images, Stage

TRUSTED = (
    "sklearn.ensemble._hist_gradient_boosting.predictor.TreePredictor",
    "sklearn.neural_network._stochastic_optimizers.AdamOptimizer",
    "sklearn.tree._tree.Tree",
)
"""What a model file may hold beyond the types that skops trusts by itself; anything else is refused."""

LIBRARIES = ("numpy", "scikit-learn", "opencv-python-headless", "skops")


class ModelError(HdrError):
    """A model's files are missing, damaged, or hold what they must not."""


@dataclass(frozen=True)
class TrainedModel:
    """A spec with what was fitted for it.

    Attributes:
        spec: the plan.
        reduction: the fitted reduction, or None.
        classifier: the fitted classifier.
        temperature: what pairwise margins are divided by, for classifiers that have no probabilities of their own.
        metrics: what was measured; see `hdr.training.metrics`.
        versions: of Python and the libraries that it was made with.
        test_probabilities: float32 (n, 10), what it said of the test split; None where it was not tested, and for a
            model that was loaded (see `load_test_probabilities`).
    """

    spec: RunSpec
    reduction: Any
    classifier: Any
    temperature: float = 1.0
    metrics: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=lambda: library_versions())
    test_probabilities: NDArray[np.float32] | None = field(default=None, compare=False, repr=False)

    def stages(self, image: Images) -> tuple[Stage, ...]:
        """What each step of this model's own pipeline makes of one digit, uint8 (28, 28)."""
        return self.spec.pipeline.trace(image)

    def predict_proba(self, images: Images) -> NDArray[np.float64]:
        """Probabilities float64 (n, 10) for digits uint8 (n, 28, 28), ink 255 on 0."""
        out = np.empty((len(images), CLASSES))
        for start in range(0, len(images), CHUNK):
            part = extract(images[start : start + CHUNK], self.spec.pipeline, self.spec.features)
            out[start : start + CHUNK] = self.probabilities(self.reduce(part))
        return out

    def reduce(self, features: Features) -> Features:
        """Features float32 (n, d) after the reduction, if there is one."""
        return self.reduction.transform(features) if self.reduction is not None else features

    def probabilities(self, features: Features) -> NDArray[np.float64]:
        """Probabilities float64 (n, 10) for reduced features; a class that training never saw has 0."""
        special = catalogue.get("classifier", self.spec.classifier.name).facts.get("probabilities")
        if special:
            found = special(self.classifier, features)
        elif hasattr(self.classifier, "predict_proba"):
            found = self.classifier.predict_proba(features)
        else:
            found = pairwise_probabilities(self.classifier.decision_function(features), self.temperature)
        out = np.zeros((len(features), CLASSES))
        out[:, self.classifier.classes_] = found
        return out

    def save(self, folder: Path) -> int:
        """Write the model into a folder: `model.skops`, `test.npy` where it was tested and, last, `model.json`.

        Returns:
            Size of the estimator's file in bytes.
        """
        import skops.io

        data = skops.io.dumps({"reduction": self.reduction, "classifier": self.classifier})
        write_atomically(folder / "model.skops", data)
        if self.test_probabilities is not None:
            stream = io.BytesIO()
            np.save(stream, self.test_probabilities, allow_pickle=False)
            write_atomically(folder / "test.npy", stream.getvalue())
        about = {
            "spec": self.spec.to_json(),
            "temperature": self.temperature,
            "metrics": dict(self.metrics),
            "versions": dict(self.versions),
        }
        write_atomically(folder / "model.json", json.dumps(about).encode())
        return len(data)

    @classmethod
    def load(cls, folder: Path) -> TrainedModel:
        """Read a model that `save` wrote.

        Raises:
            ModelError: a file is missing or damaged, or holds a type that is not trusted.
        """
        import skops.io

        try:
            about = json.loads((folder / "model.json").read_bytes())
            parts = skops.io.loads((folder / "model.skops").read_bytes(), trusted=list(TRUSTED))
            return cls(
                RunSpec.from_json(about["spec"]),
                parts["reduction"],
                parts["classifier"],
                float(about["temperature"]),
                about["metrics"],
                about["versions"],
            )
        except Exception as error:
            raise ModelError(
                f"The model in {folder.name} cannot be read ({type(error).__name__}); train it again from its settings."
            ) from error


def load_test_probabilities(folder: Path) -> NDArray[np.float32]:
    """What a saved model said of the test split, float32 (n, 10), read-only.

    Raises:
        ModelError: they were not kept, or the file is damaged.
    """
    try:
        found = np.load(folder / "test.npy", allow_pickle=False)
        if found.ndim != 2 or found.shape[1] != CLASSES or found.dtype != np.float32:
            raise ValueError("not probabilities")
    except (OSError, ValueError, EOFError) as error:
        raise ModelError(f"What the model in {folder.name} said of the test digits was not kept.") from error
    found.flags.writeable = False
    return found


def library_versions() -> dict[str, str]:
    """Versions of Python and of the libraries that decide what a model computes."""
    return {"python": platform.python_version()} | {name: version(name) for name in LIBRARIES}


def pairwise_probabilities(margins: NDArray[np.float64], temperature: float) -> NDArray[np.float64]:
    """Probabilities of k classes from the margins of every class against every other.

    Each margin becomes the probability that the first of two classes wins; a class is as probable as it is to win all
    its contests, up to a common factor. The sum of votes, which scikit-learn offers instead, forgets by how much each
    contest was won.

    Source: Hastie and Tibshirani, Classification by pairwise coupling (1998), whose simplest coupling this is.

    Args:
        margins: float (n, k (k - 1) / 2), in the order 0-1, 0-2, ... as SVC's ``ovo`` decision function gives them;
            (n,) where there are two classes: SVC then counts for the second class, not for the first.
        temperature: what margins are divided by; positive.

    Returns:
        float64 (n, k), rows summing to 1.
    """
    if margins.ndim == 1:
        margins = -margins[:, None]
    k = round((1 + np.sqrt(1 + 8 * margins.shape[1])) / 2)
    first, second = np.triu_indices(k, 1)
    scores = np.zeros((len(margins), k))
    for sign, classes in ((-1, first), (1, second)):
        # The logarithm of a logistic function, written so that it never overflows.
        logs = -np.logaddexp(0, sign * margins / temperature)
        for c in range(k):
            scores[:, c] += logs[:, classes == c].sum(axis=1)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
