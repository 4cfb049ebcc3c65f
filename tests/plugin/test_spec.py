from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import harness
from harness.plugin.spec import (
    component_name,
    configure,
    format_spec,
    normal_form,
    parse,
    split,
    supported,
)


@dataclass(frozen=True)
class Everything(harness.Clusterer):
    """A parameter of every type that a spec can hold."""

    name: ClassVar[str] = "everything"
    whole: int
    flag: bool = False
    number: float = 0.5
    text: str = "plain"
    path: Path = Path("a/b")
    choice: Literal["one", "none", "a ],'\"b", 3] = "one"
    maybe_number: float | None = None
    maybe_text: str | None = "there"
    numbers: tuple[float, ...] = ()
    pair: tuple[int, str] = (1, "x")
    maybe_paths: tuple[Path | None, ...] | None = None
    flags: tuple[bool, ...] = field(default_factory=lambda: (True,))

    def __post_init__(self) -> None:
        if self.whole == 13:
            raise harness.HarnessError("whole must not be 13")
        if self.whole == 14:
            raise KeyError("two\nlines")

    def cluster(self, graph: harness.Graph, *, seed: int) -> harness.Integers:
        return np.zeros(graph.n, dtype=np.int64)


@dataclass(frozen=True)
class Bare(harness.Clusterer):
    """No parameters."""

    name: ClassVar[str] = "bare"

    def cluster(self, graph: harness.Graph, *, seed: int) -> harness.Integers:
        return np.zeros(graph.n, dtype=np.int64)


nasty = (
    st.sampled_from(["none", "true", "1", "", " "])
    | st.text()
    | st.text("[]=,\"'\\ \n\tnoetru1.#é\x7f\u2028", max_size=8)
)
paths = nasty.map(Path)
reals = st.floats(allow_nan=False)
everything = st.builds(
    Everything,
    whole=st.integers().filter(lambda number: number != 13),
    flag=st.booleans(),
    number=reals,
    text=nasty,
    path=paths,
    choice=st.sampled_from(["one", "none", "a ],'\"b", 3]),
    maybe_number=st.none() | reals,
    maybe_text=st.none() | nasty,
    numbers=st.lists(reals, max_size=3).map(tuple),
    pair=st.tuples(st.integers(), nasty),
    maybe_paths=st.none() | st.lists(st.none() | paths, max_size=3).map(tuple),
    flags=st.lists(st.booleans(), max_size=3).map(tuple),
)


def made(text: str) -> list[Any]:
    return [component for spec in parse(text) for component in configure(Everything, spec)]


@settings(max_examples=300, deadline=None)
@given(everything, st.booleans())
def test_a_component_read_from_its_spec_is_equal(component: Everything, full: bool) -> None:
    assert made(format_spec(component, full=full)) == [component]


@settings(max_examples=100, deadline=None)
@given(everything, st.booleans())
def test_the_name_in_a_spec_is_its_components(component: Everything, full: bool) -> None:
    assert component_name(format_spec(component, full=full)) == "everything"
    assert component_name("bare") == "bare"


@settings(max_examples=100, deadline=None)
@given(st.lists(everything, max_size=4))
def test_a_list_of_specs_is_read_as_its_components(components: list[Everything]) -> None:
    assert made(",".join(map(format_spec, components))) == components


@settings(max_examples=300, deadline=None)
@given(nasty.map(lambda text: f"everything[whole=1,text={text}]") | nasty)
def test_any_text_is_read_or_refused_as_a_mistake_of_the_user(text: str) -> None:
    try:
        components = made(text)
    except harness.HarnessError:
        return
    assert all(isinstance(component, Everything) for component in components)


def test_a_spec_holds_only_what_differs_from_the_defaults_unless_it_is_full() -> None:
    component = Everything(whole=1, flags=(True,), number=2.0)

    assert format_spec(component) == "everything[whole=1,number=2.0,flags=[true]]"
    assert "maybe_number=none" in format_spec(component, full=True)
    assert format_spec(Bare()) == "bare"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", []),
        ("  ", []),
        ("a", ["a"]),
        ("a, b ,c", ["a", "b", "c"]),
        ("a[x=[1,2],y=3],b", ["a[x=[1,2],y=3]", "b"]),
        ('a[x="],"],b', ['a[x="],"]', "b"]),
        (r'a[x="\"],"],b', [r'a[x="\"],"]', "b"]),
        (r'a[x="\\"],b', [r'a[x="\\"]', "b"]),
        (r"a[x='\'],b", [r"a[x='\']", "b"]),
        ("a,", ["a", ""]),
    ],
)
def test_commas_split_outside_brackets_and_quotes(text: str, parts: list[str]) -> None:
    assert split(text) == parts


def test_a_list_on_a_scalar_is_a_sweep_of_every_combination() -> None:
    components = made("everything[whole=[1,2],flag=[true,false]]")

    assert [(one.whole, one.flag) for one in components] == [
        (1, True), (1, False), (2, True), (2, False),
    ]  # fmt: skip


def test_a_list_on_a_tuple_is_its_value_and_a_list_of_lists_a_sweep() -> None:
    assert [one.numbers for one in made("everything[whole=1,numbers=[1,2]]")] == [(1.0, 2.0)]
    assert [one.numbers for one in made("everything[whole=1,numbers=[]]")] == [()]
    swept = made("everything[whole=1,numbers=[[1,2],[],[3]]]")
    assert [one.numbers for one in swept] == [(1.0, 2.0), (), (3.0,)]


def test_none_in_quotes_is_text() -> None:
    (absent,) = made("everything[whole=1,maybe_text=none]")
    (present,) = made("everything[whole=1,maybe_text='none']")

    assert (absent.maybe_text, present.maybe_text) == (None, "none")


def test_a_whole_number_for_a_float_becomes_a_float() -> None:
    (component,) = made("everything[whole=1,number=2]")

    assert type(component.number) is float


def test_a_bare_value_is_a_list_of_one_on_a_tuple_of_any_length() -> None:
    assert made("everything[whole=1,numbers=3]") == made("everything[whole=1,numbers=[3]]")


@pytest.mark.parametrize(
    "text",
    [
        "everything[whole=1,number=0,numbers=3]",
        "everything[whole=+1,number=0.00,numbers=[3.0]]",
        "everything[whole=0x1,number=-0e5,numbers=[[30e-1]]]",
        " everything [ numbers = [ 3 ], number=0.0 ,whole=1]",
    ],
)
def test_a_normal_form_does_not_depend_on_how_a_spec_is_written(text: str) -> None:
    plain = "everything[whole=1,number=0.0,numbers=[3.0]]"

    assert made(text) == made(plain)
    assert normal_form(text) == normal_form(plain)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("a[x=1]", "a[x=2]"),
        ("a[x=1]", "a[x=true]"),
        ("a[x=1]", "a[y=1]"),
        ("a[x=1]", "a"),
        ("a[x=1]", "b[x=1]"),
        ("a[x=[1,2]]", "a[x=[2,1]]"),
        ("a[x=[1,2]]", "a[x=1],a[x=2]"),
        ("a[x=1979-05-27]", "a[x=1979-05-28]"),
        ("a[x=1", "a[x=1]"),
    ],
)
def test_other_components_have_other_normal_forms(first: str, second: str) -> None:
    assert normal_form(first) != normal_form(second)


@settings(max_examples=300, deadline=None)
@given(nasty.map(lambda text: f"a[x={text}]") | nasty | everything.map(format_spec))
def test_every_text_has_one_normal_form(text: str) -> None:
    assert {normal_form(text)} == {normal_form(text)}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("everything[whole=1,nummber=2]", "has no parameter 'nummber'; did you mean 'number'?"),
        ("everything[whole=1,zzz=2]", "has no parameter 'zzz'; it has whole, flag"),
        ("everything", "everything: whole is required: everything[whole=…]"),
        ("everything[whole=0.5]", "whole takes a whole number, not '0.5'"),
        ("everything[whole=true]", "whole takes a whole number, not 'true'"),
        ("everything[whole=1,number=abc]", "number takes a number, not 'abc'"),
        ("everything[whole=1,number=true]", "number takes a number, not 'true'"),
        ("everything[whole=1,flag=yes]", "flag takes true or false, not 'yes'"),
        ("everything[whole=1,choice=two]", "choice takes one of one, none,"),
        ("everything[whole=1,text=[[a]]]", "text takes one value, not the list [a]"),
        ("everything[whole=1,pair=3]", "pair takes a list in brackets, not '3'"),
        ("everything[whole=1,numbers=[1,x]]", "numbers takes a number, not 'x'"),
        ("everything[whole=1,pair=[1]]", "pair takes 2 values, not 1"),
        ("everything[whole=[]]", "whole is an empty list"),
        ("everything[whole=1,whole=2]", "whole is given twice; a sweep is whole=[…,…]"),
        ("everything[whole=13]", "everything[whole=13]: whole must not be 13"),
        ("everything[whole=14]", r"everything[whole=14]: KeyError: 'two\nlines'"),
        (f"everything[whole={'9' * 5000}]", "whole takes a whole number, not '999"),
        ("everything[whole]", "expected parameter=value, not 'whole'"),
        ("everything[whole=]", "expected parameter=value, not 'whole='"),
        ("everything[a-b=1]", "expected parameter=value, not 'a-b=1'"),
        ("everything[whole=1", "a [ is not closed; is the whole spec quoted?"),
        ("everything]", "a ] closes no ["),
        ("everything[text='a]", "a ' is not closed"),
        ("everything[whole=1]x", "text follows the closing ]"),
        ("=3", "expected a name"),
        ("everything,", "a comma with nothing before or after it"),
    ],
)
def test_a_mistake_is_refused_in_one_line_that_names_it(text: str, message: str) -> None:
    with pytest.raises(harness.HarnessError) as raised:
        made(text)

    assert message in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_parameter_for_a_component_without_any_is_refused() -> None:
    with pytest.raises(harness.HarnessError, match="bare has no parameter 'x'; it has no param"):
        configure(Bare, parse("bare[x=1]")[0])


@pytest.mark.parametrize(
    "hint",
    [
        bool, int, float, str, Path, Literal["a", 1], tuple[int, ...], tuple[str, Path],
        int | None, tuple[float | None, ...] | None,
    ],
)  # fmt: skip
def test_types_that_a_spec_can_hold(hint: Any) -> None:
    assert supported(hint)


@pytest.mark.parametrize(
    "hint",
    [
        list[int], dict[str, int], bytes, complex, object, Any, int | str, int | str | None,
        tuple[tuple[int, ...], ...], tuple[list[int], ...], Literal[True], Literal[b"a"],
    ],
)  # fmt: skip
def test_types_that_a_spec_cannot_hold(hint: Any) -> None:
    assert not supported(hint)
