"""Training: the learning rate once up and down over samples that are never the same twice."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from torch import nn

from tools.parter import samples
from tools.parter.network import Parter, tensor
from tools.parter.writing import FEW, MANY, Hands
from tools.reader import data
from tools.reader.chunks import CHUNK, Chunk, chunks

SHOWN = 2
"""How often a chunk is shown on average: once when it is new, and later again, moved a little."""

BATCH = 128
DECAY = 0.02
SMOOTHING = 0.02
AVERAGE = 0.999
"""Weight decay (AdamW), share of the truth that is spread over all classes, and how much of the
averaged weights stays at every step."""


@dataclass(frozen=True)
class Cycle:
    """The learning rate once up and down.

    Attributes:
        planned: chunks of 4,096 samples from the first step to the last.
        chunks: how many are made before the next cycle takes over.
        peak: highest learning rate.
        strict, hands: how samples are made, see `samples.make`.
    """

    planned: int
    chunks: int
    peak: float
    strict: bool
    hands: Hands


CYCLES = (
    Cycle(240, 180, 3e-3, False, FEW),
    Cycle(120, 120, 2e-3, True, FEW),
    Cycle(150, 150, 2e-3, True, MANY),
)
"""Each goes on from the averaged weights of the one before."""


def shorter(cycle: Cycle, by: int) -> Cycle:
    """A cycle as many times shorter, to try the recipe out."""
    return replace(cycle, planned=max(1, cycle.planned // by), chunks=max(1, cycle.chunks // by))


def train(cycles: tuple[Cycle, ...], workers: int, told: Callable[[str, Parter], None], every: int = 20) -> Parter:
    """Train a parter.

    Args:
        cycles: one after the other.
        workers: processes that make samples.
        told: gets a line and the averaged net after every `every` chunks and at the end of a cycle.
        every: see above.

    Returns:
        The net with averaged weights.
    """
    torch.manual_seed(data.SEED)
    net, first, started = Parter(), 0, time.monotonic()

    def report(line: str, average: Parter) -> None:
        told(f"{time.monotonic() - started:.0f} s, {line}", average)

    for cycle in cycles:
        net = one_cycle(net, cycle, first, workers, report, every)
        first += cycle.planned
    return net


def one_cycle(
    net: Parter, cycle: Cycle, first: int, workers: int, told: Callable[[str, Parter], None], every: int
) -> Parter:
    """Go on training a net with chunks from number `first` on; returns the one with averaged weights."""
    net = net.to(memory_format=torch.channels_last)
    average = copy.deepcopy(net).eval()
    total = SHOWN * cycle.chunks
    optimizer = torch.optim.AdamW(net.parameters(), lr=cycle.peak, betas=(0.9, 0.99), weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer,
        cycle.peak,
        total_steps=SHOWN * cycle.planned * (CHUNK // BATCH),
        pct_start=0.1,
        final_div_factor=1000,
    )
    step, losses = 0, []
    for number, (windows, classes) in enumerate(_shown(cycle, first, workers), 1):
        net.train()
        for start in range(0, CHUNK, BATCH):
            x, y = tensor(windows[start : start + BATCH]), torch.from_numpy(classes[start : start + BATCH])
            # A processor that has 16-bit arithmetic takes two thirds of the time.
            with torch.autocast("cpu", torch.bfloat16):
                found = net(x)
            loss = nn.functional.cross_entropy(found.float(), y, label_smoothing=SMOOTHING)
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


def _shown(cycle: Cycle, first: int, workers: int) -> Iterator[Chunk]:
    random = np.random.default_rng(data.SEED + first)
    kept: list[Chunk] = []
    make = partial(samples.make, strict=cycle.strict, hands=cycle.hands)
    for chunk in chunks(make, cycle.chunks, workers, first):
        kept.append(chunk)
        yield chunk
        for _ in range(SHOWN - 1):
            windows, classes = kept[int(random.integers(len(kept)))]
            order = random.permutation(len(classes))
            yield np.roll(windows, random.integers(-1, 2, 2), axis=(2, 3))[order], classes[order]


@torch.no_grad()
def _follow(average: Parter, net: Parter, keep: float) -> None:
    for kept, new in zip(average.state_dict().values(), net.state_dict().values(), strict=True):
        if kept.dtype.is_floating_point:
            kept.lerp_(new, 1 - keep)
        else:
            kept.copy_(new)
