"""Features: what a digit is turned into before it is classified, on one digit and over many."""

import streamlit as st

from hdr.text import plain
from hdr.ui import feature_view, many, page, principal, separation

page.begin("What is measured in a digit")
if problem := feature_view.follow_address():
    st.warning(plain(problem), icon=":material/link_off:")
start, digit, pipeline = feature_view.choose_digit()
feature_view.gallery(digit)
feature_view.large(digit)

step = feature_view.chosen()
sections = {
    "Over many digits": lambda: many.scatter(start.dataset, pipeline, (step,)),
    "Which features tell digits apart": lambda: separation.section(start.dataset, pipeline, (step,)),
    "Principal components": lambda: principal.section(start.dataset, pipeline, digit),
}
for tab, section in zip(st.tabs(list(sections), key="many", on_change="rerun"), sections.values(), strict=True):
    if tab.open:
        with tab:
            section()
