"""Training: one cycle of the learning rate over samples that are never the same twice."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor, nn

from tools.reader import data, samples
from tools.reader.chunks import CHUNK, Chunk, chunks
from tools.reader.network import Reader, tensor

BATCH = 128
DECAY = 0.02
"""Weight decay (AdamW)."""

SMOOTHING = 0.03
"""Share of the truth that is spread over all classes."""

AVERAGE = 0.999
"""Of the weights that are kept, how much stays at every step: an exponential moving average."""

NEUTRAL = 0.1
"""Weight of non-digits being no class more than another."""

SHOWN = 2
"""How often a chunk is shown on average: once when it is new, and later again, moved a little. Making samples takes as
long as learning from them."""


@dataclass(frozen=True)
class Cycle:
    """The learning rate once up and down.

    Attributes:
        planned: chunks of 4,096 samples from the first step to the last.
        chunks: how many are made before the next cycle takes over.
        peak: highest learning rate.
        way: how samples are made.
        digit_share: weight of the second head's loss beside the first one's.
        soft: whether the net blurs what it gets, from this cycle on.
    """

    planned: int
    chunks: int
    peak: float
    way: samples.Way
    digit_share: float
    soft: bool = False


def shorter(cycle: Cycle, by: int) -> Cycle:
    """A cycle as many times shorter, to try the recipe out."""
    return replace(cycle, planned=max(1, cycle.planned // by), chunks=max(1, cycle.chunks // by))


THIRD = samples.Way(0.3, True, ones=0.08, flags=0.7, shares=(0.58, 0.21, 0.05, 0.01, 0.15))
LAST = replace(THIRD, plain=0.2, shares=(0.6, 0.22, 0.05, 0.01, 0.12), strength=0.7)

CYCLES = (
    Cycle(230, 100, 3e-3, samples.FIRST, 0.5),
    Cycle(120, 120, 2e-3, samples.Way(0.3, True), 1.0),
    Cycle(80, 80, 1.5e-3, THIRD, 1.0, soft=True),
    Cycle(70, 70, 1.2e-3, LAST, 1.0, soft=True),
)
"""Each goes on from the averaged weights of the one before."""


def train(cycles: tuple[Cycle, ...], workers: int, told: Callable[[str, Reader], None], every: int = 20) -> Reader:
    """Train a reader.

    Args:
        cycles: one after the other.
        workers: processes that make samples.
        told: gets a line and the averaged net, after every `every` chunks and at the end of a cycle.
        every: see above.

    Returns:
        The net with averaged weights.
    """
    torch.manual_seed(data.SEED)
    net, first, started = Reader(), 0, time.monotonic()

    def report(line: str, average: Reader) -> None:
        told(f"{time.monotonic() - started:.0f} s, {line}", average)

    for number, cycle in enumerate(cycles):
        if number:
            torch.manual_seed(data.SEED + number)
        net = one_cycle(net, cycle, first, workers, report, every)
        first += cycle.planned
    return net


def one_cycle(
    net: Reader, cycle: Cycle, first: int, workers: int, told: Callable[[str, Reader], None], every: int
) -> Reader:
    """Go on training a net with chunks from number `first` on; returns the one with averaged weights."""
    if cycle.soft:
        net.soften()
    net = net.to(memory_format=torch.channels_last)
    average = copy.deepcopy(net).eval()
    total = SHOWN * cycle.chunks
    optimizer, schedule = _optimizer(net, cycle, SHOWN * cycle.planned * (CHUNK // BATCH))
    losses, step = [], 0
    for number, (images, labels) in enumerate(_shown(cycle, first, workers), 1):
        net.train()
        for start in range(0, CHUNK, BATCH):
            x, y = tensor(images[start : start + BATCH]), torch.from_numpy(labels[start : start + BATCH])
            # A processor that has 16-bit arithmetic takes two thirds of the time.
            with torch.autocast("cpu", torch.bfloat16):
                found, digit = net(x)
            loss = _loss(found.float(), digit.float(), y, cycle.digit_share)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 2.0)
            optimizer.step()
            schedule.step()
            step += 1
            _follow(average, net, min(AVERAGE, (1 + step) / (10 + step)))
            losses.append(float(loss.detach()))
        if number % every == 0 or number == total:
            told(f"{number}/{total} chunks, loss {np.mean(losses):.4f}", average)
            losses.clear()
    return average


def _optimizer(
    net: Reader, cycle: Cycle, steps: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    decayed = [p for p in net.parameters() if p.ndim > 1]
    free = [p for p in net.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": DECAY}, {"params": free, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=cycle.peak, betas=(0.9, 0.99))
    return optimizer, torch.optim.lr_scheduler.OneCycleLR(
        optimizer, cycle.peak, total_steps=steps, pct_start=0.1, div_factor=10, final_div_factor=1000
    )


def _shown(cycle: Cycle, first: int, workers: int) -> Iterator[Chunk]:
    random = np.random.default_rng(data.SEED + first)
    kept: list[Chunk] = []
    for chunk in chunks(cycle.way.make, cycle.chunks, workers, first):
        kept.append(chunk)
        yield chunk
        for _ in range(SHOWN - 1):
            images, labels = kept[int(random.integers(len(kept)))]
            order = random.permutation(len(labels))
            yield np.roll(images, random.integers(-1, 2, 2), axis=(1, 2))[order], labels[order]


def _loss(found: Tensor, digit: Tensor, y: Tensor, share: float) -> Tensor:
    real = y >= 0
    classes = nn.functional.cross_entropy(found[real], y[real], label_smoothing=SMOOTHING)
    whether = nn.functional.binary_cross_entropy_with_logits(digit, real.float())
    neutral = -torch.log_softmax(found[~real], dim=1).mean() if bool((~real).any()) else found.new_zeros(())
    return classes + share * whether + NEUTRAL * neutral


@torch.no_grad()
def _follow(average: Reader, net: Reader, keep: float) -> None:
    for kept, new in zip(average.state_dict().values(), net.state_dict().values(), strict=True):
        if kept.dtype.is_floating_point:
            kept.lerp_(new, 1 - keep)
        else:
            kept.copy_(new)
