import os

from hypothesis import given
from hypothesis import strategies as st

from harness_plugins.names import text_of

# Names with what the texts of odd names consist of, so that collisions would be found.
PARTS = [b"\\", b"x", b"e9", b"\xe9", b"\xc3\xa9", b"\x80", b"80", b"f", b".png"]
NAMES = st.lists(st.sampled_from(PARTS), min_size=1, max_size=6).map(b"".join)


@given(st.sets(NAMES, min_size=2, max_size=30))
def test_distinct_names_have_distinct_texts(names: set[bytes]) -> None:
    assert len({text_of(os.fsdecode(name)) for name in names}) == len(names)


@given(NAMES)
def test_texts_can_be_stored(name: bytes) -> None:
    text_of(os.fsdecode(name)).encode()


def test_usual_names_are_their_own_texts() -> None:
    for name in ("a.png", "é.png", r"a\b.png", "a b/c.png"):
        assert text_of(name) == name


def test_bytes_that_are_not_utf8_are_written_as_numbers() -> None:
    assert text_of(os.fsdecode(b"caf\xe9.png")) == r"caf\xe9.png"
    assert text_of(r"caf\xe9.png") == r"caf\\xe9.png"
