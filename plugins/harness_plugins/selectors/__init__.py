"""Rules that choose a level of a profile."""
