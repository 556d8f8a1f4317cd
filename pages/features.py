"""Features: the inputs of the classifier, for one digit and over many."""

import streamlit as st

from hdr.sanitize import escape_markdown
from hdr.ui.components.tabs import lazy_tabs
from hdr.ui.features import class_separability, extractor_gallery, pca, scatter
from hdr.ui.shell import page

page.header("What is measured in a digit")
if problem := extractor_gallery.follow_address():
    st.warning(escape_markdown(problem), icon=":material/link_off:")
start, digit, pipeline = extractor_gallery.choose_digit()
extractor_gallery.gallery(digit)
extractor_gallery.large(digit)

step = extractor_gallery.chosen()
sections = {
    "Over many digits": lambda: scatter.scatter(start.dataset, pipeline, (step,)),
    "Which features tell digits apart": lambda: class_separability.section(start.dataset, pipeline, (step,)),
    "Principal components": lambda: pca.section(start.dataset, pipeline, digit),
}
lazy_tabs(sections, "many")
