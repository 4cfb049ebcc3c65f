"""`python -m harness`: the command, without making the working folder importable."""

import sys

if __name__ == "__main__":
    # `python -m` puts the working folder first on the path; nothing in it is ours to import.
    if not sys.flags.safe_path:
        del sys.path[0]
    from harness.cli.main import main

    sys.exit(main())
