"""Metrics of partitions and statistical tests of them, the same for every method."""
