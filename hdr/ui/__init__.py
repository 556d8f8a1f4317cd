"""Everything that knows Streamlit: widgets from declared parameters, caches, page state."""
