"""Training: the learning rate once up and down over samples that are never the same twice."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from torch import nn

from tools.parter import samples
from tools.parter.network import Parter, tensor
from tools.reader import data

CHUNKS = 240
"""Chunks of 4,096 samples."""

SHOWN = 2
"""How often a chunk is shown on average: once when it is new, and later again, moved a little."""

BATCH = 128
PEAK = 3e-3
DECAY = 0.02
SMOOTHING = 0.02
AVERAGE = 0.999
"""Highest learning rate, weight decay (AdamW), share of the truth that is spread over all classes, and how much of the
averaged weights stays at every step."""


def train(workers: int, told: Callable[[str, Parter], None], chunks: int = CHUNKS, every: int = 20) -> Parter:
    """Train a parter.

    Args:
        workers: processes that make samples.
        told: gets a line and the averaged net after every `every` chunks.
        chunks: how many are made.
        every: see above.

    Returns:
        The net with averaged weights.
    """
    torch.manual_seed(data.SEED)
    net = Parter().to(memory_format=torch.channels_last)
    average = copy.deepcopy(net).eval()
    total = SHOWN * chunks
    optimizer = torch.optim.AdamW(net.parameters(), lr=PEAK, betas=(0.9, 0.99), weight_decay=DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, PEAK, total_steps=total * (samples.CHUNK // BATCH), pct_start=0.1, final_div_factor=1000
    )
    step, losses, started = 0, [], time.monotonic()
    for number, (windows, classes) in enumerate(_shown(chunks, workers), 1):
        net.train()
        for start in range(0, samples.CHUNK, BATCH):
            x, y = tensor(windows[start : start + BATCH]), torch.from_numpy(classes[start : start + BATCH])
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
            told(f"{time.monotonic() - started:.0f} s, {number}/{total} chunks, loss {np.mean(losses):.4f}", average)
            losses.clear()
    return average


def _shown(chunks: int, workers: int) -> Iterator[samples.Chunk]:
    random = np.random.default_rng(data.SEED)
    kept: list[samples.Chunk] = []
    for chunk in samples.chunks(chunks, workers, 0):
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
