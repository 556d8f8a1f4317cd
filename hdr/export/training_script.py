"""A run as a Python script that trains the same model with plain scikit-learn, and nothing of ours.

Preprocessing, features and other code of hdr are printed from their own source; estimators are written out with every
parameter that is not scikit-learn's default. No text of a visitor comes into it.
"""

from __future__ import annotations

import gzip
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from hdr import catalogue
from hdr.datasets.formats.idx import parse
from hdr.datasets.public import mnist, sklearn_digits
from hdr.datasets.public.sklearn_digits import enlarged, held_out
from hdr.export.estimator_source import Estimators, clone_with_resolved_params
from hdr.export.preprocessing_script import (
    Names,
    chain_in_words,
    features_function,
    in_words,
    literal,
    numbered,
    places,
    preprocess_function,
    program,
)
from hdr.export.source_extraction import Import, Place, call
from hdr.features.extract import CHUNK
from hdr.preprocessing.size_normalisation import from_pixels
from hdr.training.fitting import REDUCTION_DIGITS
from hdr.training.model import TrainedModel
from hdr.training.strategies import GROWN, LIVE
from hdr.types import HdrError, Images, Labels

KEPT_ASIDE = Place("hdr.training.fitting", "validation_size")
TEMPERING = Place("hdr.training.fitting", "_temperature")
COUPLING = Place("hdr.training.model", "pairwise_probabilities")
INTERVAL = Place("hdr.training.metrics", "wilson_interval")


class RecipeError(HdrError):
    """A run cannot be written as a script of its own; the message says why."""


def load_mnist(folder: str) -> tuple[Images, Labels, Images, Labels]:
    """Training images and labels, test images and labels, from the four files of MNIST, plain or gzip."""
    arrays = []
    for part in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        places = [Path(folder) / f"{part}-ubyte{end}" for end in ("", ".gz")]
        found = [place for place in places if place.is_file()]
        if not found:
            sys.exit(f"{places[0]} is not there; the folder must hold the four files of MNIST.")
        data = found[0].read_bytes()
        arrays.append(parse(gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data))
    images, labels, test_images, test_labels = arrays
    return images, labels, test_images, test_labels


def load_bundled() -> tuple[Images, Labels, Images, Labels]:
    """Training images and labels, test images and labels, from the small digits that come with scikit-learn."""
    from sklearn.datasets import load_digits

    small, labels = load_digits(return_X_y=True)
    images = from_pixels(enlarged(small.reshape(-1, 8, 8).astype(np.uint8)))
    labels = labels.astype(np.uint8)
    test = held_out(labels)
    train = np.setdiff1d(np.arange(len(labels)), test)
    return images[train], labels[train], images[test], labels[test]


@dataclass(frozen=True)
class _Source:
    """How the script loads a data set: the loader, its argument, and a comment on it."""

    loader: str
    arguments: str
    help: str


SOURCES = {
    mnist.NAME: _Source("load_mnist", "FOLDER ", "FOLDER holds the four files of MNIST, plain or gzip.\n"),
    sklearn_digits.NAME: _Source("load_bundled", "", ""),
}
"""The data sets that a script can load by itself."""


def recipe(model: TrainedModel) -> str:
    """The script: ``python train.py FOLDER [labels.txt]``.

    It defines ``train(images, labels)`` and ``predict(model, images)``, trains, prints the test accuracy and, where a
    file is named, writes what it calls the test digits.

    Raises:
        RecipeError: the script could not load the data set by itself.
    """
    spec = model.spec
    if spec.dataset not in SOURCES:
        raise RecipeError(f"A script of its own can learn from {' or '.join(SOURCES)}, not from '{spec.dataset}'.")
    source, estimators = SOURCES[spec.dataset], Estimators()
    entry = catalogue.get("classifier", spec.classifier.name)
    special = entry.facts.get("probabilities")
    margins = special is None and not hasattr(model.classifier, "predict_proba")
    training = _train(model, estimators, margins)
    steps = spec.pipeline.steps
    uses = [*places("step", steps), *places("feature", spec.features)]
    uses += places("augmentation", [spec.augmentation]) if spec.augmentation else []
    loader = Place(__name__, source.loader)
    uses += [loader, INTERVAL, KEPT_ASIDE, *([COUPLING, TEMPERING] if margins else [])]
    uses += [Place(special.__module__, special.__name__)] if special else []

    def write(names: Names) -> str:
        asked = "classifier.predict_proba(rows)"
        if margins:
            asked = f"{names[COUPLING]}(classifier.decision_function(rows), temperature)"
        elif special:
            asked = f"{names[uses[-1]]}(classifier, rows)"
        parts = [
            preprocess_function(steps, names),
            features_function(spec.features, names),
            NUMBERS.format(chunk=CHUNK),
            training(names),
            PREDICT.format(chunk=CHUNK, asked=asked, model=_parts_of(margins)),
            MAIN.format(
                usage=f"Usage: python train.py {source.arguments}[labels.txt]",
                help=source.help,
                most=3 if source.arguments else 2,
                last=2 if source.arguments else 1,
                least=2 if source.arguments else 1,
                threads=spec.threads,
                load=f"{names[loader]}({'sys.argv[1]' if source.arguments else ''})",
                interval=names[INTERVAL],
            ),
        ]
        return "\n\n".join(part.lstrip("\n") for part in parts)

    imports = {
        "np": Import("numpy"),
        "sys": Import("sys"),
        "threadpool_limits": Import("threadpoolctl", "threadpool_limits"),
    }
    return program(_about(model, source), uses, write, {**estimators.imports, **imports})


NUMBERS = '''
def numbers(images, reduction=None):
    """What is learned from: a row of numbers for each digit, float32 (n, d). Few digits are worked on at a time."""
    parts = []
    for start in range(0, len(images), {chunk}):
        rows = features(preprocess(images[start : start + {chunk}]))
        parts.append(rows if reduction is None else reduction.transform(rows))
    return np.concatenate(parts)
'''

PREDICT = '''
def predict(model, images):
    """The labels (n,) of uint8 (n, 28, 28)."""
    {model} = model
    found = []
    for start in range(0, len(images), {chunk}):
        rows = numbers(images[start : start + {chunk}], reduction)
        found.append({asked})
    return classifier.classes_[np.concatenate(found).argmax(axis=1)]
'''

MAIN = '''
USAGE = """{usage}
{help}The label of each test digit is written to labels.txt."""

if __name__ == "__main__":
    if not {least} <= len(sys.argv) <= {most}:
        sys.exit(USAGE)
    images, labels, test_images, test_labels = {load}
    # Another number of threads adds numbers in another order, and the last digits differ.
    with threadpool_limits({threads}):
        model = train(images, labels)
        called = predict(model, test_images)
    right = int((called == test_labels).sum())
    low, high = {interval}(right, len(test_labels))
    print(f"Test accuracy {{right / len(test_labels):.2%}}, 95% interval {{low:.2%}} to {{high:.2%}}")
    if len(sys.argv) == {most}:
        np.savetxt(sys.argv[{last}], called, fmt="%d")
'''


def _parts_of(margins: bool) -> str:
    return "reduction, classifier, temperature" if margins else "reduction, classifier"


def _train(model: TrainedModel, estimators: Estimators, margins: bool) -> Any:
    # Everything that does not depend on names is made now, since it decides what is imported.
    spec = model.spec
    reduction = ["    reduction = None"]
    if spec.reduction:
        made = catalogue.get("reduction", spec.reduction.name).function(spec.seed, **spec.reduction.params)
        reduction = [
            f"    {estimators.written(made, 'reduction = ')}",
            f"    reduction.fit(numbers(images[chosen[:{REDUCTION_DIGITS}]]))",
        ]
    fitting = _fitting(model, estimators)

    def write(names: Names) -> str:
        lines = [
            "def train(images, labels):",
            '    """A model of uint8 (n, 28, 28) and labels (n,); the digits that it learns from are drawn by seed."""',
            f"    order = np.random.default_rng({spec.seed}).permutation(len(images))",
            f"    kept = {names[KEPT_ASIDE]}(len(images))",
            f"    chosen = order[: min({spec.train_size}, len(images) - kept)]",
            *reduction,
            *_rows(model, names),
            *fitting,
        ]
        if margins:
            lines += [
                "    # Margins become probabilities by a temperature, found on digits that were not learned from.",
                "    held = order[len(images) - kept :]",
                f"    temperature = {names[TEMPERING]}(classifier, numbers(images[held], reduction), labels[held])",
            ]
        return "\n".join([*lines, f"    return {_parts_of(margins)}", ""])

    return write


def _rows(model: TrainedModel, names: Names) -> list[str]:
    augmentation = model.spec.augmentation
    if augmentation is None:
        return ["    rows, called = numbers(images[chosen], reduction), labels[chosen]"]
    versions = 1 + augmentation.params["copies"]
    (place,) = places("augmentation", [augmentation])
    values = [f"{key}={literal(value)}" for key, value in augmentation.params.items()]
    arguments = ["images[some]", str(model.spec.seed), "some", *values]
    return [
        "    parts = []",
        f"    for start in range(0, len(chosen), {CHUNK // versions}):",
        f"        some = chosen[start : start + {CHUNK // versions}]",
        "        " + call(f"copies = {names[place]}", arguments, indent="        "),
        "        parts.append(numbers(copies.reshape(-1, *images.shape[1:]), reduction))",
        f"    rows, called = np.concatenate(parts), np.repeat(labels[chosen], {versions})",
    ]


def _fitting(model: TrainedModel, estimators: Estimators) -> list[str]:
    spec, metrics = model.spec, model.metrics
    classifier, measured = clone_with_resolved_params(model)
    early = metrics.get("stopped_early") or {}
    if (unit := early.get("unit")) in GROWN:
        classifier.set_params(**{GROWN[unit]: early["step"]})
    made = [f"    # {name} suits the variance of these rows; others need another." for name in measured]
    made += [f"    {estimators.written(classifier, 'classifier = ')}"]
    if catalogue.get("classifier", spec.classifier.name).facts["progress"] == "epochs":
        epochs = metrics.get("kept_epoch") or early.get("step") or classifier.max_iter
        return [*made, *_epochs(spec.seed, epochs, _changes(model, epochs))]
    if early.get("unit") == "digits":
        return [*made, f"    classifier.fit(rows[:{early['step']}], called[:{early['step']}])"]
    return [*made, "    classifier.fit(rows, called)"]


def _epochs(seed: int, epochs: int, changes: dict[int, dict[str, Any]]) -> list[str]:
    lines = [f"    changes = {changes}".replace("'", '"')] if changes else []
    changed = ", **changes.get(epoch, {})" if changes else ""
    lines += [
        f"    for epoch in range(1, {epochs + 1}):",
        "        # Every call starts its random numbers anew: with one seed, all epochs would see one order.",
        f"        classifier.set_params(random_state={f'{seed} + ' if seed else ''}epoch - 1{changed})",
    ]
    if changes:
        lines += [
            '        if hasattr(classifier, "_optimizer"):',
            "            # An optimiser that runs already has a rate of its own, and keeps its moments.",
            "            classifier._optimizer.learning_rate_init = classifier.learning_rate_init",
        ]
    return [
        *lines,
        "        classifier.partial_fit(rows, called, classes=np.unique(called))",
        f'        print(f"Epoch {{epoch}} of {epochs}: loss {{classifier.loss_:.4f}}")',
    ]


def _changes(model: TrainedModel, epochs: int) -> dict[int, dict[str, Any]]:
    found = {}
    for change in model.spec.changes:
        values = {LIVE[name]: value for name, value in change.values}
        if values and change.epoch <= epochs:
            found[change.epoch] = values
    return found


def _about(model: TrainedModel, source: _Source) -> Sequence[str]:
    spec, accuracy = model.spec, model.metrics["test_accuracy"]
    lines = ["Trains a classifier of handwritten digits and measures it on the test digits:"]
    lines += [f"  python train.py {source.arguments}[labels.txt]", "Pictures, light ink on dark, are prepared first:"]
    lines += chain_in_words(spec.pipeline)
    lines += ["Then turned into numbers, one after another in one row:"]
    lines += numbered(in_words("feature", step) for step in spec.features)
    if spec.augmentation:
        lines += [in_words("augmentation", spec.augmentation)]
    if spec.reduction:
        lines += [in_words("reduction", spec.reduction)]
    lines += [in_words("classifier", spec.classifier), ""]
    lines += [f"The run that this was made from: test accuracy {accuracy:.2%}, with {_versions(model)}."]
    return lines


def _versions(model: TrainedModel) -> str:
    return ", ".join(f"{name} {version}" for name, version in model.versions.items() if name != "skops")
