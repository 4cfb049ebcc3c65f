"""How partitions are scored; every method is scored here, and alike."""

from harness.metrics.modularity import modularity

__all__ = ["modularity"]
