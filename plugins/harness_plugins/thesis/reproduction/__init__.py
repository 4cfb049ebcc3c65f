"""The thesis' tables and figures again: one module a group of exhibits.

`exhibits.py` lists them, `study.py` holds what they are made from,
`report.py` writes what was made.
"""
