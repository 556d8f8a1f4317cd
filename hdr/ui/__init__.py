"""Everything that knows Streamlit: widgets from declared parameters, caches, page state."""

from pathlib import Path

ASSETS = Path(__file__).parent / "assets"
"""The folder of style sheets, scripts and the icon."""
