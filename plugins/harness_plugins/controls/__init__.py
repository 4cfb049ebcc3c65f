"""Controls: noise and null models to compare images and maps with."""
