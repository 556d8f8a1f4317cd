"""Which features tell the classes apart: a ranking of all columns, violins of one, and maps of the picture."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from hdr.features import feature_ranking
from hdr.features.feature_ranking import Information, Ranking, Sample
from hdr.formatting import format_count, format_percent
from hdr.plots import html_images, violin
from hdr.plots.theme import CONFIG
from hdr.preprocessing import Pipeline
from hdr.types import Step
from hdr.ui.components import arrow_table, job_progress
from hdr.ui.features import scatter
from hdr.ui.shell import page

ORDERS = {"f": "F", "information": "Mutual information"}
TABLE_HEIGHT, VIOLIN_HEIGHT, MAP = 380, 340, 168
HEIGHT = TABLE_HEIGHT + scatter.NOTES + scatter.CHOICES

AT_ONCE = 200
"""Maximum number of columns at which mutual information is estimated without a click: about one second."""


@st.fragment
@page.show_errors()
def section(dataset: str, pipeline: Pipeline, features: Sequence[Step]) -> None:
    """Show which columns separate the classes, and the distribution of each column by class.

    Args:
        dataset, pipeline, features: as for `hdr.ui.features.scatter.sample`.
    """
    drawn = scatter.sample(dataset, pipeline, features, HEIGHT, "separation")
    if drawn is None:
        return
    name = scatter.key(dataset, pipeline, features)
    ranked: Ranking | None = job_progress.result(f"ranking-{name}", partial(feature_ranking.ranking, drawn), HEIGHT)
    if ranked is None:
        return
    left, right = st.columns([6, 5], gap="large")
    with left:
        column, informed = _ranking(drawn, ranked, name)
    with right:
        _violin(drawn, ranked, column, name)
    if drawn.pictured:
        _maps(drawn, ranked, informed)


def _ranking(drawn: Sample, ranked: Ranking, name: str) -> tuple[int, Information | None]:
    # Returns the column that is chosen, or else the best one; and the mutual information, where it is there.
    by = st.segmented_control(
        "Rank by",
        list(ORDERS),
        format_func=ORDERS.__getitem__,
        default="f",
        required=True,
        key="many_order",
        persist_state="session",
        help="F: variance between the classes over variance within them. Mutual information: how many of the 3.3 "
        "bits that the class holds are known from this number, by whatever dependence; it takes longer.",
    )
    asked: set[str] = st.session_state.setdefault("_many_informed", set())
    if by == "information":
        asked.add(name)
    wanted = name in asked or len(ranked.f) <= AT_ONCE
    work = partial(feature_ranking.information, drawn, ranked.f)
    job = job_progress.get(f"information-{name}", work, slow=True) if wanted else None
    informed: Information | None = job.result if job else None
    if by == "information" and job and informed is None:
        job_progress.show(job, TABLE_HEIGHT)
        column = int(feature_ranking.order(ranked.f)[0])
    else:
        column = _table(ranked, informed, by, name)
    if by == "f" and job and informed is None:
        job_progress.show(job, scatter.NOTES)
    else:
        st.html(f'<div class="hdr-note">{_table_note(drawn, informed)}</div>')
    return column, informed


def _table(ranked: Ranking, informed: Information | None, by: str, name: str) -> int:
    # Returns the column that is chosen, or else the best one.
    order = feature_ranking.order(ranked.f if by == "f" or informed is None else informed.bits)
    bits = np.full(len(order), np.nan) if informed is None else informed.bits
    chosen = st.dataframe(
        arrow_table.of_columns(
            {
                "column": [ranked.columns[i] for i in order],
                "f": ranked.f[order],
                "information": bits[order],
                "pair": [f"{a} | {b}" for a, b in np.sort(ranked.pair[order], axis=1)],
                "auc": ranked.auc[order] * 100,
            }
        ),
        column_config={
            "column": st.column_config.TextColumn("Feature", width="medium"),
            "f": st.column_config.NumberColumn(
                "F", format="%.1f", help="Variance between the classes over variance within them."
            ),
            "information": st.column_config.NumberColumn(
                "Information", format="%.2f bit", help="Mutual information with the class, of 3.3 bits at most."
            ),
            "pair": st.column_config.TextColumn(
                "Best pair", width="small", help="The two classes that it tells apart best, alone."
            ),
            "auc": st.column_config.NumberColumn(
                "AUC",
                format="%.1f %%",
                help="Of all pairs of one digit from each of the two classes, the share that it puts in the same "
                "order: the area under the ROC curve. 50% is chance.",
            ),
        },
        hide_index=True,
        height=TABLE_HEIGHT,
        on_select="rerun",
        selection_mode="single-row",
        placeholder="",
        key=f"ranking-{name}-{by}",
        alt="Features, ranked by how well they tell the classes apart",
        lazy=False,
    )
    picked = chosen["selection"]["rows"]
    return int(order[picked[0] if picked and picked[0] < len(order) else 0])


def _table_note(drawn: Sample, informed: Information | None) -> str:
    digits = format_count(len(drawn.labels))
    text = f"Measured on {digits} training digits. Select a row to see how that feature spreads over the classes."
    if informed is None:
        text += " Rank by mutual information to have it estimated too."
    elif np.isnan(informed.bits).any():
        text += (
            f" Information is estimated for the {format_count(feature_ranking.INFORMED_COLUMNS)} features of highest F."
        )
    return text


def _violin(drawn: Sample, ranked: Ranking, column: int, name: str) -> None:
    pair = ranked.pair[column].tolist()
    st.plotly_chart(
        violin.figure(drawn.features[:, column], drawn.labels, drawn.columns[column], pair, VIOLIN_HEIGHT),
        key=f"violin-{name}-{column}",
        config=CONFIG,
        alt=f"How {drawn.columns[column]} spreads over each class",
    )
    st.html(
        f'<div class="hdr-note">The wider, the more digits have this value. It tells {pair[0]} from {pair[1]} '
        f"best: a {pair[1]} has the larger value in {format_percent(float(ranked.auc[column]), 1)} of all pairs, "
        "ties counting half.</div>"
    )


def _maps(drawn: Sample, ranked: Ranking, informed: Information | None) -> None:
    shape = drawn.images.shape[1:]
    maps = [("the mean digit", drawn.images.mean(axis=0)), ("F", ranked.f)]
    if informed is not None:
        maps.append(("mutual information", np.nan_to_num(informed.bits)))
    cells = "".join(
        f'<figure><div class="hdr-over">{title}</div>'
        f"{html_images.digit(_bright(v).reshape(shape), MAP, title)}</figure>"
        for title, v in maps
    )
    st.html(
        f'<div class="hdr-sheet">{cells}</div><div class="hdr-note hdr-below">The same as a picture, every feature at '
        "its place: the brighter, the better it alone tells the classes apart.</div>"
    )


def _bright(values: NDArray[np.floating]) -> NDArray[np.uint8]:
    finite = np.where(np.isfinite(values), values, np.nanmax(values[np.isfinite(values)], initial=0.0))
    return np.rint(finite / max(float(finite.max()), 1e-12) * 255).astype(np.uint8)
