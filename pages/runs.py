"""Runs: everything that was trained, to be opened, compared and repeated."""

import streamlit as st

from hdr.ui import compare_view, page, profile, resources, result_view, run_actions, run_table, run_view, runs, waiting

page.begin("All runs", "Select a row to open it, or several to compare them.")
if profile.demo():
    st.caption("This host may lose its disk when it restarts; runs are kept until then.")

known = runs.listed()
if known:
    waiting.note(known)
    chosen = run_table.choose(known)
else:
    chosen = []
    st.caption("Nothing has been trained yet. Every training is listed here from its first second on.")
    st.page_link("pages/train.py", label="Train a model", icon=":material/model_training:")
if not chosen:
    with st.container(horizontal=True, vertical_alignment="center"):
        run_actions.paste()
        run_actions.undo_button()
elif len(chosen) == 1:
    run = resources.store().get(chosen[0].id, profile.owner())
    run_actions.for_one(run, known)
    run_view.show(run)
    result_view.show(run)
else:
    run_actions.for_several(chosen)
    compare_view.show(chosen)
