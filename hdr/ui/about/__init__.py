"""Parts of the About page."""
