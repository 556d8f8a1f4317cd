"""Figures of a hyperparameter search."""
