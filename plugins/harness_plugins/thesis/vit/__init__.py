"""The thesis' one-layer Vision Transformer: model, training, checkpoints."""
