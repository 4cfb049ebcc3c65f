"""Methods that cluster a graph's nodes."""
