"""Checks of parameters that clusterers share."""

import math

import harness


def check_resolution(clusterer: str, resolution: float) -> None:
    """Raises HarnessError unless the γ of modularity is a positive number."""
    if not (math.isfinite(resolution) and resolution > 0):
        raise harness.HarnessError(
            f"{clusterer}: resolution must be a positive number, not {resolution}"
        )


def check_at_least(clusterer: str, parameter: str, value: int | None, least: int) -> None:
    """Raises HarnessError if a number that is given is below the least that makes sense."""
    if value is not None and value < least:
        raise harness.HarnessError(
            f"{clusterer}: {parameter} must be at least {least}, not {value}"
        )
