"""Training: what a run is, fitting and evaluating it, its own process, and the store that remembers it."""
