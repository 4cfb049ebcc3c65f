"""Sets of images to look at."""
