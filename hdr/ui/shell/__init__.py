"""What surrounds every page: its frame, the start of the server, and outages of the store."""
