"""Draw: a digit is drawn and read at once, and everything that leads to the answer is there to be seen."""

from hdr.ui import draw_share, page, reading_view

page.begin("Draw a digit")
draw_share.follow()
reading_view.board()
