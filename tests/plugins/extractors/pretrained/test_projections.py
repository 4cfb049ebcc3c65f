"""Projections of attention modules of every make are found by trying."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import harness
from harness_plugins.extractors.pretrained.projections import find_projections
from harness_plugins.extractors.pretrained.watching import Returned, Site

HEADS, SIZE, TOKENS = 3, 8, 7
WIDTH = HEADS * SIZE
SHAPE = 1, HEADS, TOKENS, TOKENS


class Attention(nn.Module):
    """Attention of a made-up model; `weights` returns the softmax."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.fused = nn.Linear(WIDTH, 3 * WIDTH)
        self.out = nn.Linear(WIDTH, WIDTH)
        self.weights = nn.Identity()

    def parts(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Queries, keys and values (images, heads, tokens, dimensions)."""
        split = self.fused(tokens).unflatten(-1, (3, HEADS, SIZE)).permute(2, 0, 3, 1, 4)
        return split[0], split[1], split[2]

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        return queries @ keys.transpose(-2, -1)

    def forward(self, tokens: Tensor) -> Tensor:
        queries, keys, values = self.parts(tokens)
        weights = self.weights(self.scores(queries, keys).softmax(dim=-1))
        return self.out((weights @ values).transpose(1, 2).flatten(2))


class HeadsFirst(Attention):
    """The columns of each head follow each other: its queries, its keys, its values."""

    def parts(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        split = self.fused(tokens).unflatten(-1, (HEADS, 3, SIZE)).permute(3, 0, 2, 1, 4)
        return split[0], split[1], split[2]


class Functional(Attention):
    """The weights of a module are used without a call of it."""

    def parts(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        projected = nn.functional.linear(tokens, self.fused.weight, self.fused.bias)
        split = projected.unflatten(-1, (3, HEADS, SIZE)).permute(2, 0, 3, 1, 4)
        return split[0], split[1], split[2]


class Normalised(Attention):
    """Queries and keys are normalised over all heads, and scores have a bias."""

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        queries, keys = (each / each.norm(dim=(1, 3), keepdim=True) for each in (queries, keys))
        return 9 * queries @ keys.transpose(-2, -1) + torch.arange(TOKENS).sin()


class Rotary(Attention):
    """Queries and keys are turned by an angle that depends on the token."""

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        angles = torch.arange(float(TOKENS))[:, None]

        def turned(each: Tensor) -> Tensor:
            first, second = each.chunk(2, dim=-1)
            cosine, sine = angles.cos(), angles.sin()
            return torch.cat(
                [first * cosine - second * sine, first * sine + second * cosine], dim=-1
            )

        return super().scores(turned(queries), turned(keys))


class Mixed(Attention):
    """Every key depends on all tokens."""

    def scores(self, queries: Tensor, keys: Tensor) -> Tensor:
        return super().scores(queries, keys.cumsum(dim=2))


class Summed(Attention):
    """Queries are the sum of two projections."""

    def __init__(self) -> None:
        super().__init__()
        self.more = nn.Linear(WIDTH, WIDTH)

    def parts(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        queries, keys, values = super().parts(tokens)
        more = self.more(tokens).unflatten(-1, (HEADS, SIZE)).transpose(1, 2)
        return queries + more, keys, values


class Interleaved(Attention):
    """The first columns are the first dimension of every head."""

    def parts(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        split = self.fused(tokens).unflatten(-1, (3, SIZE, HEADS)).permute(2, 0, 4, 1, 3)
        return split[0], split[1], split[2]


class Multiplied(Attention):
    """Projected by products of matrices that are no linear maps of torch's."""

    def parts(self, tokens: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        split = (tokens @ self.fused.weight.T).unflatten(-1, (3, HEADS, SIZE))
        queries, keys, values = split.permute(2, 0, 3, 1, 4)
        return queries, keys, values


@dataclass
class Model:
    """What `find_projections` uses of a Vision Transformer."""

    attention: Attention
    name: str = "made-up"

    @property
    def sites(self) -> list[Site]:
        return [Site(self.attention.weights, 0, Returned(None), self.attention, SHAPE)]

    def __call__(self, tokens: Tensor) -> Tensor:
        found: Tensor = self.attention(tokens)
        return found


def found_in(attention: Attention, of: Any) -> Any:
    tokens = torch.randn(1, TOKENS, WIDTH, generator=torch.Generator().manual_seed(1))
    model: Any = Model(attention)
    return find_projections(of, model, [0], tokens)[0]


@pytest.mark.parametrize("make", [Attention, Functional, Normalised, Rotary])
@pytest.mark.parametrize("of", ["queries", "keys", "values"])
def test_projections_are_found_whatever_happens_to_them_before_the_softmax(
    make: type[Attention], of: str
) -> None:
    found = found_in(make(), of)

    start = ["queries", "keys", "values"].index(of) * WIDTH
    assert found.call == 0
    np.testing.assert_array_equal(found.columns, start + np.arange(WIDTH).reshape(HEADS, SIZE))


@pytest.mark.parametrize("of", ["queries", "keys", "values"])
def test_columns_may_lie_head_by_head(of: str) -> None:
    columns = np.arange(3 * WIDTH).reshape(HEADS, 3, SIZE)

    found = found_in(HeadsFirst(), of)

    expected = columns[:, ["queries", "keys", "values"].index(of)]
    np.testing.assert_array_equal(found.columns, expected)


@pytest.mark.parametrize(
    ("make", "of", "reason"),
    [
        (Mixed, "keys", "no linear map gives them"),
        (Summed, "queries", "2 linear maps give them"),
        (Interleaved, "keys", "their columns are not those of 3 heads one after the other"),
        (Interleaved, "values", "their columns are not those of 3 heads one after the other"),
        (Multiplied, "values", "no linear map gives them"),
        (Multiplied, "keys", "no linear map gives them"),
    ],
)
def test_what_is_no_projection_of_single_tokens_is_refused_with_the_reason(
    make: type[Attention], of: str, reason: str
) -> None:
    with pytest.raises(
        harness.HarnessError,
        match=f"^made-up: the {of} of layer 0 cannot be found in its {make.__name__}: {reason}$",
    ):
        found_in(make(), of)


def test_a_trial_leaves_no_hook_and_no_changed_forward() -> None:
    attention = Attention()
    found_in(attention, "keys")

    assert "forward" not in vars(attention)
    for module in attention.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks
