"""What is timed has one thread."""

import os
import sys


def require_one_thread() -> None:
    """End the script unless OMP_NUM_THREADS is 1."""
    if os.environ.get("OMP_NUM_THREADS") != "1":
        sys.exit("set OMP_NUM_THREADS=1: threads would be timed, not the work")
