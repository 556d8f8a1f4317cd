"""For teachers: a link that sets the plan of the Train page as a task."""

import streamlit as st

from hdr.ui import class_builder, own_data, page, plan

page.begin(
    "Set a task for a class", "Whoever opens the link sees your task on every page, and only what you leave free."
)
if plan.current().dataset in own_data.names():
    st.info(
        "The plan learns from digits of your own, which only you have. Choose others on the Train page first.",
        icon=":material/database:",
    )
    st.page_link("pages/train.py", label="Train", icon=":material/model_training:")
else:
    class_builder.show()
