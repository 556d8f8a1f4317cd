"""Data: what there is to learn from, and digits of one's own."""

import streamlit as st

from hdr.ui import data_view, page

page.begin("Data to learn from", "Bring digits of your own, or look at what is here.")

st.subheader("Your own digits", anchor=False)
data_view.bring()
st.subheader("Here now", anchor=False)
data_view.shelf()
data_view.more()
