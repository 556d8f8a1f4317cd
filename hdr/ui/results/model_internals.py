"""Internals of a model: weights, tree splits, support vectors, neighbours, means, components, relevant pixels."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import streamlit as st

from hdr.analysis import model_internals, nearest_examples, occlusion_importance
from hdr.analysis.model_internals import Means, NotInterpretableError, TreeSplit
from hdr.analysis.occlusion_importance import Importance
from hdr.formatting import format_count, format_percent
from hdr.plots import explained_variance, html_images
from hdr.plots.theme import CONFIG
from hdr.sanitize import escape_markdown
from hdr.store.runs import Run
from hdr.training.model import TrainedModel
from hdr.types import CLASSES, Drawing, Mark, ProgressCallback
from hdr.ui.components import arrow_table, job_progress
from hdr.ui.results import common
from hdr.ui.shell import page
from hdr.ui.state import resources

HEIGHT = 420
PICTURE, LARGE = 84, 224
UNITS, VECTORS, QUESTIONS = 40, 60, 6
"""Pictures of units and of support vectors that are shown, and questions whose place in the digit is."""

View = Callable[[Run, TrainedModel], None]


@st.fragment
@page.show_errors()
def section(run: Run) -> None:
    """Show the views of the model's internals that its classifier supports.

    Args:
        run: a run that is done.
    """
    model = common.model(run, HEIGHT)
    if model is None:
        return
    views = _views(model)
    title = st.segmented_control(
        "Look at",
        list(views),
        default=next(iter(views)),
        required=True,
        key=f"understand_inside-{run.id}",
    )
    try:
        views[title](run, model)
    except NotInterpretableError as error:
        st.caption(escape_markdown(error))


def _views(model: TrainedModel) -> dict[str, View]:
    classifier = model.classifier
    found: dict[str, View] = {}
    if hasattr(classifier, "coefs_") or (hasattr(classifier, "coef_") and not hasattr(classifier, "n_support_")):
        found["Weights"] = _weights
    if hasattr(classifier, "tree_"):
        found["A digit's way"] = _way
    if hasattr(classifier, "n_support_"):
        found["Support vectors"] = _support_vectors
    if hasattr(classifier, "kneighbors"):
        found["Who votes"] = _voters
    found["What it looks at"] = _importance
    found["Mean digits"] = _means
    if "components" in (model.spec.reduction.params if model.spec.reduction else {}):
        found["Components"] = _components
    return found


def _weights(run: Run, model: TrainedModel) -> None:
    found = model_internals.weights(model)
    shown = found.pictures[:UNITS]
    noun = "unit" if found.units else "digit"
    cells = "".join(
        f"<figure>{html_images.digit(model_internals.signed(p), PICTURE, f'weights of {noun} {n}', 'signed')}"
        f"<figcaption>{noun} {n}</figcaption></figure>"
        for p, n in zip(shown, found.numbers.tolist(), strict=False)
    )
    count = len(found.pictures)
    which = (
        f"The {len(shown)} of {count} units of the first layer that weigh most in the next one."
        if found.units and count > len(shown)
        else "The units of the first layer, the weightiest first."
        if found.units
        else "What speaks for each digit, and what against it."
    )
    through = " They were carried back through the reduction to the pixels." if found.through else ""
    st.html(
        f'<div class="hdr-sheet hdr-many">{cells}</div><div class="hdr-note hdr-below">{which} Ink speaks for it where '
        f"orange, against it where blue; each picture has its own scale.{through} Noise where hardly any training "
        "digit has ink means nothing: those weights were never put to the test.</div>"
    )


def _way(run: Run, model: TrainedModel) -> None:
    index = common.choose_test_digit(run, "understand_way")
    split = resources.dataset(run.spec.dataset).test
    image, label = split.images[index], int(split.labels[index])
    asked, digits, shares = model_internals.path(model, image)
    left, right = st.columns([3, 8], gap="large")
    with left:
        seen = model.spec.pipeline.apply(image[None])[0]
        where = model_internals.pixel_positions(model, asked[:QUESTIONS])
        marks = () if where is None else tuple(
            Mark("points", xy[None].astype(float), series=int(not q.left), label=str(n))
            for n, (xy, q) in enumerate(zip(where, asked, strict=False), 1)
        )  # fmt: skip
        st.html(html_images.drawing(Drawing(f"a {label} and what the tree asks about it", seen, marks=marks), LARGE))
        called = int(shares.argmax())
        st.markdown(
            f"A **{label}**, called **{called}** after {len(asked)} questions: "
            f"{format_percent(float(shares[called]), 1)} of the {format_count(digits)} training digits that end "
            "here are one."
        )
    with right:
        st.dataframe(
            arrow_table.of_rows([_row(n, q) for n, q in enumerate(asked, 1)]),
            column_config={
                "n": st.column_config.NumberColumn("", width=40),
                "question": st.column_config.TextColumn("Question", width="medium"),
                "value": st.column_config.NumberColumn("Here it is", format="%.3g", width="small"),
                "answer": st.column_config.TextColumn("Answer", width="small"),
                "digits": st.column_config.NumberColumn("Digits", help="Training digits that came to this question."),
                "most": st.column_config.TextColumn("Most of them", help="Their most frequent classes."),
            },
            hide_index=True,
            height=min(420, 38 + 35 * len(asked)),
            key=f"understand_questions-{run.id}",
            alt="The questions that the tree asks",
            lazy=False,
        )
        st.html(
            '<div class="hdr-note">From above: every question splits the training digits in two, and this digit goes '
            f"with one half.{'' if where is None else f' The first {QUESTIONS} are marked in the picture.'}</div>"
        )


def _row(number: int, question: TreeSplit) -> dict[str, object]:
    order = np.argsort(-question.shares, kind="stable")[:3]
    most = ", ".join(f"{d}: {format_percent(float(question.shares[d]), 0)}" for d in order if question.shares[d] > 0)
    return {
        "n": number,
        "question": f"{question.column} ≤ {question.threshold:.3g}?",
        "value": question.value,
        "answer": "yes" if question.left else "no",
        "digits": question.digits,
        "most": most,
    }


def _support_vectors(run: Run, model: TrainedModel) -> None:
    data = resources.dataset(run.spec.dataset)
    found = model_internals.support_vectors(model, data)
    count, share = len(found.index), len(found.index) / found.fitted_on
    st.markdown(
        f"**{format_count(count)} of {format_count(found.fitted_on)} training digits are support vectors** "
        f"({format_percent(share, 1)}); all others could be taken away, and the borders would stay where they are. "
        f"{format_count(int(found.at_limit.sum()))} of them lie within a margin or on the wrong side of a border."
    )
    chosen = st.segmented_control(
        "Of class",
        ["any", *map(str, range(CLASSES))],
        format_func=lambda c: c if c == "any" else f"{c} · {found.per_class[int(c)]}",
        default="any",
        required=True,
        key=f"understand_vectors-{run.id}",
    )
    labels = data.train.labels[found.index]
    rows = np.arange(count) if chosen == "any" else np.flatnonzero(labels == int(chosen))
    rows = rows[:VECTORS]
    captions = [f"{labels[r]} · {found.weight[r]:.3g}" for r in rows]
    st.html(html_images.sheet(data.train.images[found.index[rows]], captions))
    st.html(
        '<div class="hdr-note">The heaviest first: label, and the sum of the weights that the digit has in the borders '
        "of its class. These are the digits that are hardest to put on the right side: odd ones, and wrong labels. "
        "Behind each class: how many of its digits are support vectors.</div>"
    )


def _voters(run: Run, model: TrainedModel) -> None:
    index = common.choose_test_digit(run, "understand_voters")
    data = resources.dataset(run.spec.dataset)
    image, label = data.test.images[index], int(data.test.labels[index])
    found = nearest_examples.knn_voters(model, data, image) or []
    left, middle, right = st.columns([3, 4, 5], gap="large")
    with left:
        st.html(html_images.digit(image, 168, f"a {label}"))
        st.markdown(f"A **{label}**, number {format_count(index)} of the test split")
    with middle:
        st.html('<div class="hdr-over">what they vote</div>' + html_images.bars(model.predict_proba(image[None])[0]))
    with right:
        st.html('<div class="hdr-over">who votes: label and distance</div>' + common.near_sheet(run, found))
        st.html(
            '<div class="hdr-note">There is nothing else inside: this classifier keeps its training digits, and the '
            "nearest ones decide.</div>"
        )


def _importance(run: Run, model: TrainedModel) -> None:
    data = resources.dataset(run.spec.dataset)

    def work(report: ProgressCallback) -> Importance:
        return occlusion_importance.of_model(model, data, report=report)

    found: Importance | None = job_progress.result(f"importance-{run.id}", work, HEIGHT, slow=True)
    if found is None:
        return
    maps = [("all digits", found.overall), *((str(d), m) for d, m in enumerate(found.by_class))]
    # One scale for all, so that classes can be compared.
    limit = max(float(np.abs(m).max()) for _, m in maps)
    cells = "".join(
        f"<figure>{html_images.digit(_on_scale(m, limit), PICTURE, f'importance for {title}', 'signed')}"
        f"<figcaption>{title} · {_points(float(m.max()))}</figcaption></figure>"
        for title, m in maps
    )
    st.html(
        f'<div class="hdr-sheet hdr-many">{cells}</div><div class="hdr-note hdr-below">A patch of '
        f"{occlusion_importance.PATCH}x{occlusion_importance.PATCH} pixels of paper covers one place after another on "
        f"{format_count(found.digits)} test digits. Orange: there the probability of the right class falls, on "
        "average; blue: it rises. Below each, the largest fall, in points of probability. All have one scale.</div>"
    )


def _on_scale(values: np.ndarray, limit: float) -> np.ndarray:
    return (128 + np.rint(127 * values / max(limit, 1e-12))).astype(np.uint8)


def _points(share: float) -> str:
    return f"{share * 100:.1f}"


def _means(run: Run, model: TrainedModel) -> None:
    data = resources.dataset(run.spec.dataset)

    def work(report: ProgressCallback) -> Means:
        report("Taking the mean of each class")
        return model_internals.class_means(model, data)

    found: Means | None = job_progress.result(f"means-{run.id}", work, HEIGHT)
    if found is None:
        return
    shown = np.rint(found.pictures).astype(np.uint8)
    cells = "".join(
        f"<figure>{html_images.digit(p, PICTURE, f'the mean {d}')}<figcaption>{d}</figcaption></figure>"
        for d, p in enumerate(shown)
    )
    own = run.result["test_accuracy"]
    st.html(
        f'<div class="hdr-sheet hdr-many">{cells}</div><div class="hdr-note hdr-below">The mean of each class over '
        f"{format_count(found.digits)} training digits, after this run's preprocessing: the sharper, the more alike "
        "they are. Calling every test digit by the mean that is nearest, pixel by pixel, would be right in "
        f"{format_percent(found.accuracy)}; this model is in {format_percent(own)}.</div>"
    )


def _components(run: Run, model: TrainedModel) -> None:
    ratio = model_internals.kept_variance(model)
    left, right = st.columns([6, 5], gap="large")
    with left:
        st.plotly_chart(
            explained_variance.figure(ratio, len(ratio)),
            key=f"understand_variance-{run.id}",
            config=CONFIG,
            alt="Variance held by components",
        )
    with right:
        st.html(f'<div class="hdr-figure">{format_percent(float(ratio.sum()), 1)}</div>')
        st.markdown(
            f"of the variance of the features is in the **{len(ratio)} components** that the classifier sees. The "
            f"first one holds {format_percent(float(ratio[0]), 1)}, the last {format_percent(float(ratio[-1]))}."
        )
    st.html(
        '<div class="hdr-note">What is left out differs little from digit to digit. Whether it would help to tell the '
        "classes apart, variance alone does not say: the validation curve over the number of components does.</div>"
    )
