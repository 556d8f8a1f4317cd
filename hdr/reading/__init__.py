"""From a drawing or a picture to digits."""

from hdr.reading.canvas import strokes_from_canvas
from hdr.reading.images import ImageError, open_image, to_ink
from hdr.reading.reader import read_drawings, read_image, read_strokes

__all__ = [
    "ImageError",
    "open_image",
    "read_drawings",
    "read_image",
    "read_strokes",
    "strokes_from_canvas",
    "to_ink",
]
