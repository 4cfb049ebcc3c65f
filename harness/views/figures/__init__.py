"""Figures, as pure functions of values: each returns a matplotlib Figure in the shared style."""
