"""What tests share: plugin files, and where the repository's own files are."""

from pathlib import Path

PLUGINS = Path(__file__).parent / "plugins"
REPOSITORY = Path(__file__).parents[2]
