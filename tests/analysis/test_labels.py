"""How specs are labelled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.analysis.labels import last_parts, method_labels, spec_labels
from harness.analysis.method import MethodKey

NAMES = st.text("abcdef", min_size=1, max_size=4)
PATHS = st.lists(NAMES, min_size=1, max_size=6).map(lambda parts: f"/{'/'.join(parts)}")
SPECS = st.one_of(
    NAMES,
    st.builds("{}[path={}]".format, NAMES, PATHS),
    st.builds("{}[path={},size=[{},2]]".format, NAMES, PATHS, st.integers(0, 2)),
)


@given(st.lists(SPECS, min_size=1, max_size=6, unique=True))
def test_labels_tell_specs_apart(specs: list[str]) -> None:
    labels = spec_labels(specs)

    assert len(set(labels.of.values())) == len(specs)
    assert all(len(label) <= len(spec) for spec, label in labels.of.items())


@given(st.lists(PATHS, min_size=1, max_size=6, unique=True))
def test_shortened_paths_differ_and_end_alike(paths: list[str]) -> None:
    short = last_parts(paths)

    assert len(set(short)) == len(paths)
    assert all(path.endswith(each.split("/")[-1]) for path, each in zip(paths, short, strict=True))


@pytest.mark.parametrize(
    ("specs", "labels", "common"),
    [
        (["louvain", "infomap"], ["louvain", "infomap"], []),
        (["louvain", "louvain[resolution=2]"], ["louvain", "louvain[resolution=2]"], []),
        (
            ["hf[model=/a/b/x,size=[224,224]]", "hf[model=/a/b/y,size=[224,224]]"],
            ["hf[model=x]", "hf[model=y]"],
            ["hf[size=[224,224]]"],
        ),
        (["hf[model=/a/b/x]", "arrays[path=/a/b/x]"], ["hf[model=x]", "arrays[path=x]"], []),
        (["hf[model=facebook/dino]"], ["hf[model=facebook/dino]"], []),
        (['hf[model="/a/b c/x y"]'], ["hf[model=x y]"], []),
        (["no spec ] at all", ""], ["no spec ] at all", ""], []),
    ],
)
def test_a_label_is_what_differs(specs: list[str], labels: list[str], common: list[str]) -> None:
    found = spec_labels(specs)

    assert [found.of[spec] for spec in specs] == labels
    assert found.common == common


def test_a_method_is_labelled_by_the_fields_that_differ() -> None:
    methods = [
        MethodKey("louvain", "fixed", "threshold", f"arrays[path=/a/b/{name}]", "")
        for name in ("one", "two")
    ]

    assert method_labels(methods) == ["louvain arrays[path=one]", "louvain arrays[path=two]"]
