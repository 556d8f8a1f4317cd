"""Published data sets, and their downloads."""
