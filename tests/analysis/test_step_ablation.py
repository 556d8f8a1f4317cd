"""What a step is worth: known answers, a fair comparison, and the test split left alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, replace
from typing import Annotated

import numpy as np
import pytest
from pydantic import Field

from hdr import catalogue
from hdr.analysis.step_ablation import PLAN, AblationError, ablate_step
from hdr.preprocessing import Pipeline
from hdr.preprocessing.corruptions import spoil
from hdr.preprocessing.pipeline import chain
from hdr.training.fitting import fit_once, split
from hdr.training.metrics import mcnemar, paired_interval
from hdr.types import Dataset, Images, Split, Step


def nearly_all(
    images: Images, *, of: Annotated[int, Field(ge=1, le=28, title="Side", description="Kept.")] = 4
) -> Images:
    """Keeps a corner: what is left has few pixels."""
    return np.ascontiguousarray(images[:, :of, :of])


def wide(images: Images) -> Images:
    """Makes a picture large again."""
    return images.repeat(28 // images.shape[1], axis=1).repeat(28 // images.shape[2], axis=2)


@pytest.fixture(scope="module", autouse=True)
def catalogue_with_probes() -> Iterator[None]:
    """The real steps and two that change the size, for this file only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(catalogue, "_entries", {kind: dict(table) for kind, table in catalogue._entries.items()})
        catalogue.register("step", "Corner", family="Probes")(nearly_all)
        catalogue.register("step", "Wide", family="Probes")(wide)
        yield


NOISE = (Step("salt_and_pepper", {"share": 20}),)


def test_a_median_mends_specks_and_every_figure_follows_from_the_changes(bundled: Dataset) -> None:
    told: dict[str, float] = {}
    found = ablate_step(
        bundled, chain("median", "otsu"), 0, disturbances=NOISE, train_size=800, report=told.__setitem__
    )
    assert found.difference > 0.02 and found.interval[0] > 0 and found.p < 0.01
    assert found.difference == pytest.approx(found.accuracy_with - found.accuracy_without)
    gained, lost = len(found.mended), len(found.broken)
    assert found.difference == (gained - lost) / found.validated_on
    assert found.interval == paired_interval(gained, lost, found.validated_on)
    assert found.p == mcnemar(gained, lost)
    assert (found.fitted_on, found.validated_on) == (800, len(bundled.train) // 5)
    assert list(told.values()) == [0, 0.1, 0.55, 1]
    assert list(told)[1:] == ["Training with Median filter", "Training without Median filter", "Done"]
    assert found.seconds > 0
    assert json.loads(json.dumps(asdict(found)))["difference"] == found.difference


def test_digits_that_change_are_what_two_models_fitted_by_hand_say(bundled: Dataset) -> None:
    pipeline = chain("median", "otsu", "deskew")
    found = ablate_step(bundled, pipeline, 1, disturbances=NOISE, train_size=600, seed=5)
    spec = replace(PLAN, dataset="bundled", train_size=600, seed=5)
    chosen, held = split(spec, bundled)
    spoilt = spoil(bundled.train.images[np.concatenate([held, chosen])], NOISE, 5)
    said = []
    for names in (("median", "otsu", "deskew"), ("median", "deskew")):
        model = fit_once(replace(spec, pipeline=chain(*names)), spoilt[len(held) :], bundled.train.labels[chosen])
        said.append(model.predict_proba(spoilt[: len(held)]).argmax(axis=1))
    labels = bundled.train.labels[held]
    rights = [(s == labels) for s in said]
    assert (found.accuracy_with, found.accuracy_without) == tuple(float(r.mean()) for r in rights)
    for changes, which in ((found.mended, rights[0] & ~rights[1]), (found.broken, rights[1] & ~rights[0])):
        expected = zip(held[which], labels[which], said[0][which], said[1][which], strict=True)
        assert [tuple(asdict(c).values()) for c in changes] == [tuple(map(int, row)) for row in expected]
        assert changes and not {c.index for c in changes} & set(chosen.tolist())


def test_the_same_call_gives_the_same_result_and_another_seed_another(bundled: Dataset) -> None:
    one, two = (ablate_step(bundled, chain("otsu"), 0, disturbances=NOISE, train_size=500) for _ in range(2))
    assert one == two
    assert ablate_step(bundled, chain("otsu"), 0, disturbances=NOISE, train_size=500, seed=1) != one


def test_the_test_split_is_never_touched(bundled: Dataset) -> None:
    class Untouchable:
        def __getattr__(self, name: str) -> None:
            raise AssertionError(f"somebody asked the test split for its {name}")

    guarded = Dataset(bundled.name, bundled.title, bundled.note, bundled.train, Untouchable())  # type: ignore[arg-type]
    assert ablate_step(guarded, chain("deskew"), 0, train_size=500).validated_on == 269


def test_a_step_that_is_off_is_asked_what_it_would_be_worth(bundled: Dataset) -> None:
    on = ablate_step(bundled, chain("median", "otsu"), 0, train_size=500)
    off = chain(Step("median", on=False), "otsu")
    assert ablate_step(bundled, off, 0, train_size=500) == on
    others = Pipeline((Step("mean", on=False), *chain("median", "otsu").steps, Step("deskew", on=False)))
    assert ablate_step(bundled, others, 1, train_size=500) == on


def test_a_step_that_does_nothing_is_worth_nothing(bundled: Dataset) -> None:
    found = ablate_step(bundled, chain("otsu", Step("threshold", {"level": 127})), 1, train_size=500)
    assert found.difference == 0 and not found.mended and not found.broken and found.p == 1
    assert found.interval[0] == -found.interval[1] < 0


@pytest.mark.filterwarnings("ignore:invalid value encountered in divide")
def test_a_step_that_leaves_nothing_to_see(bundled: Dataset) -> None:
    faint = replace(bundled, train=Split(bundled.train.images // 2, bundled.train.labels))
    found = ablate_step(faint, chain(Step("threshold", {"level": 200})), 0, train_size=500)
    assert found.accuracy_with < 0.2 and found.difference < -0.6 and found.interval[1] < -0.6


@pytest.mark.filterwarnings("ignore:invalid value encountered in divide")
def test_pictures_that_cannot_be_compared_are_described(bundled: Dataset) -> None:
    with pytest.raises(AblationError, match=r"^Without Wide, the chain makes pictures of 4x4 pixels .* 16 features"):
        ablate_step(bundled, chain("nearly_all", "wide"), 1, train_size=500)
    with pytest.raises(AblationError, match=r"^With Corner, the chain makes pictures of 4x4 pixels"):
        ablate_step(bundled, chain("nearly_all"), 0, train_size=500)
    smaller = ablate_step(bundled, chain(Step("nearly_all", {"of": 14})), 0, train_size=500)
    assert smaller.difference < -0.05, "pictures of another size can be compared as long as they hold enough"


@pytest.mark.parametrize("index", [-1, 1])
def test_a_step_that_is_not_there_is_refused(index: int, bundled: Dataset) -> None:
    with pytest.raises(AblationError, match=f"no step {index}; it has 1"):
        ablate_step(bundled, chain("otsu"), index)
