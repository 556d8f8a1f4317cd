"""Draw: a digit, a number or a photo is read at once, and everything that leads to the answer is there to be seen."""

from hdr.ui import draw_mode, draw_share, number_view, page, photo_view, reading_view

page.begin("Draw a digit")
draw_share.follow()
BOARDS = {draw_mode.DIGIT: reading_view.board, draw_mode.NUMBER: number_view.board, draw_mode.PHOTO: photo_view.board}
BOARDS[draw_mode.choose()]()
