"""Runs: everything that was trained, to be opened, compared and repeated."""

import streamlit as st

from hdr.ui.components import queue_position
from hdr.ui.results import tabs
from hdr.ui.runs import actions, comparison, table
from hdr.ui.shell import page
from hdr.ui.state import current_run, identity, resources
from hdr.ui.train import run_view

page.header("All runs", "Select a row to open it, or several to compare them.")
if identity.demo():
    st.caption("This host may lose its disk when it restarts; runs are kept until then.")

known = current_run.listed()
if known:
    queue_position.note(known)
    chosen = table.choose(known)
else:
    chosen = []
    st.caption("Nothing has been trained yet. Every training is listed here from its first second on.")
    st.page_link("pages/train.py", label="Train a model", icon=":material/model_training:")
if not chosen:
    with st.container(horizontal=True, vertical_alignment="center"):
        actions.paste()
        actions.undo_button()
elif len(chosen) == 1:
    run = resources.store().get(chosen[0].id, identity.owner())
    actions.for_one(run, known)
    run_view.show(run)
    tabs.show(run)
else:
    actions.for_several(chosen)
    comparison.show(chosen)
