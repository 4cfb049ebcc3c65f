"""Small changes of a map that clusters should survive."""
