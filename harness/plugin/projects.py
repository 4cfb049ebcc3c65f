"""Plugins in the folder of a project: those that its pyproject.toml registers."""

from pathlib import Path
from typing import Any

from harness.errors import HarnessError
from harness.toml_text import parse_toml

GROUP = "harness"


def plugin_paths(path: Path) -> list[Path]:
    """The plugins at a path: itself if it is a file or a package, else those of a project's folder.

    Raises HarnessError if the project registers none, or one that is not there.
    """
    project = path / "pyproject.toml"
    if not project.is_file() or (path / "__init__.py").is_file():
        return [path]
    try:
        document = parse_toml(project.read_text("utf-8"))
        modules = list(document["project"]["entry-points"][GROUP].values())
    except ValueError as error:
        raise HarnessError(f"{project}: it is not TOML: {error}") from error
    except (KeyError, TypeError, AttributeError):
        modules = []
    if not modules:
        raise HarnessError(f"{project}: it has no plugin under [project.entry-points.{GROUP}]")
    return [_found(path, module) for module in modules]


def _found(folder: Path, module: Any) -> Path:
    """The file or package of a module of a project."""
    name = str(module).partition(":")[0].strip()
    for root in (folder, folder / "src"):
        found = root.joinpath(*name.split("."))
        if (found / "__init__.py").is_file():
            return found
        if found.with_name(f"{found.name}.py").is_file():
            return found.with_name(f"{found.name}.py")
    raise HarnessError(f"{folder / 'pyproject.toml'}: there is no module {name} in {folder}")
