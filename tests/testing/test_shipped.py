"""Every shipped component keeps the laws of its kind."""
import contextlib

import pytest

import harness
from harness.plugin import registry
from harness.plugin.component import Component
from harness.testing import laws_of, parametrize_with_laws

def av():
    for kind, named in registry.load().components.items():
        for name in named:
            with contextlib.suppress(harness.HarnessError):
                yield harness.make(kind, name)

@parametrize_with_laws(*av())
def test_every_shipped_component_keeps_the_laws(component, law):
    law(component)
