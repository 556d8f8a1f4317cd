"""The run store: runs, searches, commands, and the files of models."""
