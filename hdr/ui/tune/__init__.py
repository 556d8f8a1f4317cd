"""Parts of the Train page's search mode."""
