"""Methods that part a graph's nodes."""
