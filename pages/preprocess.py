"""Preprocess: a digit or a photo goes through a chain of steps, and every stage is there to be seen."""

import streamlit as st

from hdr.text import plain
from hdr.ui import chain, closer, inspector, page, source, strip, way

page.begin("What the machine sees, step by step")
if problem := chain.follow_address():
    st.warning(plain(problem), icon=":material/link_off:")

with st.container(horizontal=True, vertical_alignment="bottom", key="source_row"):
    start = source.choose()

seen = way.follow(start, chain.current(), int(st.session_state.get("cut_digit", 1)) - 1)
strip.show(seen)
strip.chain_menu(seen)
inspector.show(seen)
closer.show(seen)
