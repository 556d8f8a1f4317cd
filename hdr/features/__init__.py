"""Feature extractors, one file per family: uint8 (n, 28, 28) in, float32 (n, d) out."""

from hdr.catalogue import discover

discover(__name__, __path__)
