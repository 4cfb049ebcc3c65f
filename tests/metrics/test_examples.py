import doctest
import importlib
import pkgutil

import pytest

from harness import metrics


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(metrics.__path__)])
def test_examples_in_docstrings_give_what_they_show(name: str) -> None:
    assert not doctest.testmod(importlib.import_module(f"harness.metrics.{name}")).failed
