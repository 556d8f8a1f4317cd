"""Widgets and displays that several pages share."""
