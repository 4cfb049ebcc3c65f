"""A run's results: what was found, as values that show themselves as tables and figures."""
