"""Home: one real digit on its way to an answer, and the ways on from here."""

import streamlit as st

from hdr.ui.classroom import banner
from hdr.ui.home import walkthrough
from hdr.ui.shell import page, startup
from hdr.ui.state import resources

page.header("Handwritten digits, step by step")
st.markdown(
    "How does a machine read a digit? It cleans the picture, turns it into numbers, and compares them with thousands "
    "of digits that it has seen. Here is one on its way; **every picture is a door**."
)
walkthrough.show(walkthrough.current_walkthrough())
with st.container(horizontal=True, vertical_alignment="center"):
    st.button("Another digit", icon=":material/shuffle:", key="another_digit", on_click=walkthrough.new_digit)
    data = resources.dataset(startup.data_name())
    st.html(
        f'<div class="hdr-note">A digit of the {data.title} test split, which the reader has never seen, turned and '
        "covered with noise on purpose. At each visit another one.</div>",
        width="stretch",
    )

for column, (target, icon, title, note) in zip(
    st.columns(3, gap="medium"),
    [
        (
            "preprocess",
            "tune",
            "Explore preprocessing",
            "Smooth, sharpen, threshold, straighten: every step with its sliders, picture by picture.",
        ),
        (
            "train",
            "model_training",
            "Train a model",
            "Choose features and a classifier, watch it learn, and see every digit it got wrong.",
        ),
        (
            "draw",
            "draw",
            "Draw a digit",
            "Write with the mouse or a finger. It is read at every stroke, and you see what the model sees.",
        ),
    ],
    strict=True,
):
    with column.container(border=True, height="stretch"):
        st.page_link(f"pages/{target}.py", label=f"**{title}**", icon=f":material/{icon}:")
        st.caption(note)
banner.teacher_link()
