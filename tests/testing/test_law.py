"""Laws, and the hostile components that they catch."""

import re

import pytest

import harness
from harness.errors import reason_of
from harness.plugin.component import Component
from harness.plugin.registry import HOOKS
from harness.testing import BrokenLawError, Law, laws_of
from support import PLUGINS

# By plugin and spec: the law that catches it, and what it is found to do.
CAUGHT = {
    ("unruly", "image set", "unruly-images[mode=empty]"): ("images have names", "no keys"),
    ("unruly", "image set", "unruly-images[mode=twice]"): ("images have names", "'a' twice"),
    ("unruly", "image set", "unruly-images[mode=numbers]"): ("images have names", "not a string"),
    ("unruly", "image set", "unruly-images[mode=escape]"): ("images have names", "no pixels"),
    ("unruly", "image set", "unruly-images[mode=surrogate]"): ("images have names", "UTF-8"),
    ("unruly", "image set", "unruly-images[mode=text]"): ("images have names", "a str"),
    ("unruly", "image set", 'unruly-images[mode="none"]'): ("images have names", "None"),
    ("unruly", "image set", "unruly-images[mode=label]"): ("images have names", "64 bits"),
    ("unruly", "extractor", "unruly-extractor[mode=heads]"): ("every image", "each head once"),
    ("unruly", "extractor", "unruly-extractor[mode=few]"): ("every image", "1 of 2 maps"),
    ("unruly", "extractor", "unruly-extractor[mode=many]"): ("every image", "head 1 twice"),
    ("unruly", "extractor", "unruly-extractor[mode=array]"): ("every image", "a ndarray"),
    ("unruly", "extractor", "unruly-extractor[mode=other]"): ("every image", "not given"),
    ("unruly", "extractor", "unruly-extractor[mode=variant]"): ("every image", "variant"),
    ("unruly", "control", 'unruly-control[mode="none"]'): ("a draw has the shape", "None"),
    ("unruly", "control", "unruly-control[mode=size]"): ("a draw has the shape", r"\(2, 2, 1\)"),
    ("unruly", "graph builder", "unruly-graphs[mode=falling]"): ("every level", "increasing"),
    ("unruly", "graph builder", "unruly-graphs[mode=nan]"): ("every level", "increasing"),
    ("unruly", "graph builder", 'unruly-graphs[mode="none"]'): ("every level", "None"),
    ("unruly", "graph builder", "unruly-graphs[mode=smaller]"): ("every level", "8 nodes"),
    ("unruly", "graph builder", "unruly-graphs[mode=few]"): ("every level", "nodes"),
    ("unruly", "graph builder", "unruly-graphs[mode=many]"): ("every level", "nodes"),
    ("unruly", "clusterer", "unruly-clusterer[mode=surrogate]"): ("every node", "bad name"),
    ("unruly", "clusterer", "unruly-clusterer[mode=list]"): ("every node", "a list"),
    ("unruly", "clusterer", "unruly-clusterer[mode=gap]"): ("every node", "'wide'"),
    ("unruly", "selector", 'unruly-selector[mode="none"]'): ("a level of", "None"),
    ("unruly", "selector", "unruly-selector[mode=beyond]"): ("a level of", "level 10 of"),
    ("unruly", "selector", "unruly-selector[mode=plateau]"): ("a level of", "plateau"),
    ("unruly", "selector", "unruly-selector[mode=always]"): ("a flat profile", "why not"),
    ("misbehaving", "clusterer", "raising"): ("every node", "RuntimeError"),
    ("misbehaving", "clusterer", "fractional"): ("every node", "integers, not float64"),
    ("misbehaving", "clusterer", "printing"): ("nothing is printed", "chatter"),
    ("isolation", "clusterer", "wrong[mode=short]"): ("every node", r"\(79,\)"),
    ("isolation", "clusterer", "wrong[mode=nan]"): ("every node", "float64"),
    ("isolation", "clusterer", "wrong[mode=objects]"): ("every node", "object"),
    ("isolation", "clusterer", "wrong[mode=below]"): ("every node", "has -2"),
    ("isolation", "clusterer", "wrong[mode=list]"): ("every node", "not list"),
    ("isolation", "clusterer", 'wrong[mode="none"]'): ("every node", "NoneType"),
    ("isolation", "clusterer", "wrong[mode=weights]"): ("every node", "writes into"),
    ("isolation", "clusterer", 'wrong[mode="forced weights"]'): ("every node", "changed the graph"),
    ("isolation", "clusterer", 'wrong[mode="other weights"]'): ("every node", "changed the graph"),
    ("isolation", "clusterer", 'wrong[mode="fewer edges"]'): ("every node", "changed the graph"),
    ("isolation", "clusterer", "hard-to-tell[mode=unspeakable]"): ("every node", "cannot be read"),
    ("isolation", "clusterer", "hard-to-tell[mode=deep]"): ("every node", "RecursionError"),
    ("isolation", "clusterer", "ending[mode=exit]"): ("every node", "SystemExit"),
    ("choosy", "clusterer", "choosy[refused=1]"): ("small and regular", "of one node fails"),
    ("choosy", "extractor", "broken-model"): ("every image", "damaged"),
    ("choosy", "extractor", "broken-model[loads=true]"): ("every image", "is nan"),
    ("scoring", "score", "raising"): ("clear clusters have", "first line second line"),
    ("scoring", "score", "textual"): ("clear clusters have", "a str, not a number"),
    ("scoring", "score", "infinite"): ("clear clusters have", "not finite"),
    ("scoring", "score", "beyond"): ("clear clusters have", "not in its range"),
    ("scoring", "score", "altering"): ("clear clusters have", "changed the graph"),
    ("slow", "clusterer", "untidy"): ("the process", "files of the working folder"),
}


def broken_laws(component: Component) -> dict[str, str]:
    """What each broken law found; as `harness check` does, not beyond a broken first one."""
    found: dict[str, str] = {}
    for index, law in enumerate(laws_of(component)):
        try:
            law(component)
        except (Exception, SystemExit) as error:
            found[law.name] = reason_of(error)
            if not index:
                break
    return found


@pytest.mark.parametrize(("plugin", "kind", "spec"), CAUGHT, ids=lambda word: word)
def test_a_hostile_component_is_caught_by_name(plugin: str, kind: str, spec: str) -> None:
    law, does = CAUGHT[plugin, kind, spec]

    found = broken_laws(harness.make(kind, spec, [PLUGINS / f"{plugin}.py"]))

    assert any(name.startswith(law) and re.search(does, found[name]) for name in found), found


@pytest.mark.parametrize("base", [base for bases in HOOKS.values() for base in bases])
def test_every_kind_has_laws_with_different_names_and_advice(base: type[Component]) -> None:
    laws = laws_of(base)

    assert len({law.name for law in laws}) == len(laws) >= 3
    assert all(law.advice for law in laws)


def test_a_law_that_is_broken_says_what_was_found() -> None:
    (law,) = [each for each in laws_of(harness.Clusterer) if each.name.startswith("isolated")]

    with pytest.raises(BrokenLawError, match="isolated node 40 is in a cluster with 22 other"):
        law(harness.make("clusterer", "printing", [PLUGINS / "misbehaving.py"]))


def test_a_law_that_measures_notes_it() -> None:
    measured: list[Law] = [law for law in laws_of(harness.Perturbation) if "196" in law.name]

    assert re.fullmatch(r"[\d.e-]+ s", measured[0](harness.make("perturbation", "seeds")))
