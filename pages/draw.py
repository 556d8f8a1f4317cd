"""Draw: a digit, a number or a photo is read at once, and everything that leads to the answer is there to be seen."""

from hdr.ui.draw import digit_board, mode, number_board, photo_board, share_link
from hdr.ui.shell import page

page.header("Draw a digit")
share_link.follow()
BOARDS = {mode.DIGIT: digit_board.board, mode.NUMBER: number_board.board, mode.PHOTO: photo_board.board}
BOARDS[mode.choose()]()
