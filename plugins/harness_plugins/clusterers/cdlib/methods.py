"""What CDlib's algorithms take, read from its source.

CDlib takes seconds to import, and prints meanwhile; its source says as much in milliseconds, so a
run can be refused before it begins.
"""

import ast
import importlib.util
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from harness import HarnessError, Requirement

EXTRA = "attention-harness[cdlib]"
CDLIB = Requirement(EXTRA, ("cdlib", "networkx"))
# What the extra brings beside CDlib and its own requirements.
BROUGHT = ("igraph", "leidenalg", "wurlitzer")
CRISP = "crisp_partition.py"
# What the algorithms of other modules find.
OTHERS = {
    "overlapping_partition.py": "communities that overlap",
    "attribute_clustering.py": "communities of nodes with attributes",
    "bipartite_clustering.py": "communities of bipartite graphs",
    "edge_clustering.py": "communities of edges",
    "temporal_partition.py": "communities that change with time",
}
WEIGHTS = ("weight", "weights")
SEEDS = ("seed", "random_seed", "randomize")
# A method that needs a node to start from finds the community of that node alone.
QUERY = "query_node"
# The table in the docstring of every algorithm: undirected, directed, weighted.
TABLE = re.compile(r"Undirected +Directed +Weighted[^\n]*\n[= ]+\n([^\n]+)")


@dataclass(frozen=True)
class Method:
    """One of CDlib's crisp algorithms.

    arguments: the annotation of each argument beside the graph, in order; required: those
    without a default; takes_directions, takes_weights: whether it uses what a graph has of these;
    packages: all that must be importable.
    """

    name: str
    arguments: Mapping[str, str]
    required: tuple[str, ...]
    takes_directions: bool
    takes_weights: bool
    packages: tuple[str, ...]


def method_of(name: str) -> Method:
    """Return the method of that name.

    Raises HarnessError if CDlib or a package that the method needs is missing, and for a method
    that is unknown or finds no partition of the nodes.
    """
    folder = _folder()
    crisp = _crisp(folder)
    if name not in crisp:
        raise HarnessError(f"cdlib: {_why_not(folder, name, crisp)}")
    packages = crisp[name].packages
    Requirement(EXTRA, tuple(each for each in packages if each in BROUGHT)).check(f"cdlib: {name}")
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise HarnessError(
                f"cdlib: {name} needs the package {package}, which is not installed; the extra "
                "cdlib does not bring it"
            )
    return crisp[name]


def _folder() -> Path:
    """The folder of CDlib's algorithms; the package is not imported."""
    found = importlib.util.find_spec("cdlib")
    assert found is not None
    assert found.submodule_search_locations
    return Path(found.submodule_search_locations[0], "algorithms")


def _why_not(folder: Path, name: str, crisp: Mapping[str, Method]) -> str:
    from harness.command import did_you_mean

    if name in _exported(_tree(folder / CRISP)):
        return f"{name} finds the community of one node, not one for each"
    for file, what in OTHERS.items():
        if name in _exported(_tree(folder / file)):
            return f"{name} finds {what}, not one community for each node"
    known = did_you_mean(name, crisp) or f"; there are {', '.join(crisp)}"
    return f"there is no method {name!r}{known}"


@lru_cache
def _crisp(folder: Path) -> Mapping[str, Method]:
    """The methods that find a partition of the nodes, by name."""
    tree = _tree(folder / CRISP)
    functions = {each.name: each for each in tree.body if isinstance(each, ast.FunctionDef)}
    # `label_propagation = label_propagation_raghavan`
    for each in tree.body:
        if isinstance(each, ast.Assign) and isinstance(each.value, ast.Name):
            functions |= {ast.unparse(name): functions[each.value.id] for name in each.targets}
    packages = dict(_optional_packages(tree))
    methods = [_method(name, functions[name], packages) for name in _exported(tree)]
    return {method.name: method for method in methods if QUERY not in method.required}


def _tree(file: Path) -> ast.Module:
    try:
        return ast.parse(file.read_bytes())
    except (OSError, SyntaxError) as error:
        raise HarnessError(f"cdlib: {file} cannot be read: {error}") from error


def _exported(tree: ast.Module) -> list[str]:
    """The names in a module's __all__."""
    for each in tree.body:
        if isinstance(each, ast.Assign) and ast.unparse(each.targets[0]) == "__all__":
            return list(ast.literal_eval(each.value))
    return []


def _optional_packages(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """The name and the package of whatever a module imports if it is there."""
    for attempt in tree.body:
        for each in attempt.body if isinstance(attempt, ast.Try) else ():
            if isinstance(each, ast.Import | ast.ImportFrom):
                for alias in each.names:
                    module = each.module if isinstance(each, ast.ImportFrom) else alias.name
                    yield alias.asname or alias.name, str(module).partition(".")[0]


def _method(name: str, function: ast.FunctionDef, packages: Mapping[str, str]) -> Method:
    given, *arguments = function.args.args
    undefaulted = len(arguments) - len(function.args.defaults)
    used = {each.id for each in ast.walk(function) if isinstance(each, ast.Name)}
    row = TABLE.search(ast.get_docstring(function) or "")
    _, directed, weighted = re.findall("Yes|No", row[1])[:3] if row else ("Yes", "No", "No")
    annotations = {each.arg: ast.unparse(each.annotation or given) for each in arguments}
    return Method(
        name,
        annotations,
        tuple(annotations)[:undefaulted],
        takes_directions=directed == "Yes",
        takes_weights=weighted == "Yes" or not annotations.keys().isdisjoint(WEIGHTS),
        packages=tuple(sorted({packages[each] for each in used & packages.keys()})),
    )
