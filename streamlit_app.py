"""The entry: page settings, what all pages share, and the way to each page."""

from typing import Literal

import streamlit as st

from hdr.sparing import spare
from hdr.text import plain
from hdr.training.store import StoreLost
from hdr.types import HdrError
from hdr.ui import ASSETS, allocator, cards, class_view, classroom, lost_store, page, profile, session_messages, startup

allocator.settle()
session_messages.keep()
spare()
# The icon is a file of ours: Streamlit's own ones make every visitor's browser ask another host.
st.set_page_config("Handwritten digits, step by step", str(ASSETS / "icon.svg"), "wide", "collapsed")
st.html(cards.stylesheet())

PAGES = ("home", "preprocess", "features", "train", "runs", "draw", "data", "about")
problem = class_view.follow()


def shown(name: str) -> Literal["visible", "hidden"]:
    """Whether a page stands in the navigation: what a class leaves out is still there, and says so."""
    return "visible" if classroom.has(name) else "hidden"


way = st.navigation(
    [
        *(st.Page(f"pages/{n}.py", title=n.capitalize(), default=n == "home", visibility=shown(n)) for n in PAGES),
        st.Page("pages/teach.py", title="For teachers", visibility="hidden"),
    ],
    position="top",
)

page.enter()
lost_store.begin()
try:
    profile.identify()
    startup.begin()
    class_view.problem(problem)
    class_view.banner()
    if classroom.has(way.url_path or "home"):
        way.run()
    else:
        class_view.not_here()
except StoreLost as error:
    lost_store.tell(error)
except HdrError as error:
    st.error(plain(error), icon=":material/error:")
finally:
    startup.page_is_made()
