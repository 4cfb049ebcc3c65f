import doctest
import importlib
import pkgutil

import numpy as np
import pytest

import harness
from harness import metrics


@pytest.mark.parametrize("name", [module.name for module in pkgutil.iter_modules(metrics.__path__)])
def test_examples_in_docstrings_give_what_they_show(name: str) -> None:
    module = importlib.import_module(f"harness.metrics.{name}")

    assert not doctest.testmod(module, extraglobs={"harness": harness, "np": np}).failed
