"""Extractors of pretrained models keep the laws of extractors."""

from collections.abc import Callable

import pytest

import harness
from harness.testing import Law, laws_of


@pytest.mark.parametrize("law", laws_of(harness.Extractor), ids=lambda law: law.name)
def test_a_pretrained_model_keeps_a_law(
    law: Law, extractor: Callable[..., harness.Extractor]
) -> None:
    law(extractor("dinov2", "batch=2"))
