from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

import harness
from harness_plugins.extractors.pretrained.watching import (
    check_attention,
    find_attention,
    is_attention,
    watched,
)
from support.models import loaded, pixels


def tensors(output: Any) -> list[Tensor]:
    return [part for part in output.values() if isinstance(part, Tensor)]


def test_the_output_is_not_changed_by_watching_and_no_hook_is_left(
    family: str, tiny: Callable[[str], Path]
) -> None:
    model = loaded(tiny(family))
    with torch.inference_mode():
        before = tensors(model(pixels()))
        sites = find_attention(model, lambda: model(pixels()))
        with watched(dict(enumerate(sites)), range(4), images=1) as weights:
            during = tensors(model(pixels()))
        after = tensors(model(pixels()))

    assert len(before) == len(during) == len(after) > 0
    assert sorted(weights) == [0, 1, 2]
    assert all(map(torch.equal, before, during))
    assert all(map(torch.equal, before, after))
    for module in model.modules():
        assert not module._forward_hooks
        assert not module._forward_pre_hooks


def test_hooks_are_removed_when_a_pass_fails(tiny: Callable[[str], Path]) -> None:
    model = loaded(tiny("vit"))
    sites = find_attention(model, lambda: model(pixels()))

    with pytest.raises(ValueError, match="size"), watched(dict(enumerate(sites)), [0], images=1):
        model(pixels(40, 40))
    with pytest.raises(ValueError, match="size"):
        find_attention(model, lambda: model(pixels(40, 40)))

    assert not any(module._forward_hooks for module in model.modules())


def test_only_the_chosen_layers_and_heads_are_collected(
    tiny: Callable[[str], Path],
) -> None:
    model = loaded(tiny("vit"))
    sites = find_attention(model, lambda: model(pixels()))
    with torch.inference_mode():
        own = model(pixels(), output_attentions=True).attentions[1][0].numpy()
        with watched({1: sites[1]}, [1, 3], images=1) as some:
            model(pixels())
        with watched({1: sites[1]}, [1, 3], images=1, mean=True) as averaged:
            model(pixels())

    assert some.keys() == averaged.keys() == {1}
    np.testing.assert_allclose(some[1][0], own[[1, 3]], atol=1e-5)
    np.testing.assert_allclose(averaged[1][0], own[[1, 3]].mean(axis=0, keepdims=True), atol=1e-5)


def test_attention_is_what_is_square_not_negative_and_sums_to_one() -> None:
    weights = torch.rand(1, 2, 5, 5).softmax(dim=-1)

    assert is_attention(weights)
    assert is_attention(weights.half())
    for other in (
        weights[0],
        weights[:, :, :4],
        -weights,
        2 * weights,
        weights.isnan(),
        weights / 0,
    ):
        assert not is_attention(other)
    assert not is_attention(None)


ROWS = np.full((2, 5, 5), 0.2, dtype=np.float32)


def test_intact_attention_passes() -> None:
    check_attention({0: ROWS, 2: ROWS}, [0, 2], 1, (2, 2), "it")


@pytest.mark.parametrize("value", [0.5, np.nan, np.inf])
def test_rows_that_do_not_sum_to_one_are_refused(value: float) -> None:
    wrong = ROWS.copy()
    wrong[1, 3, 4] = value

    with pytest.raises(
        harness.HarnessError, match=f"of layer 2 sums to {0.8 + value:.3g}, not to 1"
    ):
        check_attention({0: ROWS, 2: wrong}, [0, 2], 1, (2, 2), "it")


def test_layers_without_attention_are_refused() -> None:
    with pytest.raises(harness.HarnessError, match="it: layer 1 returned no attention"):
        check_attention({0: ROWS}, [0, 1], 1, (2, 2), "it")


def test_attention_over_other_tokens_is_refused() -> None:
    with pytest.raises(harness.HarnessError, match=r"over 5 tokens, not over 2×2 patches and 0"):
        check_attention({0: ROWS}, [0], 0, (2, 2), "it")
