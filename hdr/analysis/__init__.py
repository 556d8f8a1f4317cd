"""Analyses of trained models: calibration, label errors, ablation, comparison, and what a model has learned."""
