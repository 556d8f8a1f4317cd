"""Every picture is asked about once."""

from __future__ import annotations

import numpy as np
import pytest

from hdr.reading import counterfactual, occlusion
from hdr.reading.asking import Once
from hdr.types import Classifier
from tests.reading.conftest import SEVEN


class Counting:
    """A model that counts what it is asked about."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []

    def predict_proba(self, images):
        self.asked += [i.tobytes() for i in images]
        scores = 1 + images.reshape(len(images), -1)[:, :: 784 // 10][:, :10].astype(np.float64)
        return scores / scores.sum(axis=1, keepdims=True)

    def stages(self, image):
        return ()


def test_answers_are_the_models_and_in_order() -> None:
    model, images = Counting(), np.random.default_rng(0).integers(0, 256, (6, 28, 28), np.uint8)
    once = Once(model)
    order = [3, 1, 3, 0, 5, 1]
    assert np.array_equal(once.predict_proba(images[order]), Counting().predict_proba(images[order]))
    assert np.array_equal(once.predict_proba(images), Counting().predict_proba(images))
    assert len(model.asked) == len(set(model.asked)) == 6
    assert once.predict_proba(images[:0]).shape == (0, 10)
    assert once.stages(images[0]) == ()


def test_explanations_are_the_same_and_ask_less() -> None:
    def explain(model: Classifier) -> tuple:
        found = occlusion.stroke_evidence(SEVEN, model)
        image = occlusion.from_strokes(SEVEN)
        changes = [counterfactual.of_strokes(SEVEN, model), counterfactual.of_image(image, model)]
        return (
            [p.evidence for p in found.pieces],
            occlusion.evidence(image, model).map.tolist(),
            [c and (c.label, c.share) for c in changes],
        )

    plain, counted = Counting(), Counting()
    assert explain(Once(counted)) == explain(plain)
    assert len(counted.asked) < len(plain.asked)


def test_what_is_called_before_each_prediction_can_end_the_work() -> None:
    class Enough(Exception):
        pass

    def stop() -> None:
        raise Enough

    model, image = Counting(), np.zeros((1, 28, 28), np.uint8)
    with pytest.raises(Enough):
        Once(model, stop).predict_proba(image)
    assert not model.asked
