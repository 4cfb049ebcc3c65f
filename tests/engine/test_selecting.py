from harness.engine.selecting import _Questions
from harness.store import Group


def drawn(cell: str, seed: int) -> list[int]:
    null_cells = {f"null {index}": "map" for index in range(50)}
    group = Group({cell: "map"}, {cell: seed}, {"noise": null_cells})
    (question,) = _Questions(group, ["fixed"], "group", 10).after(0)
    return question["nulls"]["noise"]


def test_which_draws_are_taken_depends_on_the_cells_seed_and_not_on_its_key() -> None:
    assert drawn("a key", 3) == drawn("another key", 3)
    assert drawn("a key", 3) != drawn("a key", 4)
