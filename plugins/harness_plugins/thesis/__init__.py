"""The thesis: its one-layer model, its tables and figures, and the commands that make them."""
