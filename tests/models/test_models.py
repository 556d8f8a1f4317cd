"""What every classifier and every reduction keeps: these tests run over the catalogue."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any, get_args

import numpy as np
import pytest
import skops.io
from scipy.special import softmax
from sklearn.base import TransformerMixin, clone, is_classifier
from sklearn.decomposition import PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.metrics.pairwise import rbf_kernel
from threadpoolctl import threadpool_limits

import hdr.models  # noqa: F401 - registers the entries
from hdr import catalogue, datasets
from hdr.catalogue import Entry
from hdr.features.pixels import pixels
from hdr.models import FitContext
from hdr.models.fit_context import Progress
from hdr.training.model import TRUSTED
from hdr.training.strategies import GROWN
from hdr.types import Features, Labels

CLASSIFIERS = catalogue.entries("classifier")
REDUCTIONS = catalogue.entries("reduction")
CONTEXT = FitContext(seed=3, dimensions=14 * 14, variance=0.1, threads=1)
FITTED = 300

NOTHING_RANDOM: set[str] = set()
"""Classifiers whose estimator takes a seed for solvers that we do not use."""


@pytest.fixture(scope="module")
def data() -> Iterator[tuple[Features, Labels, Features, Labels]]:
    """300 bundled digits to fit, others to read, as every other pixel."""
    found = datasets.load("bundled")
    train, test = (pixels(split.images[:, ::2, ::2]) for split in (found.train, found.test))
    with threadpool_limits(1):
        yield train[:FITTED], found.train.labels[:FITTED], test, found.test.labels


def make(entry: Entry, **params: Any) -> Any:
    """The entry's estimator, not fitted."""
    return entry(CONTEXT if entry.kind == "classifier" else CONTEXT.seed, **params)


def values(entry: Entry) -> list[tuple[str, Any]]:
    """Each parameter with each choice, or with both ends of its range."""
    both = {p.name: (False, True) if p.type is bool else (p.minimum, p.maximum) for p in entry.parameters}
    return [(p.name, p.type(v)) for p in entry.parameters for v in p.choices or both[p.name]]


def cases(entries: tuple[Entry, ...]) -> list[Any]:
    return [pytest.param(e, name, v, id=f"{e.name}-{name}={v}") for e in entries for name, v in values(e)]


def by_name(entry: Entry) -> str:
    return entry.name


def settings(estimator: Any) -> str:
    return str(estimator.get_params())


@pytest.mark.parametrize("entry", CLASSIFIERS, ids=by_name)
def test_every_classifier_learns_from_few_digits(entry: Entry, data: tuple) -> None:
    images, labels, other, truth = data
    estimator = make(entry)
    assert is_classifier(estimator)
    with warnings.catch_warnings():
        # It stops after as many epochs as it was given: meant so.
        warnings.simplefilter("ignore", ConvergenceWarning)
        estimator.fit(images, labels)
        again = make(entry).fit(images, labels)
    found = estimator.predict(other)
    assert found.shape == truth.shape and set(found) <= set(range(10))
    assert (found == truth).mean() > 0.5, "a tenth would be chance"
    np.testing.assert_array_equal(again.predict(other), found)
    # What probabilities come from: one score for each class, or one for each of the 45 pairs of classes.
    scores = (getattr(estimator, "predict_proba", None) or estimator.decision_function)(other)
    assert len(scores) == len(other) and scores.shape[1] in (10, 45) and np.isfinite(scores).all()


@pytest.mark.parametrize("entry", REDUCTIONS, ids=by_name)
def test_every_reduction_gives_as_many_features_or_fewer(entry: Entry, data: tuple) -> None:
    images, _, other, _ = data
    estimator = make(entry)
    assert isinstance(estimator, TransformerMixin)
    reduced = estimator.fit(images).transform(other)
    assert reduced.shape[0] == len(other) and 0 < reduced.shape[1] <= images.shape[1]
    assert reduced.shape[1] == entry.validate().get("components", images.shape[1])
    assert np.isfinite(reduced).all() and reduced.dtype == np.float32
    np.testing.assert_array_equal(make(entry).fit(images).transform(other), reduced)


@pytest.mark.parametrize(("entry", "name", "value"), cases((*CLASSIFIERS, *REDUCTIONS)))
def test_every_value_makes_an_estimator_that_accepts_it(entry: Entry, name: str, value: Any, data: tuple) -> None:
    estimator = make(entry, **{name: value})
    clone(estimator)
    # scikit-learn checks the ranges of its own parameters when fitting begins.
    for part in (estimator, *getattr(estimator, "named_steps", {}).values()):
        part._validate_params()


@pytest.mark.parametrize("entry", [*CLASSIFIERS, *REDUCTIONS], ids=by_name)
def test_no_parameter_is_idle(entry: Entry) -> None:
    # What comes later says when to stop, which an unfitted estimator does not know: see tests/training/test_fitting.py.
    for parameter in (p for p in entry.parameters if p.name not in entry.facts.get("later", ())):
        made = {settings(make(entry, **{name: v})) for name, v in values(entry) if name == parameter.name}
        assert len(made) > 1, parameter.name


@pytest.mark.parametrize("entry", CLASSIFIERS, ids=by_name)
def test_progress_is_of_a_known_kind(entry: Entry) -> None:
    kind = entry.facts["progress"]
    assert kind in get_args(Progress)
    estimator = make(entry)
    if kind == "epochs":
        assert hasattr(estimator, "partial_fit") and estimator.max_iter == entry.validate()["epochs"]
    if kind in GROWN:
        assert {"warm_start", GROWN[kind]} <= set(estimator.get_params())


@pytest.mark.parametrize("entry", CLASSIFIERS, ids=by_name)
def test_seed_and_threads_reach_the_estimator(entry: Entry) -> None:
    params = make(entry).get_params()
    # An estimator of several parts has these for each of them.
    for name, value in params.items():
        if name.endswith("n_jobs"):
            assert value in (None, CONTEXT.threads), name
        if name.endswith("random_state"):
            assert value == CONTEXT.seed or (value is None and entry.name in NOTHING_RANDOM), name


@pytest.mark.parametrize("entry", [*CLASSIFIERS, *REDUCTIONS], ids=by_name)
def test_everything_has_words(entry: Entry) -> None:
    assert entry.title and entry.family and entry.source
    assert len(entry.caption.split()) >= 6 and entry.caption.endswith(".")
    for parameter in entry.parameters:
        assert parameter.title and len(parameter.help.split()) >= 3 and parameter.help.endswith("."), parameter.name


def test_gamma_is_a_multiple_of_scikit_learns_scale(data: tuple) -> None:
    images, labels, *_ = data
    context = FitContext(0, images.shape[1], float(images.var()), 1)
    ours = catalogue.get("classifier", "svm")(context, gamma=1.0, C=10.0).fit(images, labels)
    assert ours.gamma == pytest.approx(ours.__class__(gamma="scale").fit(images, labels)._gamma, rel=1e-4)
    twice = catalogue.get("classifier", "svm")(context, gamma=2.0)
    assert twice.gamma == pytest.approx(2 * ours.gamma)


def test_features_that_do_not_vary_still_make_a_machine() -> None:
    flat = FitContext(seed=0, dimensions=784, variance=0.0, threads=1)
    assert 0 < catalogue.get("classifier", "svm")(flat).gamma < np.inf


@pytest.mark.parametrize("components", [2, 20, 100])
def test_pca_keeps_as_much_as_a_full_decomposition(data: tuple, components: int) -> None:
    images, _, other, _ = data
    found = make(catalogue.get("reduction", "pca"), components=components).fit(images)
    expected = PCA(components, svd_solver="full").fit(images.astype(float))
    # It may look for the directions at random: what they leave out of other digits counts, not which they are.
    lost, least = (((p.inverse_transform(p.transform(other)) - other) ** 2).sum() for p in (found, expected))
    assert lost < 1.02 * least


def test_standardised_features_have_mean_0_and_variance_1(data: tuple) -> None:
    images, *_ = data
    images = np.hstack([images * 100 + 7, np.full((len(images), 1), 3, np.float32)])
    found = make(catalogue.get("reduction", "standardise")).fit_transform(images)
    varies = images.std(axis=0) > 0
    np.testing.assert_allclose(found.mean(axis=0), 0, atol=1e-4)
    np.testing.assert_allclose(found[:, varies].std(axis=0), 1, atol=1e-3)
    assert not found[:, ~varies].any() and not varies.all(), "what never varies says nothing"


def test_pca_after_standardising_does_not_depend_on_units(data: tuple) -> None:
    images, _, other, _ = data
    # Powers of two keep every digit of a number.
    units = np.float32(2) ** np.random.default_rng(0).integers(-6, 7, images.shape[1])
    entry = catalogue.get("reduction", "pca")
    for standardise in (True, False):
        plain, scaled = (
            make(entry, components=5, standardise=standardise).fit(images * by).transform(other * by)
            for by in (np.float32(1), units)
        )
        assert plain.dtype == np.float32
        assert np.allclose(np.abs(plain), np.abs(scaled), atol=1e-2) == standardise


@pytest.mark.parametrize(
    ("name", "params"),
    [("standardise", {}), ("pca", {"components": 10}), ("pca", {"components": 10, "standardise": True})],
)
def test_reductions_can_be_kept_in_files_that_run_no_code(name: str, params: dict, data: tuple) -> None:
    images, _, other, _ = data
    fitted = make(catalogue.get("reduction", name), **params).fit(images)
    back = skops.io.loads(skops.io.dumps(fitted), trusted=list(TRUSTED))
    np.testing.assert_allclose(back.transform(other), fitted.transform(other), rtol=0, atol=1e-5)


def test_a_forest_of_extra_trees_grown_in_steps_is_the_one_grown_at_once(data: tuple) -> None:
    images, labels, other, _ = data
    at_once = make(catalogue.get("classifier", "extra_trees"), trees=20).fit(images, labels)
    grown = make(catalogue.get("classifier", "extra_trees"), trees=20).set_params(warm_start=True)
    for trees in (5, 20):
        grown.set_params(n_estimators=trees).fit(images, labels)
    np.testing.assert_allclose(grown.predict_proba(other), at_once.predict_proba(other), atol=1e-12)


def test_the_quadratic_discriminant_is_the_gaussian_rule_written_out(data: tuple) -> None:
    images, labels, other, _ = data
    reduced = PCA(20, random_state=0).fit(images)
    train, test = reduced.transform(images), reduced.transform(other)
    found = make(catalogue.get("classifier", "quadratic_discriminant"), shrinkage=0.3).fit(train, labels)
    logs = []
    for c in range(10):
        own = train[labels == c].astype(float)
        spread = np.cov(own.T, bias=True)
        spread = 0.7 * spread + 0.3 * np.trace(spread) / 20 * np.eye(20)
        away = test - own.mean(axis=0)
        distance = np.einsum("nd,de,ne->n", away, np.linalg.inv(spread), away)
        logs.append(-0.5 * (np.linalg.slogdet(spread)[1] + distance) + np.log(len(own) / len(labels)))
    np.testing.assert_allclose(found.predict_proba(test), softmax(np.array(logs).T, axis=1), atol=1e-3)


def test_more_components_come_nearer_to_the_kernel(data: tuple) -> None:
    images, *_ = data
    exact = rbf_kernel(images, gamma=1 / (CONTEXT.dimensions * CONTEXT.variance))
    for method in ("nystroem", "fourier"):
        lost = []
        for components in (50, 250):
            entry = catalogue.get("classifier", "kernel_approximation")
            mapped = make(entry, method=method, components=components)["features"].fit_transform(images)
            lost.append(np.abs(mapped @ mapped.T - exact).mean())
        assert lost[1] < 0.7 * lost[0], method


def test_the_nearest_centroid_is_the_most_probable(data: tuple) -> None:
    images, labels, other, _ = data
    entry = catalogue.get("classifier", "nearest_centroid")
    for shrink in (0.0, 1.0):
        found = make(entry, shrink=shrink)
        with warnings.catch_warnings():
            # Pixels at the edge never vary.
            warnings.simplefilter("ignore", UserWarning)
            found.fit(images, labels)
        probabilities = entry.facts["probabilities"](found, other)
        assert probabilities.shape == (len(other), 10)
        np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)
        assert (found.classes_[probabilities.argmax(axis=1)] == found.predict(other)).all()
