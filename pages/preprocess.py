"""Preprocess: a digit or a photo goes through a chain of steps, and every stage is there to be seen."""

import streamlit as st

from hdr.sanitize import escape_markdown
from hdr.ui.inputs import image_source, pipeline_trace
from hdr.ui.preprocess import step_details, step_inspector, step_strip
from hdr.ui.shell import page
from hdr.ui.state import pipeline_state

page.header("What the machine sees, step by step")
if problem := pipeline_state.follow_address():
    st.warning(escape_markdown(problem), icon=":material/link_off:")

with st.container(horizontal=True, vertical_alignment="bottom", key="source_row"):
    start = image_source.choose()

seen = pipeline_trace.trace(start, pipeline_state.current(), int(st.session_state.get("cut_digit", 1)) - 1)
step_strip.show(seen)
step_strip.chain_menu(seen)
step_inspector.show(seen)
step_details.show(seen)
