"""Packages that a component or a command needs besides those that the harness installs."""

import importlib.util
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from harness.errors import HarnessError

T = TypeVar("T")


@dataclass(frozen=True)
class Requirement:
    """Packages that a component needs besides those that the harness installs.

    A component names them in its class variable `requires`. If one is missing, a run with the
    component is refused before it begins, and `harness plugins` shows how to install it.

    Parameters
    ----------
    install : str
        What `pip install` takes: extras of a package, or a package.
    modules : tuple of str
        The top-level modules that must exist. They are searched for, not imported.
    otherwise : str
        What helps besides installing them, or "".

    Examples
    --------
    >>> harness.Requirement("my-package[fast]", ("no_such_module",)).check("my-method")
    Traceback (most recent call last):
    ...
    harness.plugin.requirement.MissingPackagesError: my-method needs the package no_such_module, \
which is not installed: pip install 'my-package[fast]'
    """

    install: str
    modules: tuple[str, ...]
    otherwise: str = ""

    def missing(self) -> Sequence[str]:
        """Return the modules that are not installed."""
        return [name for name in self.modules if importlib.util.find_spec(name) is None]

    def command(self) -> str:
        """Return the command that installs the packages."""
        return install_command([self])

    def check(self, user: str) -> None:
        """Raise an error with the command that installs them, if packages are missing.

        Parameters
        ----------
        user
            What needs them: a component, a command or an option.

        Raises
        ------
        HarnessError
            If packages are missing.
        """
        if self.missing():
            raise MissingPackagesError({user: self})


class MissingPackagesError(HarnessError):
    """Packages are not installed.

    needed: the requirement of each component, command or option that needs one.
    """

    def __init__(self, needed: Mapping[str, Requirement]) -> None:
        self.needed = needed
        missing = {user: requirement.missing() for user, requirement in needed.items()}
        users = [
            f"{user} needs the package{'s' if len(names) > 1 else ''} {_listed(names)}"
            for user, names in missing.items()
        ]
        verb = "is" if sum(map(len, missing.values())) == 1 else "are"
        advice = [install_command(needed.values()), *(each.otherwise for each in needed.values())]
        super().__init__(
            f"{_listed(users)}, which {verb} not installed: {'; '.join(filter(None, advice))}"
        )


def _listed(words: Sequence[str]) -> str:
    """Words as a sentence lists them: `a, b and c`."""
    *first, last = words
    return f"{', '.join(first)} and {last}" if first else last


def install_command(requirements: Iterable[Requirement]) -> str:
    """Return the one command that installs all of them.

    >>> install_command([Requirement("one[a]", ()), Requirement("one[b]", ())])
    "pip install 'one[a,b]'"
    """
    extras: dict[str, dict[str, None]] = {}
    for requirement in requirements:
        package, bracket, named = requirement.install.partition("[")
        known = extras.setdefault(package, {})
        if bracket:
            known.update(dict.fromkeys(named.removesuffix("]").split(",")))
    words = (f"{name}[{','.join(known)}]" if known else name for name, known in extras.items())
    return shlex.join(["pip", "install", *words])


def gather(calls: Iterable[Callable[[], T]]) -> list[T]:
    """Return what each call returns; the packages that several of them miss are one error."""
    found: list[T] = []
    needed: dict[str, Requirement] = {}
    for call in calls:
        try:
            found.append(call())
        except MissingPackagesError as error:
            needed |= error.needed
    if needed:
        raise MissingPackagesError(needed)
    return found


# What parts of the core need that few runs use.
DASK = Requirement("attention-harness[dask]", ("distributed",))
FIGURES = Requirement("attention-harness[figures]", ("matplotlib",))
NETWORKX = Requirement("attention-harness[networkx]", ("networkx",))
"""The requirement of components that call `Graph.to_networkx`."""

PARQUET = Requirement("attention-harness[parquet]", ("pyarrow",), "or choose --format csv")
SHELL = Requirement("attention-harness[shell]", ("shtab",))
SLURM = Requirement("attention-harness[slurm]", ("submitit",))
