"""Feature extractors, one file per family: uint8 (n, h, w) in, float32 (n, d) out, for pictures from 1x1 to 64x64.

Every registration holds two facts besides: `columns(shape, **params)` gives names of the d columns for people, and
`draw(image, **params)` one to four pictures of what the extractor looks at in one digit. Pages call them through
`hdr.features.extract`. Names say where things are by x and y from the top left: pixels, rows and columns from 0, cells
and zones from 1. Angles begin to the right and run clockwise, as y runs down, unless the extractor says otherwise.
"""

from hdr.catalogue import discover

discover(__name__, __path__)
