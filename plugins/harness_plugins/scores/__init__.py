"""Figures of the clusters of a graph."""
