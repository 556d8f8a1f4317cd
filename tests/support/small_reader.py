"""A reader in ONNX that is made in a moment: one hidden layer, with inputs, outputs and metadata of the real one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from hdr.types import Split

METADATA = {"threshold": 0.5, "temperature": 1.0, "recipe": "test", "metrics": {"accuracy": 0.9}}


def fit(digits: Split, units: int = 48) -> list[NDArray[np.float32]]:
    """Weights and biases of two layers, of digits that are moved about a little."""
    from sklearn.neural_network import MLPClassifier

    moved = [np.roll(digits.images, (dy, dx), axis=(1, 2)) for dy, dx in ((0, 0), (1, 0), (-1, 0), (0, 1), (0, -1))]
    x = np.concatenate(moved).reshape(-1, 784) / np.float32(255)
    model = MLPClassifier((units,), max_iter=5, random_state=0, learning_rate_init=0.005)
    model.fit(x, np.tile(digits.labels, len(moved)))
    return [np.asarray(a, np.float32) for pair in zip(model.coefs_, model.intercepts_, strict=True) for a in pair]


def write(
    path: Path, weights: list[NDArray[np.float32]], metadata: dict[str, Any] = METADATA, kind: int = TensorProto.UINT8
) -> Path:
    """Whatever has between 1% and 50% of ink is a digit."""
    names = ("w1", "b1", "w2", "b2")
    constants = [numpy_helper.from_array(a, n) for a, n in zip(weights, names, strict=True)]
    constants += [
        numpy_helper.from_array(np.array(v, d), n)
        for n, v, d in (
            ("full", 255, np.float32),
            ("flat", [0, 784], np.int64),
            ("axis", [1], np.int64),
            ("least", 0.01, np.float32),
            ("steep", 400, np.float32),
        )
    ]
    nodes = [
        helper.make_node("Cast", ["image"], ["grey"], to=TensorProto.FLOAT),
        helper.make_node("Div", ["grey", "full"], ["ink"]),
        helper.make_node("Reshape", ["ink", "flat"], ["row"], allowzero=0),
        helper.make_node("Gemm", ["row", "w1", "b1"], ["hidden"]),
        helper.make_node("Relu", ["hidden"], ["features"]),
        helper.make_node("Gemm", ["features", "w2", "b2"], ["logits"]),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=1),
        helper.make_node("ReduceMean", ["row", "axis"], ["share"], keepdims=0),
        helper.make_node("Sub", ["share", "least"], ["above"]),
        helper.make_node("Mul", ["above", "steep"], ["sure"]),
        helper.make_node("Sigmoid", ["sure"], ["digit"]),
    ]
    units = weights[0].shape[1]
    graph = helper.make_graph(
        nodes,
        "reader",
        [helper.make_tensor_value_info("image", kind, ["n", 28, 28])],
        [
            helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["n", 10]),
            helper.make_tensor_value_info("digit", TensorProto.FLOAT, ["n"]),
            helper.make_tensor_value_info("features", TensorProto.FLOAT, ["n", units]),
        ],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    helper.set_model_props(model, {k: v if isinstance(v, str) else json.dumps(v) for k, v in metadata.items()})
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path
