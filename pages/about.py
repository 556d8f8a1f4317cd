"""About: what this server allows, where one's data go, and what all this rests on."""

import streamlit as st

from hdr import home, settings
from hdr.datasets.about import FACTS
from hdr.ui import admin, allowed, class_view, page, resources

page.begin("About this server", "What it allows, where your data go, and what all of this rests on.")

rules = settings.current()
left, right = st.columns(2, gap="large")
with left:
    st.subheader("What it allows", anchor=False)
    with st.container(key="limits"):
        st.html(allowed.table(allowed.limits(rules, resources.processes().capacity())))
    if notice := allowed.memory_notice():
        st.caption(notice)
with right:
    st.subheader("Where your data go", anchor=False)
    st.html(allowed.listing(allowed.data(rules, home.makeshift())))

left, right = st.columns(2, gap="large")
with left:
    st.subheader("Licence and sources", anchor=False)
    sources = [source for facts in FACTS.values() for source in dict.fromkeys(fact.source for fact in facts)]
    st.html(
        allowed.listing(
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
    st.html(allowed.table(allowed.versions()))
class_view.door()
admin.show()
