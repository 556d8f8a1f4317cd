"""Parts of the Preprocess page."""
