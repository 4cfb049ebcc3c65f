from pathlib import Path

import numpy as np
import pytest

import harness
from harness.by_slot import SlotRow

# Of each layer's two heads the second attends within two groups of patches, ever more strongly.
PLUGIN = '''
from dataclasses import dataclass
from typing import ClassVar
import numpy as np
import harness

@dataclass(frozen=True)
class Heads(harness.Extractor):
    """Four heads of known structure."""

    name: ClassVar[str] = "known-heads"

    def slots(self):
        return [harness.Slot(layer, head) for layer in (0, 1) for head in (0, 1)]

    def extract(self, images):
        parity = np.arange(30) % 2
        for image in images:
            random = np.random.default_rng(image.pixels.sum())
            for slot in self.slots():
                signal = slot.head * (2 + 2 * slot.layer) * (image.variant.role == "observed")
                logits = random.normal(size=(30, 30)) + signal * (parity[:, None] == parity)
                weights = np.exp(logits)
                yield harness.AttentionMap(
                    weights / weights.sum(axis=1, keepdims=True), image=image.key,
                    layer=slot.layer, head=slot.head, variant=image.variant,
                )

@harness.hookimpl
def harness_extractors():
    return [Heads]
'''


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> harness.Run:
    folder = tmp_path_factory.mktemp("slots")
    (folder / "heads.py").write_text(PLUGIN)
    return harness.run(
        images="noise[count=3]",
        extractors="known-heads",
        clusterers="louvain",
        selectors="fixed[level=0.5]",
        controls="uniform-noise",
        perturbations="none",
        nulls=2,
        levels=3,
        plugins=[folder / "heads.py"],
        out=folder / "out",
    )


@pytest.fixture
def rows(run: harness.Run) -> list[SlotRow]:
    return run.slots()


def test_heads_that_cluster_stand_before_those_that_do_not(rows: list[SlotRow]) -> None:
    assert [(row.layer, row.head) for row in rows[:2]] == [(1, 1), (0, 1)]
    assert {(row.layer, row.head) for row in rows[2:]} == {(0, 0), (1, 0)}
    assert rows[1].figures.excess > 0.1 > abs(rows[2].figures.excess)


def test_figures_are_over_the_maps_of_the_head_alone(run: harness.Run, rows: list[SlotRow]) -> None:
    selections = run.selections()
    for row in rows:
        of_it = selections[(selections["layer"] == row.layer) & (selections["head"] == row.head)]
        assert row.figures.total == row.figures.ok == len(of_it) == 3
        assert row.figures.modularity == pytest.approx(np.mean(of_it["modularity"]))
        assert row.figures.excess_low <= row.figures.excess <= row.figures.excess_high
        assert row.significant_share == row.figures.significant / 3


def test_a_row_is_flat_for_a_table(rows: list[SlotRow]) -> None:
    flat = rows[0].flat()
    assert (flat["layer"], flat["head"], flat["clusterer"]) == (1, 1, "louvain")
    assert not {"rank", "tier", "mean_rank", "controls", "figures"} & flat.keys()


def test_methods_stay_in_the_order_of_the_plan(tmp_path: Path, planted_maps: Path) -> None:
    run = harness.run(
        extractors=f"arrays[path={planted_maps}]",
        clusterers="louvain,infomap",
        selectors="fixed[level=0.5]",
        controls="none",
        perturbations="none",
        levels=2,
        out=tmp_path / "out",
    )
    assert [row.figures.clusterer for row in run.slots()] == ["louvain", "infomap"]
    assert all(row.significant_share is None for row in run.slots())
