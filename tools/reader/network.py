"""The network, and the ONNX file that it becomes."""

from __future__ import annotations

import io
import warnings

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from hdr.preprocessing.size_normalisation import MIDDLE
from hdr.types import CLASSES, SIDE

WIDTHS = (16, 32, 64, 96)
"""Channels at 28x28, 14x14, 7x7 and 4x4."""

OPSET = 17

SOFT = (1 / 6, 2 / 3, 1 / 6)
"""A slight blur, along either axis: pictures as sharp as MNIST's are brought nearer to drawn and photographed ones."""


class Block(nn.Module):
    """Convolution 3x3 and batch normalisation; with as many channels out as in, added to what came in."""

    def __init__(self, channels: int, out: int, size: int = 3) -> None:
        super().__init__()
        self.conv = nn.Conv2d(channels, out, size, padding=size // 2, bias=False)
        self.norm = nn.BatchNorm2d(out)
        self.adds = channels == out

    def forward(self, x: Tensor) -> Tensor:
        """Float (n, channels, h, w) to (n, out, h, w), not negative."""
        y = self.norm(self.conv(x))
        return torch.relu(x + y if self.adds else y)


class Reader(nn.Module):
    """A small residual network with two heads: which digit, and whether it is one at all."""

    def __init__(self, widths: tuple[int, int, int, int] = WIDTHS) -> None:
        super().__init__()
        a, b, c, d = widths
        self.lens: Tensor
        self.register_buffer("lens", torch.outer(torch.tensor([0.0, 1, 0]), torch.tensor([0.0, 1, 0]))[None, None])
        self.stages = nn.ModuleList(
            [
                nn.Sequential(Block(1, a, 5)),
                nn.Sequential(Block(a, b), Block(b, b)),
                nn.Sequential(Block(b, c), Block(c, c), Block(c, c)),
                nn.Sequential(Block(c, d), Block(d, d)),
            ]
        )
        # One weight for every place and channel: an average would forget where things are.
        self.gather = nn.Conv2d(d, d, 4, groups=d, bias=False)
        self.gather_norm = nn.BatchNorm1d(d)
        self.drop = nn.Dropout(0.2)
        self.classes = nn.Linear(d, CLASSES)
        self.digit = nn.Linear(d, 1)
        nn.init.constant_(self.gather.weight, 1 / 16)

    def soften(self) -> None:
        """Blur what comes in, from now on."""
        self.lens.copy_(torch.outer(torch.tensor(SOFT), torch.tensor(SOFT)))

    def features(self, x: Tensor) -> Tensor:
        """Float (n, 1, 28, 28), ink 1 on 0, to (n, d)."""
        x = nn.functional.conv2d(x, self.lens, padding=1)
        for i, stage in enumerate(self.stages):
            x = stage(x)
            if i < len(self.stages) - 1:
                x = nn.functional.max_pool2d(x, 2, ceil_mode=True)
        return torch.relu(self.gather_norm(self.gather(x).flatten(1)))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Float (n, 1, 28, 28) to scores of the classes (n, 10) and of being a digit (n,)."""
        found = self.drop(self.features(x))
        return self.classes(found), self.digit(found)[:, 0]


class Shipped(nn.Module):
    """What is in the file: scaling and centring before the network, its own temperature and probabilities after it."""

    def __init__(self, net: Reader, temperature: float = 1.0) -> None:
        super().__init__()
        self.net, self.temperature = net, temperature

    def forward(self, images: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Uint8 (n, 28, 28) to `probabilities` (n, 10), `digit` (n,) and `features` (n, d)."""
        found = self.net.features(centred(images.float() * (1 / 255)).unsqueeze(1))
        scores = self.net.classes(found) / self.temperature
        digit = torch.sigmoid(self.net.digit(found).flatten())
        return torch.softmax(scores, dim=1), digit, found


def centred(images: Tensor) -> Tensor:
    """Move the centre of mass to where the capture rule puts it, float (n, 28, 28) to the same.

    Data sets are centred to whole pixels only; what the app captures is, to an eighth of one. Between pixels it is
    interpolated linearly. A blank picture stays as it is.
    """
    places = torch.arange(SIDE, dtype=torch.float32)
    mass = images.sum(dim=(1, 2)).clamp(min=1e-3)
    across = _shift(MIDDLE - (images.sum(dim=1) * places).sum(dim=1) / mass, places)
    down = _shift(MIDDLE - (images.sum(dim=2) * places).sum(dim=1) / mass, places)
    return down @ images @ across.transpose(1, 2)


def _shift(by: Tensor, places: Tensor) -> Tensor:
    """Matrices (n, 28, 28) that move columns of 28 values by so many places (n,)."""
    apart = places[None, :, None] - places[None, None, :] - by[:, None, None]
    return torch.relu(1 - apart.abs())


@torch.no_grad()
def scores(net: Reader, images: NDArray[np.uint8], batch: int = 500) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Scores of the classes (n, 10) and of being a digit (n,) as in the file, but before any temperature."""
    net.eval()
    batches = (tensor(images[i : i + batch]) for i in range(0, len(images), batch))
    parts = [net(centred(x[:, 0]).unsqueeze(1)) for x in batches]
    return torch.cat([p[0] for p in parts]).double().numpy(), torch.cat([p[1] for p in parts]).double().numpy()


def tensor(images: NDArray[np.uint8]) -> Tensor:
    """Uint8 (n, 28, 28) to float (n, 1, 28, 28), ink 1 on 0, laid out as convolutions here are fastest."""
    return (torch.from_numpy(images).float() / 255)[:, None].contiguous(memory_format=torch.channels_last)


def from_onnx(content: bytes, images: NDArray[np.uint8]) -> Reader:
    """The network of a file, to be trained on: the same function, with batch normalisation in it again.

    Args:
        content: the file's, as `to_onnx` makes it.
        images: uint8 (n, 28, 28), as it will be trained on; the normalisations begin with their statistics.
    """
    graph = onnx.load_from_string(content).graph
    kept = {w.name.removesuffix(".half"): numpy_helper.to_array(w).astype(np.float32) for w in graph.initializer}
    net = Reader().eval()
    named = {name.removeprefix("net."): torch.from_numpy(w) for name, w in kept.items() if name.startswith("net.")}
    net.load_state_dict(named, strict=False)
    # What was folded lies in the order in which it is used.
    folded = [kept[i] for node in graph.node if node.op_type == "Conv" for i in node.input[1:] if i not in _NAMED]
    blocks = [block for stage in net.stages for block in stage]
    for block, weights, bias in zip(blocks, folded[::2], folded[1::2], strict=True):
        block.conv.weight.data.copy_(torch.from_numpy(weights))
        block.norm.bias.data.copy_(torch.from_numpy(bias))
        block.norm.running_var.fill_(1 - block.norm.eps)
    _measure_norms(net, images)
    return net


_NAMED = ("net.lens", "net.gather.weight")


@torch.no_grad()
def _measure_norms(net: Reader, images: NDArray[np.uint8]) -> None:
    """Let every normalisation have the statistics of what it gets, and do what it did."""
    got: dict[nn.Module, Tensor] = {}
    norms = [m for m in net.modules() if isinstance(m, nn.BatchNorm1d | nn.BatchNorm2d)]
    hooks = [n.register_forward_pre_hook(lambda module, x: got.__setitem__(module, x[0])) for n in norms]
    net(tensor(images))
    for hook in hooks:
        hook.remove()
    for norm in norms:
        x = got[norm].transpose(0, 1).flatten(1)
        scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        shift = norm.bias - norm.running_mean * scale
        mean, var = x.mean(1), x.var(1)
        norm.weight.copy_(scale * torch.sqrt(var + norm.eps))
        norm.bias.copy_(shift + mean * scale)
        norm.running_mean.copy_(mean)
        norm.running_var.copy_(var)


def to_onnx(net: Reader, temperature: float) -> onnx.ModelProto:
    """The network as an ONNX model that takes uint8 (n, 28, 28).

    Batch normalisation is folded into the convolutions. Weights are kept in 16 bits, with a cast that the runtime does
    once, when it loads the file.

    Args:
        net: trained.
        temperature: that the scores of the classes are divided by.
    """
    shipped = Shipped(net, temperature).eval()
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            shipped,
            (torch.zeros(2, SIDE, SIDE, dtype=torch.uint8),),
            buffer,
            input_names=["images"],
            output_names=["probabilities", "digit", "features"],
            dynamic_axes={name: {0: "n"} for name in ("images", "probabilities", "digit", "features")},
            opset_version=OPSET,
            do_constant_folding=True,
            dynamo=False,
        )
    model = onnx.load_from_string(buffer.getvalue())
    halve(model.graph)
    onnx.checker.check_model(model)
    return model


def halve(graph: onnx.GraphProto) -> None:
    casts = []
    for weights in graph.initializer:
        values = numpy_helper.to_array(weights)
        if values.dtype != np.float32 or values.size < 256:
            continue
        name = weights.name
        weights.CopyFrom(numpy_helper.from_array(values.astype(np.float16), f"{name}.half"))
        casts.append(onnx.helper.make_node("Cast", [f"{name}.half"], [name], to=onnx.TensorProto.FLOAT))
    nodes = [*casts, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
