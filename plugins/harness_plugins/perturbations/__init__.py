"""Small changes of a map that real clusters should survive."""
