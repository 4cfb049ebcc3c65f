"""The command, as `harness` or `python -m harness`; no file in the working folder is imported."""

import sys

from harness.working_folder import leave


def main() -> int:
    """Run the command; returns the exit code."""
    leave(is_module=__name__ == "__main__")
    from harness.cli.main import main as run

    return run()


if __name__ == "__main__":
    sys.exit(main())
