"""Code around every page: the page frame, server startup, and outages of the store."""
