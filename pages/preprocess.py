"""Preprocess: a digit goes through a chain of steps, and every stage is there to be seen."""

import streamlit as st

from hdr.ui import chain, page, source, stages
from hdr.ui.text import plain

page.begin("What the machine sees, step by step")
if problem := chain.follow_address():
    st.warning(plain(problem), icon=":material/link_off:")

with st.container(horizontal=True, vertical_alignment="bottom", key="source_row"):
    digit = source.choose_digit()
    digit = source.disturb(digit)

path = stages.strip(digit)
stages.chain_menu()
stages.inspector(path)
