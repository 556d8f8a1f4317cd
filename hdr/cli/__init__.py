"""The command ``hdr``, one file for each of its parts. Their modules import what is slow only when they run."""
