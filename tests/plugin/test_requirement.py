import importlib.metadata
import re
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pytest

import harness
from harness.plugin import registry, requirement
from harness.plugin.commands import find_commands
from harness.plugin.requirement import MissingPackagesError, Requirement, gather, install_command
from harness_plugins.clusterers.sdp import reference
from harness_plugins.datasets.download import DATA
from support.extras import EXTRAS, packages

Without = Callable[..., None]

KNOWN = registry.load()
COMPONENTS = {
    f"{kind} {name}": component
    for kind, named in KNOWN.components.items()
    for name, ((component, _),) in named.items()
    if component.requires
}
REQUIREMENTS: dict[str, Requirement] = {
    **{name: component.requires for name, component in COMPONENTS.items() if component.requires},
    **{
        name: command.REQUIRES
        for name, command in find_commands({}).items()
        if hasattr(command, "REQUIRES")
    },
    **{name: value for name, value in vars(requirement).items() if isinstance(value, Requirement)},
    "data fetch": DATA,
    "solve_reference": reference.CVXPY,
}
# Specs of components that cannot be made without parameters.
SPECS = {
    "cdlib": "cdlib[method=em]",
    "hf": "hf[model=m]",
    "parquet": "parquet[path=p]",
    "timm": "timm[model=m]",
    "torch": "torch[factory=m:f]",
}


def test_packages_that_are_there_are_not_missing() -> None:
    Requirement("my-package[fast]", ("numpy", "scipy")).check("mine")


@pytest.mark.parametrize(
    ("modules", "message"),
    [
        (("numpy", "nowhere"), "mine needs the package nowhere, which is not installed: "),
        (
            ("nowhere", "here", "there"),
            "mine needs the packages nowhere, here and there, which are not installed: ",
        ),
    ],
)
def test_what_is_missing_is_named_with_the_command_that_installs_it(
    modules: tuple[str, ...], message: str
) -> None:
    with pytest.raises(harness.HarnessError) as raised:
        Requirement("my-package[fast]", modules, "or do without").check("mine")

    assert str(raised.value) == f"{message}pip install 'my-package[fast]'; or do without"


def test_one_command_installs_several_requirements() -> None:
    wanted = [("one[a,b]", ()), ("two", ()), ("one[b,c]", ()), ("three>=2", ())]

    command = install_command(Requirement(*each) for each in wanted)

    assert command == "pip install 'one[a,b,c]' two 'three>=2'"


def test_all_that_several_calls_miss_is_one_error() -> None:
    first, second = (Requirement(f"one[{name}]", (name,)) for name in ("nowhere", "neither"))

    with pytest.raises(MissingPackagesError) as raised:
        gather([partial(first.check, "x"), list, partial(second.check, "y")])

    assert str(raised.value) == (
        "x needs the package nowhere and y needs the package neither, which are not installed: "
        "pip install 'one[nowhere,neither]'"
    )


def test_another_error_is_not_hidden_by_what_is_missing() -> None:
    def wrong() -> None:
        raise harness.HarnessError("wrong")

    with pytest.raises(harness.HarnessError, match=r"^wrong$"):
        gather([partial(Requirement("one", ("nowhere",)).check, "x"), wrong])


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_without_its_packages_is_not_made(name: str, without: Without) -> None:
    component: Any = COMPONENTS[name]
    without(*component.requires.modules)

    with pytest.raises(harness.HarnessError, match=f"^{component.name} needs the package") as error:
        harness.make(component.kind, SPECS.get(component.name, component.name))

    assert component.requires.command() in str(error.value)


@pytest.mark.parametrize("method", ["hdbscan-sklearn", "kmeans", "dbscan"])
def test_sdp_needs_hdbscan_only_to_cluster_by_it(method: str, without: Without) -> None:
    without("hdbscan")

    assert harness.make("clusterer", f"sdp[clusterer={method}]").clusterer == method
    with pytest.raises(harness.HarnessError, match=r"pip install 'attention-harness\[sdp\]'"):
        harness.make("clusterer", "sdp")


@pytest.fixture(scope="module")
def distributions() -> Mapping[str, list[str]]:
    """The installed distributions by the modules that they bring."""
    return importlib.metadata.packages_distributions()


@pytest.mark.parametrize("name", REQUIREMENTS)
def test_what_a_requirement_installs_has_its_modules(
    name: str, distributions: Mapping[str, list[str]]
) -> None:
    wanted = REQUIREMENTS[name]
    if "[" in wanted.install:
        (extras,) = re.findall(r"^attention-harness\[(.*)\]$", wanted.install)
        installed = set().union(*map(packages, extras.split(",")))
    else:
        installed = {re.split(r"[<>=]", wanted.install)[0]}

    # CDlib itself requires networkx.
    assert {
        package for module in wanted.modules for package in distributions.get(module, [module])
    } <= installed | ({"networkx"} if "cdlib" in installed else set())


def test_the_extra_all_installs_every_other_but_those_of_developers() -> None:
    others = EXTRAS.keys() - {"all", "test", "docs", "development"}

    assert packages("all") == set().union(*map(packages, others))


def test_a_graph_without_networkx_says_how_to_install_it(without: Without) -> None:
    without("networkx")

    with pytest.raises(harness.HarnessError, match=r"pip install 'attention-harness\[networkx\]'"):
        harness.Graph.from_weights([[0, 1], [1, 0]]).to_networkx()
