"""Figures, as pure functions of values: each returns a matplotlib Figure.

They share a style (`harness.views.figures.style`): colours that the colour-blind tell apart, text
that nothing a user names can break, and files that are the same whenever they are written again.
"""
