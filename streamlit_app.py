"""The entry: page settings, what all pages share, and the way to each page."""

from typing import Literal

import streamlit as st

from hdr.memory import allocator
from hdr.memory.lazy_imports import install_import_hooks
from hdr.sanitize import escape_markdown
from hdr.store.runs import StoreLostError
from hdr.types import HdrError
from hdr.ui import ASSETS
from hdr.ui.classroom import banner
from hdr.ui.components import cards
from hdr.ui.shell import page, session_messages, startup, store_outage
from hdr.ui.state import assignment_state, identity

allocator.configure_malloc()
session_messages.keep()
install_import_hooks()
# The icon is a file of ours: Streamlit's own ones make every visitor's browser ask another host.
st.set_page_config("Handwritten digits, step by step", str(ASSETS / "icon.svg"), "wide", "collapsed")
st.html(cards.stylesheet())

PAGES = ("home", "preprocess", "features", "train", "runs", "draw", "data", "about")
problem = banner.follow()


def shown(name: str) -> Literal["visible", "hidden"]:
    """Whether a page stands in the navigation: what a class leaves out is still there, and says so."""
    return "visible" if assignment_state.page_enabled(name) else "hidden"


way = st.navigation(
    [
        *(st.Page(f"pages/{n}.py", title=n.capitalize(), default=n == "home", visibility=shown(n)) for n in PAGES),
        st.Page("pages/teach.py", title="For teachers", visibility="hidden"),
    ],
    position="top",
)

page.mark_entered()
store_outage.reset()
try:
    identity.identify()
    startup.start()
    banner.show_error(problem)
    banner.banner()
    if assignment_state.page_enabled(way.url_path or "home"):
        way.run()
    else:
        banner.unavailable_notice()
except StoreLostError as error:
    store_outage.show_outage(error)
except HdrError as error:
    st.error(escape_markdown(error), icon=":material/error:")
finally:
    startup.mark_page_rendered()
