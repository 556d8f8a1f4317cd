"""Pictures and plots, one per file: made from plain values, knowing no screen."""
