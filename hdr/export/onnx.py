"""Export of a model as ONNX, in an archive with its preprocessing code and a program that classifies a picture.

The graph takes features and gives probabilities: reduction, classifier and, for a support vector machine, the coupling
of its margins are all in it. Preprocessing and features are beside it as Python source, since ONNX has no operators for
them. Only this module imports skl2onnx and onnxruntime, on first use.
"""

from __future__ import annotations

import io
import json
import zipfile
from copy import copy
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hdr import catalogue
from hdr.export.preprocessing_script import features_script
from hdr.export.source_extraction import Place
from hdr.features.extract import extract
from hdr.training.model import TrainedModel
from hdr.types import CLASSES, SIDE, Features, HdrError, Images, ProgressCallback, no_progress

if TYPE_CHECKING:
    from onnx import ModelProto

COMPARED = 1_000
"""Test digits on which the file's predictions must equal the model's."""

LEAST_AGREEMENT = 0.999
"""Share of them that must be called alike: numbers of 32 bits may decide the odd digit on the border otherwise."""

SAME = 1e-5
"""Probabilities that lie nearer to each other are taken for equal."""

MAX_BYTES = 25_000_000
"""Bytes that a file may have. Writing it takes about fifteen times as much memory."""

BYTES_OF_NODE = 94
"""Bytes per tree node in the file, measured with skl2onnx 1.20 on forests of MNIST."""

READ = """
# Reads the picture of one handwritten digit:  python read.py digit.png
# It needs Python 3.11 or newer, and:
#   pip install {libraries}

import os
import sys
from pathlib import Path

# ONNX Runtime sends usage data to its maker unless it is told not to.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import cv2
import numpy as np
import onnxruntime

from features import features, from_pixels, preprocess

if len(sys.argv) != 2:
    sys.exit("Usage: python read.py digit.png")
picture = cv2.imread(sys.argv[1], cv2.IMREAD_GRAYSCALE)
if picture is None:
    sys.exit(f"{{sys.argv[1]}} is not a picture that OpenCV can read.")
if np.median(picture) > 127:
    # Dark ink on light paper; the model knows light ink on dark.
    picture = 255 - picture
images = picture[None] if picture.shape == ({side}, {side}) else from_pixels(picture[None])
session = onnxruntime.InferenceSession(Path(__file__).with_name("model.onnx").read_bytes())
label, probabilities = session.run(["label", "probabilities"], {{"features": features(preprocess(images))}})
print(f"{{label[0]}}, probability {{probabilities[0].max():.1%}}")
"""


class ExportError(HdrError):
    """A model cannot be had as an ONNX file; the message says why."""


@dataclass(frozen=True)
class ExportedModel:
    """A model to take along.

    Attributes:
        data: a ZIP file with `model.onnx`, `preprocessing.json`, `features.py` and `read.py`.
        onnx_bytes: size of the graph alone.
        compared, agreed: test digits that model and graph were asked about, and those that both called alike.
    """

    data: bytes
    onnx_bytes: int
    compared: int
    agreed: int

    @property
    def nbytes(self) -> int:
        """Return the size of the data, in bytes."""
        return len(self.data)


def export_model(model: TrainedModel, images: Images, report: ProgressCallback = no_progress) -> ExportedModel:
    """A model with all that it takes to read a digit without this project.

    Args:
        model: fitted.
        images: uint8 (n, 28, 28), test digits; `COMPARED` of them at most, spread over all, are compared.
        report: is told what is being done.

    Raises:
        ExportError: there is no converter for the classifier, the file would be too large, or the labels differ.
    """
    report("Looking at the model")
    check_size(model)
    chosen = images[:: max(1, len(images) // COMPARED)][:COMPARED]
    features = extract(chosen, model.spec.pipeline, model.spec.features)
    report("Writing the graph")
    data = _graph(model, features.shape[1]).SerializeToString()
    report("Comparing labels")
    said = model.probabilities(model.reduce(features)).argmax(axis=1)
    agreed = int((labels(data, features) == said).sum())
    if agreed < LEAST_AGREEMENT * len(chosen):
        raise ExportError(
            f"{_title(model)}: the ONNX file is not offered, since it calls {len(chosen) - agreed} of {len(chosen):,} "
            "test digits by another name than the model does."
        )
    files = {
        "model.onnx": data,
        "preprocessing.json": json.dumps(_settings(model, features.shape[1]), indent=2).encode(),
        "features.py": _features_module(model).encode(),
        "read.py": _program(model).encode(),
    }
    return ExportedModel(_zipped(files), len(data), len(chosen), agreed)


def check_size(model: TrainedModel) -> None:
    """See that the file would not be too large, without writing it.

    Raises:
        ExportError: the message names the size and the part that is too large.
    """
    classifier, title = model.classifier, _title(model)
    if (kept := getattr(classifier, "_fit_X", None)) is not None:
        size, what = kept.size * 4, f"all {kept.shape[0]:,} training digits"
    elif (vectors := getattr(classifier, "support_vectors_", None)) is not None:
        size, what = (vectors.size + classifier.dual_coef_.size) * 4, f"{len(vectors):,} support vectors"
    else:
        nodes = _nodes(classifier)
        size, what = nodes * BYTES_OF_NODE, f"{nodes:,} nodes of trees"
    if size > MAX_BYTES:
        raise ExportError(
            f"{title}: no ONNX file. It would hold {what}, about {size / 1e6:,.0f} MB; up to {MAX_BYTES / 1e6:.0f} MB "
            "are written here. With fewer training digits, or a reduction before, it would fit."
        )


def _nodes(classifier: Any) -> int:
    if hasattr(classifier, "tree_"):
        return classifier.tree_.node_count
    if hasattr(classifier, "_predictors"):
        return sum(len(tree.nodes) for round_ in classifier._predictors for tree in round_)
    return sum(_nodes(tree) for tree in np.ravel(getattr(classifier, "estimators_", [])))


def labels(data: bytes, features: Features) -> NDArray[np.int64]:
    """Return a graph's predictions for features, float32 (n, d): int64 (n,)."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    return session.run(["label"], {"features": features})[0]


def _graph(model: TrainedModel, dimensions: int) -> ModelProto:
    try:
        from skl2onnx import to_onnx
        from skl2onnx.common.data_types import FloatTensorType
        from skl2onnx.common.exceptions import MissingConverter, MissingShapeCalculator
    except ImportError as error:
        raise ExportError(f"ONNX files cannot be written here: {error.name} is not installed.") from error
    from sklearn.pipeline import Pipeline

    classifier = _with_long_classes(model.classifier)
    steps = [classifier] if model.reduction is None else [model.reduction, classifier]
    last = classifier.steps[-1][1] if isinstance(classifier, Pipeline) else classifier
    margins = not hasattr(model.classifier, "predict_proba")
    try:
        found = to_onnx(
            Pipeline([(f"part{i}", step) for i, step in enumerate(steps)]),
            initial_types=[("features", FloatTensorType([None, dimensions]))],
            options={id(last): {"zipmap": False} | ({"raw_scores": True} if margins else {})},
        )
    except (MissingConverter, MissingShapeCalculator, NameError, RuntimeError) as error:
        raise ExportError(
            f"{_title(model)}: no ONNX file, since skl2onnx {version('skl2onnx')} has no converter for it "
            f"({_culprit(error, model)})."
        ) from error
    return _finished(found, model, margins)


def _with_long_classes(classifier: Any) -> Any:
    # Of classes in 8 bits, as labels here are, skl2onnx makes texts for some classifiers.
    twin = copy(classifier)
    if hasattr(twin, "steps"):
        *before, (name, last) = twin.steps
        twin.steps = [*before, (name, _with_long_classes(last))]
    else:
        twin.classes_ = classifier.classes_.astype(np.int64)
    return twin


def _culprit(error: Exception, model: TrainedModel) -> str:
    parts = [model.classifier, *(step for _, step in getattr(model.classifier, "steps", [])), model.reduction]
    names = [type(part).__name__ for part in parts]
    return next((name for name in names if f".{name}'" in str(error)), names[0])


def _finished(found: ModelProto, model: TrainedModel, margins: bool) -> ModelProto:
    """The graph with the outputs `label` int64 (n,) and `probabilities` float32 (n, 10), however it ended before."""
    from onnx import TensorProto, compose, helper, numpy_helper
    from skl2onnx.helpers.onnx_helper import select_model_inputs_outputs

    # Remove the nodes that map scores to labels; a prefix prevents clashes with the names below.
    found = select_model_inputs_outputs(found, found.graph.output[1].name)
    used = {name for node in found.graph.node for name in node.input}
    kept = [values for values in found.graph.initializer if values.name in used]
    del found.graph.initializer[:]
    found.graph.initializer.extend(kept)
    found = compose.add_prefix(found, "fitted_", rename_inputs=False)
    graph, scores, k = found.graph, found.graph.output[0].name, len(model.classifier.classes_)

    def constant(name: str, values: ArrayLike) -> str:
        graph.initializer.append(numpy_helper.from_array(np.asarray(values, np.float32), name))
        return name

    def node(kind: str, inputs: list[str], output: str, **attributes: Any) -> str:
        graph.node.append(helper.make_node(kind, inputs, [output], **attributes))
        return output

    if margins:
        # The coupling of `hdr.training.model.pairwise_probabilities`, as products of matrices.
        first, second = np.triu_indices(k, 1)
        if k == 2:
            # Of two classes skl2onnx gives the one margin twice, with both signs.
            scores = node("MatMul", [scores, constant("one_margin", [[1.0], [0.0]])], "margin")
        scaled = node("Div", [scores, constant("temperature", [model.temperature])], "scaled")
        lost = node("Softplus", [node("Neg", [scaled], "negative")], "lost")
        won = node("Softplus", [scaled], "won")
        of_first = node("MatMul", [lost, constant("first", -np.eye(k)[first])], "lost_of_first")
        of_second = node("MatMul", [won, constant("second", -np.eye(k)[second])], "won_of_second")
        scores = node("Softmax", [node("Add", [of_first, of_second], "logarithms")], "coupled", axis=1)
    # Training may never have seen a class.
    node("MatMul", [scores, constant("classes", np.eye(CLASSES)[model.classifier.classes_])], "probabilities")
    # Trees often vote alike for two classes, and then the first one counts: not the one that 32 bits round up.
    scaled = node("Mul", ["probabilities", constant("scale", [1 / SAME])], "probabilities_scaled")
    whole = node("Floor", [node("Add", [scaled, constant("half", [0.5])], "plus_half")], "whole")
    node("ArgMax", [whole], "label", axis=1, keepdims=0)
    del graph.output[:]
    graph.output.append(helper.make_tensor_value_info("label", TensorProto.INT64, [None]))
    graph.output.append(helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, CLASSES]))
    return found


def _title(model: TrainedModel) -> str:
    return catalogue.get("classifier", model.spec.classifier.name).title


def _settings(model: TrainedModel, dimensions: int) -> dict[str, Any]:
    spec = model.spec.to_json()
    return {
        "model": model.spec.summary,
        "image": {"height": SIDE, "width": SIDE, "dtype": "uint8", "ink": 255, "paper": 0},
        "pipeline": spec["pipeline"],
        "features": spec["features"],
        "input": {"name": "features", "dtype": "float32", "shape": ["n", dimensions]},
        "outputs": {
            "label": {"dtype": "int64", "shape": ["n"]},
            "probabilities": {"dtype": "float32", "shape": ["n", CLASSES]},
        },
        "versions": {**model.versions, "skl2onnx": version("skl2onnx")},
    }


def _features_module(model: TrainedModel) -> str:
    return features_script(
        model.spec.pipeline, model.spec.features, also=[Place("hdr.preprocessing.size_normalisation", "from_pixels")]
    )


def _program(model: TrainedModel) -> str:
    needed = _features_module(model).split("#   pip install ")[1].splitlines()[0].split()
    libraries = sorted({*needed, "numpy", "opencv-python-headless", "onnxruntime"}, key=str.lower)
    return READ.lstrip().format(libraries=" ".join(libraries), side=SIDE)


def _zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as found:
        for name, data in files.items():
            # Without the time of day, the same model gives the same file.
            found.writestr(zipfile.ZipInfo(name), data, zipfile.ZIP_DEFLATED)
    return stream.getvalue()
