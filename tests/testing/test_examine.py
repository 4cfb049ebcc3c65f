"""Laws are tried in processes that survive what components do."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from harness.plugin.component import Component
from harness.plugin.registry import load
from harness.testing.examine import Verdict, examined
from support import PLUGINS

PATHS = (PLUGINS / "isolation.py", PLUGINS / "misbehaving.py", PLUGINS / "unruly.py")
REGISTRY = load(PATHS)


def verdicts(spec: str, kind: str = "clusterer", **limits: float) -> Sequence[Verdict]:
    components: list[Component] = REGISTRY.make(kind, spec)
    found = examined(components, REGISTRY, PATHS, **{"timeout": 30.0, "memory": 1.0, **limits})
    return [verdict for _, verdict in found]


@pytest.mark.parametrize(
    ("kind", "spec", "reason"),
    [
        ("clusterer", "exiting", "the process exited with code 0"),
        ("clusterer", "killed", "the process died of SIGSEGV"),
        ("clusterer", "ending[mode=interrupt]", "KeyboardInterrupt (isolation.py, line"),
        ("clusterer", 'greedy[mode="at once"]', "out of memory: it may take 1 GiB"),
        ("clusterer", "flooding", "it printed more than 64 MiB"),
        ("image set", "unruly-images[mode=exit]", "the process exited with code 3"),
        ("extractor", "unruly-extractor[mode=exit]", "the process exited with code 3"),
        ("control", "unruly-control[mode=exit]", "the process exited with code 3"),
        ("selector", "unruly-selector[mode=exit]", "the process exited with code 3"),
    ],
)
def test_a_component_that_ends_its_process_is_reported_and_tried_no_further(
    kind: str, spec: str, reason: str
) -> None:
    (verdict,) = verdicts(spec, kind)

    assert verdict.found.startswith(reason)
    assert verdict.advice.startswith("do not ")
    assert verdict.untried >= 4


@pytest.mark.parametrize(
    "mode",
    [
        "sleep",
        *(
            pytest.param(mode, marks=pytest.mark.slow)
            for mode in ("native", "deaf", "stopped", "children")
        ),
    ],
)
def test_a_component_that_never_ends_is_killed_and_tried_no_further(mode: str) -> None:
    (verdict,) = verdicts(f"endless[mode={mode}]", timeout=2.0)

    assert verdict.found == "not done within the time limit of 2 s"
    assert "--timeout" in verdict.advice
    assert verdict.untried == 12


@pytest.mark.parametrize(
    ("spec", "law", "found"),
    [
        ("meddling", "the process is left as it was", "the environment's variables, permissions"),
        # Their worker is replaced after every law.
        *(
            pytest.param(f"{spec}]", law, found, marks=pytest.mark.slow)
            for spec, law, found in (
                ("greedy[mode=leak", "memory is given back", "each call keeps 96 MiB"),
                ("lingering[mode=thread", "the process is left as it was", "number of threads"),
                ("lingering[mode=child", "the process is left as it was", "that it started"),
                ("lingering[mode=orphan", "the process is left as it was", "that it started"),
            )
        ),
    ],
)
def test_what_a_component_leaves_behind_is_found(spec: str, law: str, found: str) -> None:
    broken = {each.law.name: each.found for each in verdicts(spec) if not each.is_kept}

    assert found in broken[law]


def test_writing_into_a_value_is_blamed_on_its_line_and_a_copy_is_advised(tmp_path: Path) -> None:
    file = tmp_path / "writing.py"
    file.write_text(
        "from dataclasses import dataclass\n"
        "import harness\n"
        "@dataclass(frozen=True)\n"
        "class Writing(harness.Perturbation):\n"
        "    name = 'writing'\n"
        "    def draw(self, attention, *, seed):\n"
        "        attention.weights[0, 0] = 1\n"
        "@harness.hookimpl\n"
        "def harness_perturbations():\n"
        "    return [Writing]\n"
    )
    registry = load([file])
    components = registry.make("perturbation", "writing")

    found = examined(components, registry, [file], timeout=30.0, memory=1.0)

    ((_, verdict),) = found
    assert "(writing.py, line 7)" in verdict.found
    assert verdict.advice.startswith("copy what you change")


def test_results_that_depend_on_the_hash_of_a_text_are_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTHONHASHSEED", raising=False)
    file = tmp_path / "hashing.py"
    file.write_text(
        "from dataclasses import dataclass, replace\n"
        "import numpy as np\n"
        "import harness\n"
        "@dataclass(frozen=True)\n"
        "class Hashing(harness.Perturbation):\n"
        "    name = 'hashing'\n"
        "    def draw(self, attention, *, seed):\n"
        "        random = np.random.default_rng(abs(hash(f'seed {seed}')))\n"
        "        factors = random.uniform(0.9, 1.1, attention.weights.shape)\n"
        "        return replace(attention, weights=attention.weights * factors)\n"
        "@harness.hookimpl\n"
        "def harness_perturbations():\n"
        "    return [Hashing]\n"
    )
    registry = load([file])
    components = registry.make("perturbation", "hashing")

    found = [each for _, each in examined(components, registry, [file], timeout=30.0, memory=1.0)]

    assert [each.law.name for each in found if not each.is_kept] == [
        "another process gives the same"
    ]


def test_a_component_that_keeps_all_laws_has_no_advice() -> None:
    found = verdicts("permuted-rows", "control")

    assert all(each.is_kept and not each.advice for each in found)
    assert any(each.note.endswith(" s") for each in found)
