"""The option `--threads` of commands that run a model."""

import argparse

from harness import HarnessError

# More than any machine has; torch breaks where it cannot start them.
MOST = 1024


def add_threads_option(parser: argparse._ActionsContainer, note: str = "") -> None:
    """Add `--threads`."""
    parser.add_argument("--threads", type=int, default=1, help=f"torch threads{note} (default 1)")


def set_threads(count: int) -> None:
    """Let torch use so many threads."""
    import torch

    if count < 1:
        raise HarnessError(f"--threads {count}: must be at least 1")
    if count > MOST:
        raise HarnessError(f"--threads {count}: must be at most {MOST}")
    torch.set_num_threads(count)
