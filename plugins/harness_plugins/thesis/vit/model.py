"""A Vision Transformer of one block, as in section 3.1 of the thesis.

Patch embedding, learned positions, no class token, one pre-norm block, and a linear
classifier on all tokens flattened: every patch keeps its own weights up to the logits.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

SIZES = (
    "height", "width", "channels", "patch", "dimension", "heads", "mlp_ratio", "classes",
)  # fmt: skip


@dataclass(frozen=True)
class ModelSettings:
    """The shape of a one-layer ViT, sufficient to build it."""

    height: int = 28
    width: int = 28
    channels: int = 1
    patch: int = 2
    dimension: int = 48
    heads: int = 1
    attention: bool = True
    mlp: bool = True
    mlp_ratio: int = 4
    classes: int = 10

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            expected = int if name in SIZES else bool
            if type(value) is not expected:
                raise ValueError(f"{name} must be of type {expected.__name__}, not {value!r}")
            if name in SIZES and value < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")
        if self.height % self.patch or self.width % self.patch:
            raise ValueError(
                f"patches of {self.patch} pixels do not tile {self.height}×{self.width} pixels"
            )
        if self.dimension % self.heads:
            raise ValueError(
                f"dimension {self.dimension} cannot be split over {self.heads} heads; "
                f"take a multiple of {self.heads}"
            )

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches."""
        return self.height // self.patch, self.width // self.patch

    @property
    def largest_activation(self) -> int:
        """The number of values in the largest tensor that the model makes of an image."""
        rows, columns = self.grid
        features = max(1, 3 * self.attention, self.mlp_ratio * self.mlp) * self.dimension
        return max(self.height * self.width * self.channels, rows * columns * features)

    @property
    def parameters(self) -> int:
        """The number of the model's parameters."""
        rows, columns = self.grid
        width, hidden = self.dimension, self.mlp_ratio * self.dimension
        embedding = (self.channels * self.patch**2 + 1 + rows * columns) * width
        attention = self.attention * (4 * (width + 1) * width + 2 * width)
        mlp = self.mlp * (2 * width * hidden + hidden + 3 * width)
        return embedding + attention + mlp + (rows * columns * width + 1) * self.classes


class SelfAttention(nn.Module):
    """Multi-head scaled dot-product self-attention (Vaswani et al. 2017, section 3.2)."""

    def __init__(self, dimension: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.queries_keys_values = nn.Linear(dimension, 3 * dimension)
        self.projection = nn.Linear(dimension, dimension)

    def split_heads(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values, each (batch, heads, tokens, dimension / heads)."""
        batch, count, _ = tokens.shape
        packed = self.queries_keys_values(tokens).view(batch, count, 3, self.heads, -1)
        queries, keys, values = packed.permute(2, 0, 3, 1, 4)
        return queries, keys, values

    def weights(self, tokens: Tensor) -> Tensor:
        """Attention maps (batch, heads, tokens, tokens); row i holds what token i attends to."""
        queries, keys, _ = self.split_heads(tokens)
        scale = queries.shape[-1] ** -0.5
        return torch.softmax((queries * scale) @ keys.transpose(-1, -2), dim=-1)

    def forward(self, tokens: Tensor, visible: Tensor | None = None) -> Tensor:
        """Values mixed by the attention maps, (batch, tokens, dimension).

        `visible` (batch, 1, tokens, tokens): whether a query (row) may attend to a key; by
        default all attend to all. The scores of invisible keys are −∞ before the softmax.
        """
        mixed = functional.scaled_dot_product_attention(
            *self.split_heads(tokens), attn_mask=visible
        )
        return self.projection(mixed.transpose(1, 2).flatten(2))  # type: ignore[no-any-return]


class OneLayerViT(nn.Module):
    """Images (batch, channels, height, width) in, logits (batch, classes) out."""

    def __init__(self, settings: ModelSettings) -> None:
        super().__init__()
        self.settings = settings
        rows, columns = settings.grid
        dimension = settings.dimension
        self.embedding = nn.Conv2d(
            settings.channels, dimension, kernel_size=settings.patch, stride=settings.patch
        )
        self.positions = nn.Parameter(0.02 * torch.randn(rows * columns, dimension))
        if settings.attention:
            self.attention_norm = nn.LayerNorm(dimension)
            self.attention = SelfAttention(dimension, settings.heads)
        if settings.mlp:
            hidden = settings.mlp_ratio * dimension
            self.mlp_norm = nn.LayerNorm(dimension)
            self.mlp = nn.Sequential(
                nn.Linear(dimension, hidden), nn.GELU(), nn.Linear(hidden, dimension)
            )
        self.classifier = nn.Linear(rows * columns * dimension, settings.classes)

    def embed(self, images: Tensor) -> Tensor:
        """Patch tokens with positions added, (batch, patches, dimension)."""
        return self.embedding(images).flatten(2).transpose(1, 2) + self.positions  # type: ignore[no-any-return]

    def attention_maps(self, images: Tensor) -> Tensor:
        """Each head's attention matrix, (batch, heads, patches, patches)."""
        if not self.settings.attention:
            raise ValueError("this model was built without attention")
        return self.attention.weights(self.attention_norm(self.embed(images)))

    def attended(self, tokens: Tensor, visible: Tensor | None = None) -> Tensor:
        """The attention's output (batch, patches, dimension), not yet added to the tokens."""
        if not self.settings.attention:
            raise ValueError("this model was built without attention")
        return self.attention(self.attention_norm(tokens), visible)  # type: ignore[no-any-return]

    def completed(self, tokens: Tensor) -> Tensor:
        """The block's output, from tokens with the attention's output added; patch by patch."""
        return tokens + self.mlp(self.mlp_norm(tokens)) if self.settings.mlp else tokens

    def classified(self, rows: Tensor) -> Tensor:
        """Logits (batch, classes) from the block's output, flattened."""
        return self.classifier(rows.flatten(1))  # type: ignore[no-any-return]

    def forward(self, images: Tensor) -> Tensor:
        """Logits (batch, classes)."""
        tokens = self.embed(images)
        if self.settings.attention:
            tokens = tokens + self.attended(tokens)
        return self.classified(self.completed(tokens))
