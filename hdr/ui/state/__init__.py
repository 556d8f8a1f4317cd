"""Session state, and the part of it that is in the address."""
