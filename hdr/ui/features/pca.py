"""Principal components of the pictures: the mean digit, the eigendigits, a digit rebuilt from a few of them."""

from __future__ import annotations

import streamlit as st

from hdr import catalogue
from hdr.features import embeddings, feature_ranking
from hdr.features.embeddings import Components
from hdr.formatting import format_count, format_percent
from hdr.plots import explained_variance, html_images
from hdr.plots.theme import CONFIG
from hdr.preprocessing import Pipeline
from hdr.sanitize import escape_markdown
from hdr.types import HdrError, Images, ProgressCallback
from hdr.ui.components import job_progress
from hdr.ui.shell import page
from hdr.ui.state import resources

EIGENDIGITS, WALKED = 10, 24
COUNTS = (0, 1, 2, 3, 5, 8, 12, 20, 30, 50, 75, 100, 150, 200, 300)
DEVIATIONS = (-3, -2, -1, 0, 1, 2, 3)
SMALL, MIDDLE, LARGE = 84, 112, 140
HEIGHT = 640


@st.fragment
@page.show_errors()
def section(dataset: str, pipeline: Pipeline, image: Images) -> None:
    """Show the principal component analysis, with one digit reconstructed.

    Args:
        dataset: a name, as of `hdr.datasets.available`.
        pipeline: the preprocessing before PCA.
        image: uint8 (h, w), the digit to rebuild, as the pipeline leaves it.
    """
    split = resources.dataset(dataset).train

    def work(report: ProgressCallback) -> Components:
        report("Principal components of the pictures")
        return embeddings.components(pipeline.apply(split.images[feature_ranking.draw(len(split))]))

    found: Components | None = job_progress.result(
        f"components-{catalogue.key_of([dataset, pipeline.key])}", work, HEIGHT
    )
    if found is None:
        return
    _eigendigits(found)
    left, right = st.columns([5, 6], gap="large")
    with right:
        count = _rebuilt(found, image)
    with left:
        st.plotly_chart(
            explained_variance.figure(found.ratio, count),
            key="explained_variance",
            config=CONFIG,
            alt="Variance held by components",
        )
        st.html(
            '<div class="hdr-note">How much of all differences between digits the first components hold. The curve is '
            "steep at first: a few directions say most of what distinguishes digits.</div>"
        )
    _walk(found)


def _eigendigits(found: Components) -> None:
    mean = found.walk(0, [0])[0]
    shown = [html_images.digit(mean, SMALL, "the mean digit")]
    captions = ["mean"]
    for number, (picture, ratio) in enumerate(zip(found.pictures(EIGENDIGITS), found.ratio, strict=False), 1):
        shown.append(html_images.digit(picture, SMALL, f"component {number}", "signed"))
        captions.append(f"{number} · {format_percent(float(ratio), 1)}")
    cells = "".join(f"<figure>{p}<figcaption>{c}</figcaption></figure>" for p, c in zip(shown, captions, strict=True))
    st.html(
        f'<div class="hdr-sheet hdr-many">{cells}</div><div class="hdr-note hdr-below">The mean of the digits, and the '
        "directions in which they differ from it most: more ink where orange, less where blue. Below each, its "
        "share of the variance. Every digit is the mean plus so much of each of these pictures.</div>"
    )


def _rebuilt(found: Components, image: Images) -> int:
    counts = [c for c in COUNTS if c < len(found)] + [len(found)] * (len(found) <= COUNTS[-1])
    count = st.select_slider(
        "Components",
        counts,
        min(20, counts[-1]),
        key=f"rebuild_from-{len(found)}",
        persist_state="session",
        help="How many of them the digit is rebuilt from; all others are left out.",
    )
    try:
        rebuilt, own = found.rebuild(image, count)
    except HdrError as error:
        st.caption(escape_markdown(error))
        return count
    shown = [
        (html_images.digit(image, LARGE, "the digit"), "the digit"),
        (html_images.digit(rebuilt, LARGE, f"rebuilt from {count} components"), f"from {count} components"),
        (
            html_images.digit(html_images.difference(rebuilt, image), LARGE, "what is missing", "signed"),
            "what is missing",
        ),
    ]
    cells = "".join(f"<figure>{p}<figcaption>{c}</figcaption></figure>" for p, c in shown)
    whole = format_percent(float(found.ratio[:count].sum()), 1)
    pixels = format_count(image.size)
    st.html(
        f'<div class="hdr-sheet hdr-three">{cells}</div><div class="hdr-note hdr-below">{count} numbers instead of '
        f"{pixels} hold {whole} of the variance of all digits, and {format_percent(own, 1)} of what sets this one "
        "apart from the mean. Missing ink is orange.</div>"
    )
    return count


def _walk(found: Components) -> None:
    st.subheader("Walk along a component", anchor=False)
    most = min(WALKED, len(found))
    component = st.slider("Component", 1, most, key=f"walk_along-{most}", persist_state="session", width=420)
    row = found.walk(component - 1, DEVIATIONS)
    cells = "".join(
        f"<figure>{html_images.digit(picture, MIDDLE, caption)}<figcaption>{caption}</figcaption></figure>"
        for picture, caption in zip(row, (_deviation(d) for d in DEVIATIONS), strict=True)
    )
    held = format_percent(float(found.ratio[component - 1]), 1)
    st.html(
        f'<div class="hdr-sheet hdr-many">{cells}</div><div class="hdr-note hdr-below">The mean digit, changed by '
        f"component {component} alone, by up to 3 standard deviations to each side; it holds {held} of the variance. "
        "The first components change the whole shape, later ones details.</div>"
    )


def _deviation(d: int) -> str:
    return "mean" if d == 0 else f"{'+' if d > 0 else '−'}{abs(d)} sd"
