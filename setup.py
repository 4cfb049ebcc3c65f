"""Records the commit that a distribution is built from; everything else is in pyproject.toml."""

import json
import subprocess
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py
from setuptools.command.sdist import sdist

ROOT = Path(__file__).parent
# As `harness.engine.environment.source` reads it. A clone has no such file: git knows more.
RECORD = Path("harness") / "source.json"


def record(target: Path) -> None:
    """Write the commit, and whether there are changes, below the folder that is distributed.

    An unpacked source distribution has a record already, which is copied with the package.
    """

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(ROOT), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()

    try:
        # Another repository around an unpacked source distribution is not its source.
        git("ls-files", "--error-unmatch", Path(__file__).name)
        commit = git("rev-parse", "HEAD")
        dirty = bool(git("status", "--porcelain", "--untracked-files=no"))
    except (OSError, subprocess.CalledProcessError):
        return
    # A hard link, which setuptools may make, must not be written through.
    (target / RECORD).unlink(missing_ok=True)
    (target / RECORD).write_text(json.dumps({"commit": commit, "dirty": dirty}) + "\n")


class BuildPy(build_py):
    """Builds the package, unless it is installed from where it lies."""

    def run(self) -> None:
        """Copy the modules and write the record."""
        super().run()
        if not self.editable_mode:
            record(Path(self.build_lib))


class SourceDistribution(sdist):
    """Collects the sources."""

    def make_release_tree(self, base_dir: str, files: list[str]) -> None:
        """Copy the files and write the record."""
        super().make_release_tree(base_dir, files)
        record(Path(base_dir))


setup(cmdclass={"build_py": BuildPy, "sdist": SourceDistribution})
