"""A report of a whole run: what it compared and found, its failures, curves, effects and images."""
