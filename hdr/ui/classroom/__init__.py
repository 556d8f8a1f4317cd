"""Assignments: the page where a teacher creates one, and the banner that pupils see."""
