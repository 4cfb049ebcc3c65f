"""Data sets that the harness knows by name, and how their files are read."""
