"""Reads a finished run: rankings, comparisons, layers, images, foreground, ablation."""
