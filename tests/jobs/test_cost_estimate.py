"""What a run will take, measured before it is begun."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from hdr import catalogue
from hdr.jobs import cost_estimate as module
from hdr.jobs.cost_estimate import estimate, probe
from hdr.training.limits import MemoryLimitError, check_memory, memory_limit_mb
from hdr.training.run_spec import RunSpec
from hdr.types import Dataset, HdrError, Step

HOG = (Step("hog", {"cell": 7, "block": 2}),)
NAMES = [e.name for e in catalogue.entries("classifier")]


def spec_of(name: str, **changes: object) -> RunSpec:
    """A small run of a classifier on the bundled digits."""
    return replace(RunSpec("bundled", 1000, features=HOG, classifier=Step(name)), **changes)


@pytest.mark.parametrize("name", NAMES)
def test_every_classifier_is_probed(name: str, bundled: Dataset) -> None:
    found = probe(spec_of(name), bundled)
    assert 0 < found.fit_seconds < found.total_seconds < 600
    assert (found.rows, found.features) == (1000, 324) and found.probed <= 1000
    assert 100 < found.peak_mb < 1000


def test_copies_are_counted_and_measured(bundled: Dataset) -> None:
    found = probe(spec_of("linear_discriminant", augmentation=Step("distort", {"copies": 3})), bundled)
    assert found.rows == 4000 and found.probed == 4000


def test_a_process_of_its_own_measures_the_same_spec() -> None:
    spec = spec_of("svm", reduction=Step("pca", {"components": 20}))
    found = estimate(spec)
    assert (found.rows, found.features, found.probed) == (1000, 20, 1000)
    assert found.fit_seconds > 0


def test_what_cannot_be_fitted_is_said_before_it_is_begun() -> None:
    with pytest.raises(HdrError, match="300 components cannot be taken"):
        estimate(
            spec_of(
                "svm", features=(Step("hog", {"cell": 14, "block": 1}),), reduction=Step("pca", {"components": 300})
            )
        )
    with pytest.raises(HdrError, match="nowhere"):
        estimate(spec_of("svm", dataset="nowhere"))


@pytest.mark.parametrize(("power", "always"), [(1.0, 0.0), (1.0, 0.2), (1.8, 0.05)])
def test_time_is_extrapolated_by_its_growth(power: float, always: float, monkeypatch: pytest.MonkeyPatch) -> None:
    times = object.__new__(module._Times)
    times._cost, times._repeats = module.Cost(fit=power), 3.0
    times._points = [(n, always + 1e-5 * n**power) for n in (250, 500, 1000)]
    assert times.fit(50_000) == pytest.approx(3 * (always + 1e-5 * 50_000**power), rel=1e-6)
    times._points = [(500, 0.3), (1000, 0.1)]
    assert times.fit(10_000) > 0, "a probe that was disturbed does not make time run backwards"


def test_memory_grows_with_digits_copies_and_features(bundled: Dataset) -> None:
    small = check_memory(spec_of("svm", train_size=500), bundled)
    assert small < check_memory(spec_of("svm"), bundled)
    assert small < check_memory(spec_of("svm", train_size=500, augmentation=Step("distort", {"copies": 10})), bundled)
    assert small < check_memory(spec_of("svm", train_size=500, features=(Step("hog"),)), bundled)


def test_what_does_not_fit_is_refused_with_both_numbers(bundled: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    spec = spec_of("random_forest")
    needed = check_memory(spec, bundled)
    monkeypatch.setenv("HDR_MEMORY_MB", f"{needed + 1:.0f}")
    check_memory(spec, bundled)
    monkeypatch.setenv("HDR_MEMORY_MB", "150")
    with pytest.raises(MemoryLimitError, match=rf"about {needed:.0f} MB of memory, and there are 150 MB"):
        probe(spec, bundled)
    monkeypatch.setenv("HDR_MEMORY_MB", "plenty")
    with pytest.raises(HdrError, match="HDR_MEMORY_MB is 'plenty'; it must be a number"):
        memory_limit_mb()
    monkeypatch.delenv("HDR_MEMORY_MB")
    assert memory_limit_mb() > 500


def test_a_classifier_holds_at_least_what_it_is_given() -> None:
    for entry in catalogue.entries("classifier"):
        held = entry.facts.get("cost", module.Cost()).held
        assert np.isfinite(held(1000, 50, entry.validate())) and held(2000, 50, entry.validate()) >= 0
