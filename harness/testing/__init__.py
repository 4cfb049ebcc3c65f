"""For the tests of plugins: the laws that components must keep, and inputs of known structure.

The laws are those of `harness check`. Laws and inputs need no pytest; `parametrize_with_laws` does.
"""

from typing import TYPE_CHECKING

from harness.lazy import attach

if TYPE_CHECKING:
    from harness.testing.inputs import plain_image as plain_image
    from harness.testing.inputs import planted_graph as planted_graph
    from harness.testing.inputs import planted_map as planted_map
    from harness.testing.inputs import profile as profile
    from harness.testing.law import BrokenLawError as BrokenLawError
    from harness.testing.law import Law as Law
    from harness.testing.law import laws_of as laws_of
    from harness.testing.parametrize import parametrize_with_laws as parametrize_with_laws

# Each public name by the module that defines it.
HOMES = {
    "harness.testing.inputs": "plain_image planted_graph planted_map profile",
    "harness.testing.law": "BrokenLawError Law laws_of",
    "harness.testing.parametrize": "parametrize_with_laws",
}

# Type checkers see the imports above alone, and so report names that do not exist.
if not TYPE_CHECKING:
    __getattr__, __dir__, __all__ = attach(__name__, HOMES)
