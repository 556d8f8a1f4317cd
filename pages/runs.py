"""Runs: everything that was trained, to be opened again."""

import streamlit as st

from hdr.ui import page, plan, profile, resources, run_view, runs

page.begin("All runs", "Select a row to open it.")
if profile.demo():
    st.caption("This host may lose its disk when it restarts; runs are kept until then.")

known = runs.listed()
if not known:
    st.caption("Nothing has been trained yet. Every training is listed here from its first second on.")
    st.page_link("pages/train.py", label="Train a model", icon=":material/model_training:")
elif run := runs.table(known):
    with st.container(horizontal=True):
        if st.button("Show on Train", icon=":material/model_training:", key="open_in_train"):
            runs.open_run(run.id)
            plan.use(run.spec)
            st.switch_page("pages/train.py")
    run_view.show(resources.store().get(run.id, profile.owner()))
