"""The table of heads, from a small run of a model with twelve."""

from pathlib import Path

from flowers_heads import by_head

import harness


def test_each_head_has_a_row_with_the_share_of_images_beyond_each_control(tmp_path: Path) -> None:
    run = harness.run(
        images=["fashion-mnist-sample[count=3]"],
        extractors=["one-layer-vit[checkpoint=fashion-mnist-twelve-heads]"],
        clusterers=["louvain"],
        controls=["uniform-noise"],
        perturbations=[],
        nulls=19,
        levels=2,
        out=tmp_path / "run",
    )
    table = by_head(run)

    assert sorted(table["head"]) == list(range(12))
    significant = run.tests().query("q <= 0.05").groupby("head").size()
    for row in table.to_dict("records"):
        assert row["images"] == 3
        assert row["uniform-noise count"] == significant.get(row["head"], 0)
        assert row["uniform-noise low"] <= row["uniform-noise mean"] <= row["uniform-noise high"]
