"""From a drawing or a picture to digits."""

from hdr.images import ImageError, open_image
from hdr.reading.canvas import strokes_from_canvas
from hdr.reading.ink import to_ink
from hdr.reading.page import read_page
from hdr.reading.reader import read_drawings, read_image, read_strokes
from hdr.reading.strokes_parting import read_number, read_numbers

__all__ = [
    "ImageError",
    "open_image",
    "read_drawings",
    "read_image",
    "read_number",
    "read_numbers",
    "read_page",
    "read_strokes",
    "strokes_from_canvas",
    "to_ink",
]
