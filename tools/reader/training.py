"""Training: one cycle of the learning rate over samples that are never the same twice."""

from __future__ import annotations

import copy
import time
from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from hdr.types import Images
from tools.reader import data, samples
from tools.reader.network import Reader, tensor

BATCH = 128
PEAK = 3e-3
"""Highest learning rate, reached after a tenth of the steps."""

DECAY = 0.02
"""Weight decay (AdamW)."""

SMOOTHING = 0.03
"""Share of the truth that is spread over all classes."""

AVERAGE = 0.999
"""Of the weights that are kept, how much stays at every step: an exponential moving average."""

DIGIT_SHARE = 0.5
"""Weight of the second head's loss beside the first one's."""

NEUTRAL = 0.1
"""Weight of non-digits being no class more than another."""

SHOWN = 2
"""How often a chunk is shown on average: once when it is new, and later again, moved a little. Making samples takes as
long as learning from them."""


def train(n_chunks: int, workers: int, told: Callable[[str, Reader], None], every: int = 20) -> Reader:
    """Train a reader.

    Args:
        n_chunks: how many chunks of 4,096 samples it sees.
        workers: processes that make samples.
        told: gets a line and the averaged net, after every `every` chunks.
        every: see above.

    Returns:
        The net with averaged weights.
    """
    torch.manual_seed(data.SEED)
    net = Reader().to(memory_format=torch.channels_last)
    average = copy.deepcopy(net).eval()
    steps = SHOWN * n_chunks * (samples.CHUNK // BATCH)
    fast = [p for p in net.parameters() if p.ndim > 1]
    free = [p for p in net.parameters() if p.ndim <= 1]
    groups = [{"params": fast, "weight_decay": DECAY}, {"params": free, "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, lr=PEAK, betas=(0.9, 0.99))
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, PEAK, total_steps=steps, pct_start=0.1, div_factor=10, final_div_factor=1000
    )
    started, losses, step = time.monotonic(), [], 0
    for number, (images, labels) in enumerate(_shown(n_chunks, workers), 1):
        net.train()
        for start in range(0, samples.CHUNK, BATCH):
            x, y = tensor(images[start : start + BATCH]), torch.from_numpy(labels[start : start + BATCH])
            # A processor that has 16-bit arithmetic takes two thirds of the time.
            with torch.autocast("cpu", torch.bfloat16):
                found, digit = net(x)
            loss = _loss(found.float(), digit.float(), y)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(net.parameters(), 2.0)
            optimizer.step()
            schedule.step()
            step += 1
            _follow(average, net, min(AVERAGE, (1 + step) / (10 + step)))
            losses.append(float(loss.detach()))
        if number % every == 0 or number == SHOWN * n_chunks:
            seconds = time.monotonic() - started
            told(f"{number}/{SHOWN * n_chunks} chunks, {seconds:.0f} s, loss {np.mean(losses):.4f}", average)
            losses.clear()
    return average


def _shown(n_chunks: int, workers: int) -> Iterator[tuple[Images, NDArray[np.int64]]]:
    random = np.random.default_rng(data.SEED)
    kept: list[tuple[Images, NDArray[np.int64]]] = []
    for chunk in samples.chunks(n_chunks, workers):
        kept.append(chunk)
        yield chunk
        for _ in range(SHOWN - 1):
            images, labels = kept[int(random.integers(len(kept)))]
            order = random.permutation(len(labels))
            yield np.roll(images, random.integers(-1, 2, 2), axis=(1, 2))[order], labels[order]


def _loss(found: Tensor, digit: Tensor, y: Tensor) -> Tensor:
    real = y >= 0
    classes = nn.functional.cross_entropy(found[real], y[real], label_smoothing=SMOOTHING)
    whether = nn.functional.binary_cross_entropy_with_logits(digit, real.float())
    neutral = -torch.log_softmax(found[~real], dim=1).mean() if bool((~real).any()) else found.new_zeros(())
    return classes + DIGIT_SHARE * whether + NEUTRAL * neutral


@torch.no_grad()
def _follow(average: Reader, net: Reader, keep: float) -> None:
    for kept, new in zip(average.state_dict().values(), net.state_dict().values(), strict=True):
        if kept.dtype.is_floating_point:
            kept.lerp_(new, 1 - keep)
        else:
            kept.copy_(new)
