"""Plugin files that a run remembers, so that later commands on it load them again."""

import os
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

from harness.errors import setting_name
from harness.plugin.installed import OBJECT, Broken, Source
from harness.plugin.projects import plugin_paths


def recorded(paths: Iterable[Path]) -> list[dict[str, str]]:
    """The absolute path and digest of each plugin file or package folder, as JSON-able values."""
    plugins = (each for path in paths for each in plugin_paths(path))
    absolute = dict.fromkeys(map(os.path.abspath, plugins))
    return [{"path": path, "digest": digest_of(Path(path))} for path in absolute]


def digest_of(path: Path) -> str:
    """The SHA-256 of a plugin's file, or of all Python files of its folder; "" if there is none."""
    digest = sha256()
    sources = sorted(filter(Path.is_file, path.rglob("*.py") if path.is_dir() else [path]))
    for file in sources:
        digest.update(f"{file.relative_to(path)} ".encode(errors="surrogateescape"))
        digest.update(sha256(file.read_bytes()).digest())
    return digest.hexdigest() if sources else ""


def recalled(
    folder: Path, sessions: Iterable[Mapping[str, Any]], given: Sequence[Path]
) -> tuple[tuple[Path, ...], list[Broken]]:
    """The plugins of a run's sessions that are as they were, and given ones; and all others.

    A given plugin stands for the recorded one of its name. One in the run's own folder may have
    come with it from somebody else, so it has to be given.
    """
    own, sessions = folder.resolve(), list(sessions)
    latest = {each["path"]: each["digest"] for one in sessions for each in one.get("plugins", ())}
    unusable, found, option = [], [], setting_name("plugins")
    for path, digest in latest.items():
        name = Path(path).stem
        if name in {each.stem for each in given}:
            continue
        now = digest_of(Path(path))
        if not now:
            reason = f"it is no longer there; {option} takes it from another place"
        elif now != digest:
            reason = f"it has changed since the run; {option} {path} takes it as it is now"
        elif Path(path).resolve().is_relative_to(own):
            reason = f"it lies in the run's own folder; {option} {path} takes it"
        else:
            found.append(Path(path))
            continue
        unusable.append(Broken(name, Source("", "", path), reason))
    return (*found, *given), [*unusable, *_objects(sessions)]


def _objects(sessions: Iterable[Mapping[str, Any]]) -> list[Broken]:
    """What callers in Python gave as objects, which nothing can load again."""
    named = (names for one in sessions for names in one.get("objects", {}).values())
    reason = "in this run it is an object in Python, which only the same call of harness.run has"
    return [
        Broken(name, OBJECT, reason, is_object=True)
        for name in sorted({name for names in named for name in names})
    ]
