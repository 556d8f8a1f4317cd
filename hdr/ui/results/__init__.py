"""The result of a finished run, tab by tab."""
