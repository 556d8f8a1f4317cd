"""Training: the learning rate once up and down over made pieces of pages, with a checkpoint to resume from."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from hdr.reading.detector import KINDS, STRIDE, UNIT
from hdr.types import CLASSES
from tools.detector import samples
from tools.detector.network import Detector
from tools.reader.chunks import chunks

CHUNK = 1024
"""Samples that are made and shuffled together."""

BATCH = 32
DECAY = 0.01
AVERAGE = 0.998
"""How much of the averaged weights stays at every step."""


@dataclass(frozen=True)
class Plan:
    """How long it trains.

    Attributes:
        chunks: of `CHUNK` samples.
        shown: how often each is shown: again, moved a little, when the next has come.
        peak: highest learning rate.
        first: number of the first chunk; no two trainings that follow each other should share chunks.
    """

    chunks: int
    shown: int = 3
    peak: float = 1.5e-3
    first: int = 0


PLANS = (Plan(120, peak=2e-3),)
"""One after the other, each from the averaged weights of the one before."""


def chunk(number: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """The samples of a number: uint8 (CHUNK, h, w), and boxes float32 (CHUNK, MOST, 5)."""
    random = np.random.default_rng((7, number))
    images, boxes = zip(*(samples.make(random) for _ in range(CHUNK)), strict=True)
    return np.stack(images), np.stack(boxes)


def train(
    plans: tuple[Plan, ...],
    workers: int,
    told: Callable[[str], None],
    kept: Path | None = None,
    start: Path | None = None,
) -> tuple[Detector, float]:
    """Train a detector.

    Args:
        plans: one after the other, each from the averaged weights of the one before.
        workers: processes that make samples.
        told: gets a line after every chunk.
        kept: where the checkpoint is written after every chunk; where it is there already, training resumes from it.
        start: weights to begin with, of another training's checkpoint.

    Returns:
        The net with averaged weights, and the seconds that it took.
    """
    torch.manual_seed(3)
    average, first, spent = Detector().to(memory_format=torch.channels_last), 0, 0.0
    saved: dict[str, Any] | None = None
    if start:
        average.load_state_dict(torch.load(start, weights_only=True)["average"])
    if kept and kept.is_file():
        saved = torch.load(kept, weights_only=True)
        first = next((k for k, plan in enumerate(plans) if asdict(plan) == saved["plan"]), -1)
        if first < 0:
            raise ValueError(
                f"{kept} is of a training with another plan, {saved['plan']}; delete it to start a new training"
            )
        average.load_state_dict(saved["average"])
        spent = saved["spent"]
    for plan in plans[first:]:
        average, spent = _one(plan, average, spent, saved, workers, told, kept)
        saved = None
    return average.eval(), spent


def restored(kept: Path) -> tuple[Detector, float]:
    """The net of a checkpoint with averaged weights, and the seconds that it took."""
    saved = torch.load(kept, weights_only=True)
    net = Detector()
    net.load_state_dict(saved["average"])
    return net.eval(), saved["spent"]


def shorter(plan: Plan, by: int) -> Plan:
    """A plan as many times shorter, to try the recipe out."""
    return replace(plan, chunks=max(1, plan.chunks // by))


def _one(
    plan: Plan,
    average: Detector,
    spent: float,
    saved: dict[str, Any] | None,
    workers: int,
    told: Callable[[str], None],
    kept: Path | None,
) -> tuple[Detector, float]:
    net = Detector().to(memory_format=torch.channels_last)
    net.load_state_dict(average.state_dict())
    steps = plan.chunks * plan.shown * CHUNK // BATCH
    adam = torch.optim.AdamW(net.parameters(), plan.peak, weight_decay=DECAY)
    rate = torch.optim.lr_scheduler.OneCycleLR(adam, plan.peak, steps + 1, pct_start=0.15, final_div_factor=1e3)
    done = 0
    if saved:
        for name, part in (("net", net), ("adam", adam), ("rate", rate)):
            part.load_state_dict(saved[name])
        done = saved["done"]
    started, losses = time.monotonic() - spent, []
    for images, boxes in _shown(plan, done, workers):
        order = np.random.default_rng(done).permutation(len(images))
        for batch in np.split(order, len(order) // BATCH):
            losses.append(_step(net, adam, images[batch], boxes[batch]))
            rate.step()
            _follow(average, net, len(losses))
        done, spent = done + 1, time.monotonic() - started
        words = " ".join(f"{v:.3f}" for v in np.mean(losses[-300:], axis=0))
        told(f"{spent:.0f} s, {done} of {plan.chunks}, losses {words}")
        if kept:
            state: dict[str, Any] = {"plan": asdict(plan), "done": done, "spent": spent}
            for name, part in (("net", net), ("average", average), ("adam", adam), ("rate", rate)):
                state[name] = part.state_dict()
            torch.save(state, kept.with_suffix(".new"))
            kept.with_suffix(".new").replace(kept)
    return average, spent


def _shown(plan: Plan, done: int, workers: int) -> Iterator[tuple[NDArray[np.uint8], NDArray[np.float32]]]:
    """The samples of each new chunk, and the earlier ones that are shown again."""
    old: list[tuple[NDArray[np.uint8], NDArray[np.float32]]] = []
    random = np.random.default_rng(done)
    # The type of `chunks` is that of the digit reader's samples, whose labels are classes and not boxes.
    made: Iterator[Any] = chunks(cast(Any, partial(chunk)), plan.chunks - done, workers, plan.first + done)
    for images, boxes in made:
        again = [_moved(shown[0], shown[1], random) for shown in old]
        yield (
            np.concatenate([images, *(a[0] for a in again)]),
            np.concatenate([boxes, *(a[1] for a in again)]),
        )
        old = [(images, boxes)] * (plan.shown - 1)


def _moved(images: NDArray[np.uint8], boxes: NDArray[np.float32], random: np.random.Generator) -> Any:
    """All samples moved by a few pixels; the border that this opens is grey."""
    dx, dy = (int(v) for v in random.integers(-3, 4, 2))
    out = np.roll(images, (dy, dx), (1, 2))
    h, w = images.shape[1:]
    out[:, : max(dy, 0)] = out[:, h + min(dy, 0) :] = 128
    out[:, :, : max(dx, 0)] = out[:, :, w + min(dx, 0) :] = 128
    moved = boxes.copy()
    moved[..., 1] += dx
    moved[..., 2] += dy
    return out, moved


def targets(boxes: Tensor, h: int, w: int) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Make the targets of the network's output.

    Args:
        boxes: float (n, MOST, 5).
        h, w: places of the network's output.

    Returns:
        heat (n, kinds, h, w); counted (n, 1, h, w), 0 where nothing is asked for; labels int64 (n, h, w); boxes
        (n, 4, h, w); near (n, h, w), how near the middle of a box a place is, 0 where it is not near.
    """
    kind, x, y, bw, bh = boxes.unbind(2)
    mx, my = (x + bw / 2) / STRIDE, (y + bh / 2) / STRIDE
    cx, cy = mx.floor().clamp(0, w - 1), my.floor().clamp(0, h - 1)
    sx, sy = (0.13 * bw / STRIDE).clamp(0.45, 1.6), (0.13 * bh / STRIDE).clamp(0.45, 1.6)
    px, py = torch.arange(w).float(), torch.arange(h).float()
    gx = torch.exp(-0.5 * ((px - cx[..., None]) / sx[..., None]) ** 2)
    gy = torch.exp(-0.5 * ((py - cy[..., None]) / sy[..., None]) ** 2)
    real = (kind >= 0) & (kind != samples.IGNORED)
    g = gy[..., :, None] * gx[..., None, :] * real[..., None, None]
    group = (kind - (CLASSES - 1)).clamp(0, len(KINDS) - 1)
    heat = torch.stack([(g * (group == k)[..., None, None]).amax(1) for k in range(len(KINDS))], 1)
    inx = (px >= (x / STRIDE)[..., None] - 1) & (px <= ((x + bw) / STRIDE)[..., None])
    iny = (py >= (y / STRIDE)[..., None] - 1) & (py <= ((y + bh) / STRIDE)[..., None])
    cut = (inx[..., None, :] & iny[..., :, None] & (kind == samples.IGNORED)[..., None, None]).any(1)
    counted = 1 - (cut & (heat.amax(1) < 0.3)).float()[:, None]
    near, whose = g.max(1)
    flat = whose.flatten(1)

    def at(values: Tensor) -> Tensor:
        return values.gather(1, flat).view(whose.shape)

    near = near * (near > 0.5)
    target = torch.stack(
        [
            at(mx) - (px + 0.5),
            at(my) - (py + 0.5)[:, None],
            torch.log(at(bw).clamp(min=1) / UNIT),
            torch.log(at(bh).clamp(min=1) / UNIT),
        ],
        1,
    )
    return heat, counted, at(kind).long(), target, near


def _step(
    net: Detector, adam: torch.optim.Optimizer, images: NDArray[np.uint8], boxes: NDArray[np.float32]
) -> list[float]:
    net.train()
    x = (torch.from_numpy(images).float()[:, None] - 128) / 31
    boxes = boxes[:, : max(1, int((boxes[..., 0] >= 0).sum(axis=1).max()))]
    x = x.contiguous(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        out = net(x)
    out = out.float()
    parts = losses(out, torch.from_numpy(boxes))
    total = parts[0] + parts[1] + 1.0 * parts[2]
    adam.zero_grad(set_to_none=True)
    total.backward()
    torch.nn.utils.clip_grad_norm_(net.parameters(), 5.0)
    adam.step()
    return [p.item() for p in parts]


def losses(out: Tensor, boxes: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of kinds (focal, as in Zhou and others, Objects as Points, 2019), of digits, and of boxes."""
    heat, counted, labels, target, near = targets(boxes, *out.shape[2:])
    k = len(KINDS)
    score, digits, found = out[:, :k], out[:, k : k + CLASSES], out[:, k + CLASSES :]
    p = torch.sigmoid(score)
    top = heat > 0.999
    hit = -functional.logsigmoid(score) * (1 - p) ** 2 * top
    miss = -functional.logsigmoid(-score) * p**2 * (1 - heat) ** 4 * ~top
    kinds = ((hit + miss) * counted).sum() / top.sum().clamp(min=1)
    written = near * (labels < CLASSES)
    entropy = functional.cross_entropy(digits, labels.clamp(0, CLASSES - 1), reduction="none", label_smoothing=0.02)
    classes = (entropy * written).sum() / written.sum().clamp(min=1)
    off = (found - target).abs().sum(1)
    return kinds, classes, (off * near).sum() / near.sum().clamp(min=1)


@torch.no_grad()
def _follow(average: Detector, net: Detector, steps: int) -> None:
    kept = min(AVERAGE, (1 + steps) / (10 + steps))
    for mine, theirs in zip(average.state_dict().values(), net.state_dict().values(), strict=True):
        if mine.is_floating_point():
            mine.lerp_(theirs, 1 - kept)
        else:
            mine.copy_(theirs)
