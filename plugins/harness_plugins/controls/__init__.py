"""Noise to compare images and maps with."""
