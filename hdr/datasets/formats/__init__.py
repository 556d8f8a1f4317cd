"""The formats of digits: IDX, NPZ, CSV, and the frame that every picture is brought to."""
