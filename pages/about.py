"""About: server limits, data handling, and the software and sources used."""

import streamlit as st

from hdr import paths, settings
from hdr.datasets.statistics import FACTS
from hdr.ui.about import admin, server_limits
from hdr.ui.classroom import banner
from hdr.ui.shell import page
from hdr.ui.state import resources

page.header("About this server", "What it allows, where your data go, and what all of this rests on.")

rules = settings.current()
left, right = st.columns(2, gap="large")
with left:
    st.subheader("What it allows", anchor=False)
    with st.container(key="limits"):
        st.html(server_limits.table(server_limits.limits(rules, resources.processes().capacity())))
    if notice := server_limits.memory_notice():
        st.caption(notice)
with right:
    st.subheader("Where your data go", anchor=False)
    st.html(server_limits.listing(server_limits.data(rules, paths.makeshift())))

left, right = st.columns(2, gap="large")
with left:
    st.subheader("Licence and sources", anchor=False)
    sources = [source for facts in FACTS.values() for source in dict.fromkeys(fact.source for fact in facts)]
    st.html(
        server_limits.listing(
            [
                "The app is free software under the MIT licence: use it, change it, pass it on.",
                *(f"Data: {source}." for source in sources),
                "It stands on Streamlit, scikit-learn, NumPy, OpenCV, scikit-image, Plotly, Optuna, skops and "
                "SQLAlchemy, each under its own free licence. Every step and feature names its paper.",
            ]
        )
    )
with right:
    st.subheader("Versions", anchor=False)
    st.html(server_limits.table(server_limits.versions()))
banner.teacher_link()
admin.show()
