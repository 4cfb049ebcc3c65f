"""Builders that turn an attention map into a family of graphs."""
