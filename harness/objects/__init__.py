"""What callers in Python give instead of specs: arrays, functions, estimators, components."""
