"""Features: what a digit is turned into before it is classified, on one digit and over many."""

from hdr.ui import feature_view, page

page.begin("What is measured in a digit")
start, digit, pipeline = feature_view.choose_digit()
feature_view.gallery(digit)
feature_view.large(digit)
