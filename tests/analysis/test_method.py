from dataclasses import dataclass

from harness.analysis.method import MethodKey, differing_fields, flatten, grouped, short_names

LOUVAIN = MethodKey("louvain", "stable-phase", "threshold", "vit", "photos")
INFOMAP = LOUVAIN._replace(clusterer="infomap")
TOP_K = LOUVAIN._replace(graph="top-k")


@dataclass(frozen=True)
class Inner:
    method: MethodKey
    score: float


@dataclass(frozen=True)
class Outer:
    rank: int
    method: MethodKey
    inner: tuple[Inner, ...]


def test_a_method_in_a_line_leaves_out_the_image_set_of_stored_maps() -> None:
    assert str(LOUVAIN) == "louvain stable-phase threshold vit photos"
    assert str(LOUVAIN._replace(image_set="")) == "louvain stable-phase threshold vit"


def test_short_names_say_the_clusterer_and_what_differs() -> None:
    assert short_names([LOUVAIN, INFOMAP]) == ["louvain", "infomap"]
    assert short_names([LOUVAIN, TOP_K]) == ["louvain threshold", "louvain top-k"]
    assert differing_fields([LOUVAIN, INFOMAP, TOP_K]) == ["clusterer", "graph"]
    assert short_names([]) == []


def test_a_flattened_value_has_the_fields_of_the_method_in_its_place_at_every_depth() -> None:
    flat = flatten(Outer(1, LOUVAIN, (Inner(TOP_K, 0.5),)))

    assert list(flat) == ["rank", *MethodKey._fields, "inner"]
    assert flat["clusterer"] == "louvain"
    assert flat["inner"] == ({**TOP_K._asdict(), "score": 0.5},)


def test_groups_stand_in_the_order_of_their_first_items() -> None:
    assert list(grouped("banana", str).items()) == [
        ("b", ["b"]),
        ("a", ["a", "a", "a"]),
        ("n", ["n", "n"]),
    ]
