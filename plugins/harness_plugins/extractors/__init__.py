"""Models that give attention maps, and sets of maps that need no images."""
