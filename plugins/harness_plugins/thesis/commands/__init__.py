"""The commands `train`, `evaluate` and `reproduce`."""
