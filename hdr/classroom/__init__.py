"""Assignments that a teacher sets for a class, and the links that carry them."""
