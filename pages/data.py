"""Data: built-in data sets and uploads."""

import streamlit as st

from hdr.ui.data import page as data_page
from hdr.ui.shell import page as page_frame

page_frame.header("Data to learn from", "Bring digits of your own, or look at what is here.")

st.subheader("Your own digits", anchor=False)
data_page.upload_form()
st.subheader("Here now", anchor=False)
data_page.dataset_list()
data_page.downloadable()
