"""Where patches can be removed from a one-layer ViT, and what is put in their place.

Told apart from what does it, which needs torch. docs/ablation.md says what each means.
"""

from typing import Literal

At = Literal["block", "attention", "keys"]
Fill = Literal["zero", "mean"]
