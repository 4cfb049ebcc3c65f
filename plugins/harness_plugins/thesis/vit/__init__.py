"""The thesis' one-layer Vision Transformer: model, training, checkpoints."""

from harness import Requirement

VIT = Requirement("attention-harness[vit]", ("torch",))
