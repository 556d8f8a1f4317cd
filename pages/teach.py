"""For teachers: a link that sets the plan of the Train page as a task."""

import streamlit as st

from hdr.ui.classroom import assignment_builder
from hdr.ui.shell import page
from hdr.ui.state import run_config, session_datasets

page.header(
    "Set a task for a class", "Whoever opens the link sees your task on every page, and only what you leave free."
)
if run_config.current().dataset in session_datasets.names():
    st.info(
        "The plan learns from digits of your own, which only you have. Choose others on the Train page first.",
        icon=":material/database:",
    )
    st.page_link("pages/train.py", label="Train", icon=":material/model_training:")
else:
    assignment_builder.show()
