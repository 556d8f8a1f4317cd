"""Optional measures that keep the server's memory low."""
