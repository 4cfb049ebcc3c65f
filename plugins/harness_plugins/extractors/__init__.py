"""Extractors of attention maps from models, and sets of maps that need no images."""
