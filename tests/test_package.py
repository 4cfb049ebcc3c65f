import subprocess
import sys

import pytest

import harness


@pytest.mark.parametrize("name", harness.__all__)
def test_every_public_name_is_there(name: str) -> None:
    assert getattr(harness, name) is not None


def test_what_is_public_and_what_is_found_are_the_same() -> None:
    assert set(harness.__all__) == set(harness._HOME_OF)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Clusterers'"):
        harness.Clusterers  # type: ignore[attr-defined]  # noqa: B018


def test_importing_the_package_imports_no_library() -> None:
    script = "import sys, harness; assert not {'numpy', 'torch', 'pandas'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True)
