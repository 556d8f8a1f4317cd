"""The entry: page settings, what all pages share, and the way to each page."""

from pathlib import Path

import streamlit as st

from hdr.text import plain
from hdr.types import HdrError
from hdr.ui import allocator, page, profile, startup

allocator.settle()
UI = Path(__file__).parent / "hdr" / "ui"
# The icon is a file of ours: Streamlit's own ones make every visitor's browser ask another host.
st.set_page_config("Handwritten digits, step by step", str(UI / "icon.svg"), "wide", "collapsed")
st.html(UI / "style.css")

way = st.navigation(
    [
        st.Page("pages/home.py", title="Home", default=True),
        st.Page("pages/preprocess.py", title="Preprocess"),
        st.Page("pages/features.py", title="Features"),
        st.Page("pages/train.py", title="Train"),
        st.Page("pages/runs.py", title="Runs"),
        st.Page("pages/draw.py", title="Draw"),
        st.Page("pages/data.py", title="Data"),
        st.Page("pages/about.py", title="About"),
    ],
    position="top",
)

page.enter()
try:
    profile.identify()
    startup.begin()
    way.run()
except HdrError as error:
    st.error(plain(error), icon=":material/error:")
