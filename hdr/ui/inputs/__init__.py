"""Where a page's image comes from: a data set, a photo, the clipboard or the canvas."""
