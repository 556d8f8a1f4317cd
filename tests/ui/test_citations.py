"""Sources become links, and every technique has one."""

from __future__ import annotations

import re

import pytest

import hdr.features
import hdr.preprocessing  # noqa: F401 - both register entries
from hdr import catalogue
from hdr.catalogue import Entry
from hdr.ui.components.citations import link_citation

ENTRIES = [*catalogue.entries("step"), *catalogue.entries("feature")]


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda e: f"{e.kind}-{e.name}")
def test_every_technique_links_to_a_source(entry: Entry) -> None:
    links = re.findall(r"\[([^\]]+)\]\((https://[^\s)]+)\)", link_citation(entry.source))
    assert links, entry.source
    assert re.sub(r"\[([^\]]+)\]\(https://[^\s)]+\)", r"\1", link_citation(entry.source)) == entry.source


@pytest.mark.parametrize(
    ("source", "address"),
    [
        ("Otsu (1979), doi:10.1109/TSMC.1979.4310076; more", "https://doi.org/10.1109/TSMC.1979.4310076"),
        ("Trier (1996), doi:10.1016/0031-3203(95)00118-2.", "https://doi.org/10.1016/0031-3203%2895%2900118-2"),
        ("skimage.feature.hog.", "https://scikit-image.org/docs/stable/api/skimage.feature.html#skimage.feature.hog"),
        ("cv2.medianBlur", "https://docs.opencv.org/4.x/d4/d86/group__imgproc__filter.html"),
        ("sklearn.svm.SVC.", "https://scikit-learn.org/stable/modules/generated/sklearn.svm.SVC.html"),
    ],
)
def test_what_is_cited_is_linked_to(source: str, address: str) -> None:
    assert f"]({address})" in link_citation(source)


def test_a_book_of_nearly_the_same_title_is_another_book() -> None:
    assert "[" not in link_citation("Niblack, An Introduction to Digital Image Processing (1986)")


def test_other_words_stay() -> None:
    assert link_citation("Tukey, Exploratory Data Analysis (1977); cv2.unknown") == (
        "Tukey, Exploratory Data Analysis (1977); cv2.unknown"
    )
