"""See how a machine reads handwritten digits, step by step."""

__version__ = "0.1.0"
