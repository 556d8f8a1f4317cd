"""Hyperparameter search: its space, sampler and objective."""
