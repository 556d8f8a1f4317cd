"""The network, and the ONNX file that it becomes."""

from __future__ import annotations

import io
import warnings

import onnx
import torch
from torch import Tensor, nn

from hdr.reading.detector import KINDS
from hdr.types import CLASSES
from tools.reader.network import OPSET, Block, halve

WIDTHS = (16, 24, 40, 64, 80)
"""Channels at half the size (two convolutions), a quarter, an eighth and a sixteenth."""


class Residual(nn.Module):
    """Two convolutions 3x3, added to their input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = Block(channels, channels)
        self.conv = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm = nn.BatchNorm2d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Float (n, channels, h, w) to the same shape, not negative."""
        return torch.relu(x + self.norm(self.conv(torch.relu(self.first.norm(self.first.conv(x))))))


def _smaller(channels: int, out: int) -> nn.Sequential:
    conv = nn.Conv2d(channels, out, 3, stride=2, padding=1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out), nn.ReLU())


def _larger(channels: int, out: int) -> nn.Sequential:
    conv = nn.Conv2d(channels, out, 1, bias=False)
    return nn.Sequential(conv, nn.BatchNorm2d(out), nn.Upsample(scale_factor=2))


class Detector(nn.Module):
    """A small U-Net whose output has a quarter of the picture's size."""

    def __init__(self) -> None:
        super().__init__()
        a, b, c, d, e = WIDTHS
        self.stem = nn.Sequential(_smaller(1, a), Block(a, b), _smaller(b, c))
        self.quarter = Residual(c)
        self.eighth = nn.Sequential(_smaller(c, d), Residual(d), Residual(d))
        self.sixteenth = nn.Sequential(_smaller(d, e), Residual(e))
        self.up8 = _larger(e, d)
        self.back8 = Residual(d)
        self.up4 = _larger(d, c)
        self.back4 = Residual(c)
        self.hidden = nn.Sequential(nn.Conv2d(c, 64, 3, padding=1, bias=False), nn.BatchNorm2d(64), nn.ReLU())
        self.out = nn.Conv2d(64, len(KINDS) + CLASSES + 4, 1)
        with torch.no_grad():
            self.out.bias[: len(KINDS)] = -4.0

    def forward(self, x: Tensor) -> Tensor:
        """Evened pictures, float (n, 1, 16 h, 16 w), to scores of kinds, scores of digits, and boxes: (n, 20, 4 h,
        4 w)."""
        quarter = self.quarter(self.stem(x))
        eighth = self.eighth(quarter)
        eighth = self.back8(torch.relu(eighth + self.up8(self.sixteenth(eighth))))
        return self.out(self.hidden(self.back4(torch.relu(quarter + self.up4(eighth)))))


class Shipped(nn.Module):
    """The network with the outputs that the app needs."""

    def __init__(self, net: Detector) -> None:
        super().__init__()
        self.net = net

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """See `to_onnx`."""
        out = self.net(x)
        heat = torch.sigmoid(out[:, : len(KINDS)])
        peaks = heat * (heat == nn.functional.max_pool2d(heat, 3, 1, 1))
        return peaks, out[:, len(KINDS) :]


def to_onnx(net: Detector) -> onnx.ModelProto:
    """The network as an ONNX model, its weights in 16 bits.

    It takes `evened`, float32 (n, 1, 16 h, 16 w), and gives `peaks`, how probable each kind is where it is more so than
    around it, and `rest`, scores of digits and boxes.
    """
    shipped = Shipped(net).eval()
    buffer = io.BytesIO()
    names = ("evened", "peaks", "rest")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            shipped,
            (torch.zeros(1, 1, 64, 128),),
            buffer,
            input_names=[names[0]],
            output_names=list(names[1:]),
            dynamic_axes={name: {0: "n", 2: f"h{k > 0}", 3: f"w{k > 0}"} for k, name in enumerate(names)},
            opset_version=OPSET,
            do_constant_folding=True,
            dynamo=False,
        )
    model = onnx.load_from_string(buffer.getvalue())
    halve(model.graph)
    onnx.checker.check_model(model)
    return model
