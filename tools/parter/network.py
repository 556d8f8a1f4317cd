"""The network, and the ONNX file that it becomes."""

from __future__ import annotations

import io
import warnings

import onnx
import torch
from torch import Tensor, nn

from hdr.reading.windows import HEIGHT, WIDTH, Windows
from hdr.types import CLASSES
from tools.reader import network
from tools.reader.network import OPSET, Block

WIDTHS = (16, 32, 64, 96)
"""Channels at 32x48, 16x24, 8x12 and 4x6."""


class Parter(nn.Module):
    """A small residual network: which digit the piece in the middle of a window is, or that it is not a whole one."""

    def __init__(self, widths: tuple[int, int, int, int] = WIDTHS) -> None:
        super().__init__()
        a, b, c, d = widths
        self.stages = nn.ModuleList(
            [
                nn.Sequential(Block(2, a, 5)),
                nn.Sequential(Block(a, b), Block(b, b)),
                nn.Sequential(Block(b, c), Block(c, c)),
                nn.Sequential(Block(c, d), Block(d, d)),
            ]
        )
        # One weight for every place and channel: an average would forget where things are.
        self.gather = nn.Conv2d(d, d, (HEIGHT // 8, WIDTH // 8), groups=d, bias=False)
        self.gather_norm = nn.BatchNorm1d(d)
        self.drop = nn.Dropout(0.1)
        self.classes = nn.Linear(d, CLASSES + 1)
        nn.init.constant_(self.gather.weight, 1 / 24)

    def forward(self, x: Tensor) -> Tensor:
        """Float (n, 2, 32, 48), ink 1 on 0, to scores (n, 11); the last one is that of no digit."""
        for i, stage in enumerate(self.stages):
            x = stage(x)
            if i < len(self.stages) - 1:
                x = nn.functional.max_pool2d(x, 2)
        return self.classes(self.drop(torch.relu(self.gather_norm(self.gather(x).flatten(1)))))


class Shipped(nn.Module):
    """What is in the file: scaling before the network, its own temperature and probabilities after it."""

    def __init__(self, net: Parter, temperature: float) -> None:
        super().__init__()
        self.net, self.temperature = net, temperature

    def forward(self, windows: Tensor) -> Tensor:
        """Uint8 (n, 2, 32, 48) to probabilities (n, 11)."""
        return torch.softmax(self.net(windows.float() * (1 / 255)) / self.temperature, dim=1)


def tensor(windows: Windows) -> Tensor:
    """Windows to float (n, 2, 32, 48), ink 1 on 0, laid out as convolutions here are fastest."""
    return (torch.from_numpy(windows).float() / 255).contiguous(memory_format=torch.channels_last)


def to_onnx(net: Parter, temperature: float) -> onnx.ModelProto:
    """The network as an ONNX model: `windows` uint8 (n, 2, 32, 48) to `probabilities` float (n, 11)."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Shipped(net, temperature).eval(),
            (torch.zeros(2, 2, HEIGHT, WIDTH, dtype=torch.uint8),),
            buffer,
            input_names=["windows"],
            output_names=["probabilities"],
            dynamic_axes={name: {0: "n"} for name in ("windows", "probabilities")},
            opset_version=OPSET,
            do_constant_folding=True,
            dynamo=False,
        )
    model = onnx.load_from_string(buffer.getvalue())
    network.halve(model.graph)
    onnx.checker.check_model(model)
    return model
