"""Data sets that users upload."""
