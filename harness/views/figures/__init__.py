"""Figures, as pure functions of values: each returns a matplotlib Figure.

They share a style (`harness.views.figures.style`): colours that the colour-blind can tell apart,
text in which names are never markup, and files that are reproducible byte by byte.
"""
