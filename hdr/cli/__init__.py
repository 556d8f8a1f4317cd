"""The commands of ``python -m hdr``, one file each. Their modules import what is slow only when they run."""
