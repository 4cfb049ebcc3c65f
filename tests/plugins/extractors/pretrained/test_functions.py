"""Weights beside what torch's functions return: times the values, they give what it returns."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from harness_plugins.extractors.pretrained.functions import (
    AttentionFunctions,
    Computed,
    fused_weights,
)

IMAGES, HEADS, TOKENS, SIZE = 2, 4, 5, 3
ALLOWED = torch.tensor([[(i + 2 * j) % 3 != 1 or i == j for j in range(5)] for i in range(5)])


def seen(run: Any) -> list[tuple[tuple[int, ...], Tensor]]:
    """Shape and weights of all attention while it runs."""
    found: list[tuple[tuple[int, ...], Tensor]] = []

    def see(computed: Computed) -> None:
        found.append((computed.shape, computed.weights()))

    with AttentionFunctions(see), torch.no_grad():
        run()
    return found


def parts(*, keys_of: int = HEADS, tokens: int = TOKENS) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    query = torch.randn(IMAGES, HEADS, TOKENS, SIZE, generator=generator)
    key, value = torch.randn(2, IMAGES, keys_of, tokens, SIZE, generator=generator)
    return query, key, value


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"is_causal": True},
        {"scale": 2.0},
        {"attn_mask": ALLOWED},
        {"attn_mask": torch.arange(25.0).sin().reshape(5, 5)},
        {"attn_mask": ALLOWED.expand(IMAGES, 1, TOKENS, TOKENS)},
    ],
    ids=["plain", "causal", "scaled", "masked", "biased", "masked by image"],
)
def test_weights_times_values_are_what_fused_attention_returns(options: dict[str, Any]) -> None:
    query, key, value = parts()
    ((shape, weights),) = seen(
        lambda: functional.scaled_dot_product_attention(query, key, value, **options)
    )
    returned = functional.scaled_dot_product_attention(query, key, value, **options)

    assert shape == tuple(weights.shape) == (IMAGES, HEADS, TOKENS, TOKENS)
    torch.testing.assert_close(weights @ value, returned, atol=1e-5, rtol=0)


def test_heads_may_share_keys_and_values() -> None:
    query, key, value = parts(keys_of=2)
    weights = fused_weights(query, key, value, enable_gqa=True)
    returned = functional.scaled_dot_product_attention(query, key, value, enable_gqa=True)

    shared = value.repeat_interleave(2, dim=1)
    torch.testing.assert_close(weights @ shared, returned, atol=1e-5, rtol=0)


def test_weights_are_computed_in_single_precision_at_least() -> None:
    query, key, value = parts()
    single = fused_weights(query.bfloat16().float(), key.bfloat16().float(), value)

    half = fused_weights(query.bfloat16(), key.bfloat16(), value.bfloat16())

    assert half.dtype == torch.float32
    assert torch.equal(half, single)
    assert fused_weights(query.double(), key.double(), value.double()).dtype == torch.float64


def test_queries_without_heads_are_those_of_one_head() -> None:
    query, key, value = (each[:, 0] for each in parts())
    ((shape, weights),) = seen(lambda: functional.scaled_dot_product_attention(query, key, value))

    assert shape == (IMAGES, 1, TOKENS, TOKENS)
    torch.testing.assert_close(weights[:, 0], fused_weights(query, key, value))


@pytest.mark.parametrize(
    "softmax",
    [
        lambda scores: scores.softmax(-1),
        lambda scores: scores.softmax(dim=3),
        lambda scores: torch.softmax(scores, dim=-1),
        lambda scores: functional.softmax(scores, dim=-1),
        nn.Softmax(dim=-1),
    ],
)
def test_a_softmax_is_seen_however_it_is_called(softmax: Any) -> None:
    scores = torch.randn(IMAGES, HEADS, TOKENS, TOKENS)
    ((shape, weights),) = seen(lambda: softmax(scores))

    assert shape == (IMAGES, HEADS, TOKENS, TOKENS)
    assert torch.equal(weights, scores.softmax(-1))


def test_only_attention_of_as_many_queries_as_keys_is_seen() -> None:
    query, key, value = parts(tokens=TOKENS + 1)
    scores = torch.randn(IMAGES, HEADS, TOKENS, TOKENS)
    cross = nn.MultiheadAttention(8, 2, batch_first=True)
    added = nn.MultiheadAttention(8, 2, batch_first=True, add_bias_kv=True)
    tokens = torch.randn(IMAGES, TOKENS, 8)

    assert not seen(lambda: functional.scaled_dot_product_attention(query, key, value))
    assert not seen(lambda: scores.softmax(dim=1))
    assert not seen(lambda: scores[:, :, 1:].softmax(dim=-1))
    assert not seen(lambda: cross(tokens, tokens[:, 1:], tokens[:, 1:]))
    assert not seen(lambda: added(tokens, tokens, tokens))


MASKS = [
    {},
    {"attn_mask": ~ALLOWED},
    {"attn_mask": ~ALLOWED, "is_causal": False, "key_padding_mask": torch.eye(5)[:2].bool()},
    {"attn_mask": torch.ones(5, 5).triu(1).bool(), "is_causal": True},
]


@pytest.mark.parametrize("options", MASKS)
@pytest.mark.parametrize("need_weights", [True, False])
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("training", [True, False])
def test_multi_head_attention_gives_weights_whether_or_not_it_returns_them(
    options: dict[str, Any], need_weights: bool, batch_first: bool, training: bool
) -> None:
    torch.manual_seed(0)
    attention = nn.MultiheadAttention(8, 2, batch_first=batch_first).train(training)
    shape = (IMAGES, TOKENS, 8) if batch_first else (TOKENS, IMAGES, 8)
    tokens = torch.randn(shape)
    ((found, weights),) = seen(
        lambda: attention(tokens, tokens, tokens, need_weights=need_weights, **options)
    )

    own = attention(tokens, tokens, tokens, average_attn_weights=False, **options)[1]
    assert found == (IMAGES, 2, TOKENS, TOKENS)
    torch.testing.assert_close(weights, own)


def test_weights_are_those_before_dropout_and_draw_no_random_numbers() -> None:
    torch.manual_seed(0)
    attention = nn.MultiheadAttention(8, 2, dropout=0.5, batch_first=True)
    tokens = torch.randn(IMAGES, TOKENS, 8)
    exact = attention.eval()(tokens, tokens, tokens, average_attn_weights=False)[1]
    attention.train()
    torch.manual_seed(1)
    attention(tokens, tokens, tokens)
    expected = torch.rand(1)

    torch.manual_seed(1)
    ((_, weights),) = seen(lambda: attention(tokens, tokens, tokens))

    torch.testing.assert_close(weights, exact)
    assert torch.equal(torch.rand(1), expected)
