"""Curves over growing disturbance: the levels, the mean, and what is kept of them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hdr import catalogue
from hdr.analysis.corruption_robustness import FILE, SWEEPS, CorruptionSweep, Robustness, load, measure, save
from hdr.preprocessing.corruptions import spoil
from hdr.training.model import TrainedModel
from hdr.training.run_spec import RunSpec
from hdr.types import Dataset, Images


class Stub(TrainedModel):
    """Calls a digit right as long as it is the very picture it knows."""

    def predict_proba(self, images: Images) -> np.ndarray:
        said = [self.classifier.get(image.tobytes(), 10) for image in images]
        return np.eye(11)[said][:, :10]


@pytest.fixture
def known(bundled: Dataset) -> Stub:
    pairs = zip(bundled.test.images, bundled.test.labels.tolist(), strict=True)
    # What it does not know it calls 0.
    return Stub(RunSpec("bundled"), None, {image.tobytes(): label for image, label in pairs})


@pytest.mark.parametrize("sweep", SWEEPS, ids=lambda s: s.name)
def test_a_sweep_grows_from_nothing(sweep: CorruptionSweep, bundled: Dataset) -> None:
    assert list(sweep.levels) == sorted(sweep.levels) and sweep.clean in sweep.levels
    images = bundled.test.images[:40]
    changes = []
    for level in sweep.levels:
        per_step = [np.abs(spoil(images, [s], 0).astype(int) - images).mean() for s in sweep.steps(level)]
        assert (level == sweep.clean) == (max(per_step) == 0)
        changes.append(np.mean(per_step))
    at = sweep.levels.index(sweep.clean)
    assert (np.diff(changes[at:]) > 0).all() and (np.diff(changes[: at + 1]) < 0).all()
    for step in sweep.steps(sweep.levels[-1]):
        catalogue.with_defaults("disturbance", step)


def test_a_model_that_knows_pictures_by_heart_fails_as_soon_as_they_change(known: Stub, bundled: Dataset) -> None:
    words: list[tuple[str, float]] = []
    found = measure(known, bundled, 60, lambda text, share: words.append((text, share)))
    assert (found.clean, found.digits) == (1.0, 60)
    for sweep in SWEEPS:
        curve = dict(zip(sweep.levels, found.curves[sweep.name], strict=True))
        assert curve[sweep.clean] == 1.0
        assert all(a < 0.35 for level, a in curve.items() if level != sweep.clean)
    assert [s for _, s in words] == sorted(s for _, s in words) and words[-1][1] < 1
    assert found == measure(known, bundled, 60), "the same digits and the same noise again"


def test_the_mean_is_of_all_that_changes_something() -> None:
    curves = {s.name: tuple(1.0 if level == s.clean else 0.5 for level in s.levels) for s in SWEEPS}
    curves["blur"] = (1.0, 0.9, 0.9, 0.9, 0.9, 0.9)
    found = Robustness(1.0, curves, 100)
    assert found.mean_of(next(s for s in SWEEPS if s.name == "blur")) == pytest.approx(0.9)
    assert found.mean == pytest.approx((7 * 0.5 + 0.9) / 8)


def test_what_was_measured_is_kept(tmp_path: Path) -> None:
    assert load(tmp_path) is None
    found = Robustness(0.98, {s.name: tuple(0.1 * i for i in range(len(s.levels))) for s in SWEEPS}, 1000)
    save(tmp_path, found)
    assert load(tmp_path) == found
    data = json.loads((tmp_path / FILE).read_bytes())
    assert data["mean"] == pytest.approx(found.mean)
    (tmp_path / FILE).write_text(json.dumps(data | {"plan": "another"}))
    assert load(tmp_path) is None, "other levels gave other numbers"
    for damaged in ("", "{}", "[1]", '{"plan": 3'):
        (tmp_path / FILE).write_text(damaged)
        assert load(tmp_path) is None
