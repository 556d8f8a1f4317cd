"""The way of a digit or a photo through the chain: every stage, and that of the clean one where it was disturbed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from hdr import catalogue
from hdr.preprocessing import Pipeline
from hdr.preprocessing.image_quality import Quality, quality
from hdr.reading.cutting import Box, cut, find_digits
from hdr.types import SIDE, Images, Stage, Step
from hdr.ui.inputs.image_source import ImageSource

LARGEST_DIGIT = 64 * 64
"""Pixels up to which a step takes so little time that nothing is kept."""


@dataclass(frozen=True)
class StepTrace:
    """One step of the chain, on or off: the stages before and after it, and where something was disturbed on purpose,
    those of the clean picture."""

    step: Step
    before: Stage
    after: Stage
    clean_before: Stage | None = None
    clean: Stage | None = None

    @property
    def title(self) -> str:
        """The step's name for people."""
        return catalogue.get("step", self.step.name).title

    @property
    def quality(self) -> Quality | None:
        """How near the stage is to the clean one; None where nothing was disturbed."""
        return image_quality(self.clean, self.after)


@dataclass(frozen=True)
class PipelineTrace:
    """The intermediate results of a pipeline.

    Attributes:
        start: the input of the pipeline.
        passages: one for each step.
        boxes: where digits were found, for a source that was cut; empty otherwise.
        cut_at: before which step it was cut; None where it was not.
        digits: the segmented digits, uint8 (n, 28, 28).
        chosen: the index of the digit that the remaining steps process.
    """

    start: ImageSource
    passages: tuple[StepTrace, ...]
    boxes: tuple[Box, ...] = ()
    cut_at: int | None = None
    digits: Images | None = None
    chosen: int = 0


def trace(start: ImageSource, pipeline: Pipeline, chosen: int = 0) -> PipelineTrace:
    """Run a pipeline on a source and record every step.

    Args:
        start: a digit or a photo; a photo is cut into digits before the first step that works on one digit.
        pipeline: the steps; those that are off are skipped.
        chosen: the index of the photo's digit to process.
    """
    whole, single = pipeline.parted() if start.photo else (Pipeline(), pipeline)
    passages = _passages(start.stage, start.clean, whole)
    stage, clean = (passages[-1].after, passages[-1].clean) if passages else (start.stage, start.clean)
    if not start.photo or not single.steps:
        return PipelineTrace(start, (*passages, *_passages(stage, clean, single)))
    boxes = find_digits(stage.image)
    digits = cut(stage.image, boxes)
    chosen = min(chosen, max(len(boxes) - 1, 0))
    one = Stage(f"digit {chosen + 1} of {len(boxes)}", digits[chosen] if boxes else np.zeros((28, 28), np.uint8))
    clean_one = clean and replace(one, image=cut(clean.image, boxes[chosen : chosen + 1])[0]) if boxes else None
    rest = _passages(one, clean_one, single)
    return PipelineTrace(start, (*passages, *rest), tuple(boxes), len(passages), digits, chosen)


def _passages(stage: Stage, clean: Stage | None, pipeline: Pipeline) -> list[StepTrace]:
    found = []
    for step in pipeline.steps:
        before, clean_before = stage, clean
        if step.on:
            stage, clean = apply_step(before, step), clean and apply_step(clean, step)
        found.append(StepTrace(step, before, stage, clean_before, clean))
    return found


def apply_step(stage: Stage, step: Step) -> Stage:
    """Apply one step to a stage. Results for photos are cached, so that only the changed step and later ones run."""
    if stage.image.size <= LARGEST_DIGIT:
        return Pipeline((step,)).trace(stage.image)[0]
    key = hashlib.blake2b(stage.image.tobytes(), digest_size=16).hexdigest()
    return _kept(f"{key}-{stage.image.shape}-{catalogue.step_to_text(step)}", stage.image, step)


@st.cache_resource(max_entries=48, show_spinner=False)
def _kept(key: str, _image: NDArray[np.uint8], _step: Step) -> Stage:
    found = Pipeline((_step,)).trace(_image)[0]
    found.image.flags.writeable = False
    return found


def image_quality(clean: Stage | None, stage: Stage) -> Quality | None:
    """How near a stage is to the clean one, where there is one of the same size."""
    return quality(clean.image, stage.image) if clean and clean.image.shape == stage.image.shape else None


def size(stage: Stage) -> str:
    """The size of a small picture that is not a digit's usual one, to be put behind a title; empty otherwise."""
    h, w = stage.image.shape
    return f" · {w}×{h}" if stage.image.size <= LARGEST_DIGIT and (h, w) != (SIDE, SIDE) else ""


def describe(found: Quality | None) -> str:
    """Return a quality as text; empty if there is none."""
    if found is None:
        return ""
    psnr = "equal" if np.isinf(found.psnr) else f"PSNR {found.psnr:.1f}\u00a0dB"
    return psnr if found.ssim is None or np.isinf(found.psnr) else f"{psnr} · SSIM {found.ssim:.2f}"
