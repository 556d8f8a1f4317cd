"""Analyses of trained models: calibration, label errors, ablation, comparison, and model internals."""
