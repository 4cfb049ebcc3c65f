"""`harness.attention_of`, compared with softmax by hand and with what models say themselves."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

import harness

WIDTH, HEADS, TOKENS = 16, 4, 7


def random(model: nn.Module) -> nn.Module:
    """The model for evaluation, with random weights, biases included."""
    generator = torch.Generator().manual_seed(0)
    for weights in model.parameters():
        weights.data = 0.3 * torch.randn(weights.shape, generator=generator)
    return model.eval()


def tokens(images: int = 2) -> Tensor:
    return torch.randn(images, TOKENS, WIDTH, generator=torch.Generator().manual_seed(1))


def by_hand(attention: nn.MultiheadAttention, given: Tensor) -> Tensor:
    """Softmax of a module's scores for tokens (images, tokens, dimensions)."""
    projected = given @ attention.in_proj_weight.T + attention.in_proj_bias
    query, key, _ = projected.unflatten(-1, (3, attention.num_heads, -1)).permute(2, 0, 3, 1, 4)
    return (query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5).softmax(dim=-1)


class Attention(nn.Module):
    """Attention by functions alone: no part of it returns the weights."""

    def __init__(self, attend: Callable[[Tensor, Tensor, Tensor], Tensor]) -> None:
        super().__init__()
        self.projection, self.attend = nn.Linear(WIDTH, 3 * WIDTH), attend

    def forward(self, given: Tensor) -> Tensor:
        parts = self.projection(given).unflatten(-1, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
        attended: Tensor = self.attend(*parts)
        return given + attended.transpose(1, 2).flatten(2)


def explicit(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    return (query @ key.transpose(-2, -1) / query.shape[-1] ** 0.5).softmax(dim=-1) @ value


class Fused(nn.Module):
    """Takes queries, keys and values; layers may share it."""

    def forward(self, query: Tensor, key: Tensor, value: Tensor) -> Tensor:
        return functional.scaled_dot_product_attention(query, key, value)


def layers_of(attend: Any, count: int = 3) -> nn.Module:
    return random(nn.Sequential(*(Attention(attend) for _ in range(count))))


@pytest.mark.parametrize("norm_first", [True, False])
@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("gradients", [True, False])
def test_the_attention_of_torchs_encoder_is_an_explicit_softmax_also_on_its_fast_path(
    norm_first: bool, batch_first: bool, gradients: bool
) -> None:
    layer = nn.TransformerEncoderLayer(
        WIDTH, HEADS, 32, batch_first=batch_first, norm_first=norm_first
    )
    model: Any = random(nn.TransformerEncoder(layer, 3, enable_nested_tensor=False))
    given = tokens() if batch_first else tokens().transpose(0, 1)
    with torch.set_grad_enabled(gradients):
        before = model(given)

        found = harness.attention_of(model, given)

        assert torch.equal(model(given), before)
    assert (found.shape, found.dtype) == ((2, 3, HEADS, TOKENS, TOKENS), np.float32)
    state = given
    for number, each in enumerate(model.layers):
        attended = each.norm1(state) if norm_first else state
        by_image = attended if batch_first else attended.transpose(0, 1)
        expected = by_hand(each.self_attn, by_image).detach().numpy()
        np.testing.assert_allclose(found[:, number], expected, atol=1e-5)
        state = each(state)


@pytest.mark.parametrize("implementation", ["eager", "sdpa"])
def test_the_attention_of_transformers_is_what_its_models_return(
    family: str, implementation: str, tiny: Callable[[str], Path]
) -> None:
    from transformers import AutoModel

    def model_with(implementation: str) -> Any:
        loaded = AutoModel.from_pretrained(tiny(family), attn_implementation=implementation)
        return getattr(loaded, "vision_model", loaded)

    pixels = {"pixel_values": torch.rand(2, 3, 32, 32)}
    model = model_with(implementation)
    with torch.no_grad():
        own = model_with("eager")(**pixels, output_attentions=True).attentions
        before = model(**pixels)
        found = harness.attention_of(model, pixels)
        after = model(**pixels)

    assert found.shape[:3] == (2, 3, 4)
    for name, value in before.items():
        if isinstance(value, Tensor):
            assert torch.equal(value, after[name])
    # In this version the library returns nothing for some families.
    if all(each is not None for each in own):
        np.testing.assert_allclose(found, torch.stack(own, dim=1), atol=1e-5)


def test_the_attention_of_torchvision_is_an_explicit_softmax() -> None:
    try:
        from torchvision.models import VisionTransformer
    except Exception as error:  # not every failure is an ImportError
        pytest.skip(f"torchvision cannot be imported: {error}")
    model = random(VisionTransformer(32, 8, 3, HEADS, 32, 64))
    given: list[tuple[nn.MultiheadAttention, Tensor]] = []
    images = torch.rand(2, 3, 32, 32)
    found = harness.attention_of(model, images)
    for part in model.modules():
        if isinstance(part, nn.MultiheadAttention):
            part.register_forward_pre_hook(lambda module, args: given.append((module, args[0])))
    model(images)

    expected = torch.stack([by_hand(*each) for each in given], dim=1).detach()
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("attend", [Fused(), explicit, functional.scaled_dot_product_attention])
def test_attention_that_no_module_returns_is_read_from_functions(attend: Any) -> None:
    model = layers_of(attend)
    found = harness.attention_of(model, tokens())

    expected = harness.attention_of(layers_of(explicit), tokens())
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert found.shape[1] == 3


def test_a_layer_that_is_run_several_times_is_several_layers() -> None:
    (layer,) = layers_of(Fused(), 1)
    found = harness.attention_of(nn.Sequential(layer, layer), tokens())

    second = harness.attention_of(layer, layer(tokens()).detach())
    assert found.shape[1] == 2
    np.testing.assert_allclose(found[:, 1:], second, atol=1e-5)


class Returning(Attention):
    """Returns its weights, in the type of its tokens, as transformers' models do."""

    def forward(self, given: Tensor) -> Any:
        query, key, value = (
            self.projection(given).unflatten(-1, (3, HEADS, -1)).permute(2, 0, 3, 1, 4)
        )
        scores = query @ key.transpose(-2, -1)
        weights = scores.softmax(dim=-1, dtype=torch.float32).to(given.dtype)
        return (weights @ value).transpose(1, 2).flatten(2), weights


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float64])
def test_attention_that_is_computed_and_returned_is_one_layer(dtype: torch.dtype) -> None:
    class Model(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.layers = nn.ModuleList([Returning(explicit), Returning(explicit)])
            self.dropout = nn.Dropout()

        def forward(self, given: Tensor) -> tuple[Tensor, ...]:
            weights = []
            for layer in self.layers:
                given, attention = layer(given)
                weights.append(self.dropout(attention))
            return given, *weights

    model = random(Model()).to(dtype)
    found = harness.attention_of(model, tokens().to(dtype))

    assert found.shape[1] == 2
    own = torch.stack(model(tokens().to(dtype))[1:], dim=1).float().detach()
    np.testing.assert_allclose(found, own, atol=1e-5 if dtype != torch.bfloat16 else 4e-3)


def test_modes_hooks_and_gradients_are_as_before() -> None:
    model = layers_of(Fused()).train()
    model[1].eval()  # type: ignore[index]
    given = tokens().requires_grad_()

    harness.attention_of(model, given)

    assert [part.training for part in model] == [True, False, True]  # type: ignore[attr-defined]
    assert model.training
    for part in model.modules():
        assert not part._forward_hooks
        assert not part._forward_pre_hooks
    assert torch.is_grad_enabled()
    model(given).sum().backward()
    assert given.grad is not None


def test_modes_and_hooks_are_as_before_if_the_model_fails() -> None:
    model = layers_of(Fused()).train()

    with pytest.raises(harness.HarnessError, match="Sequential: it does not take these images: "):
        harness.attention_of(model, torch.zeros(2, 3))

    assert all(part.training for part in model.modules())
    assert not any(part._forward_hooks for part in model.modules())


def test_dropout_of_a_model_in_training_changes_nothing() -> None:
    layer = nn.TransformerEncoderLayer(WIDTH, HEADS, 32, dropout=0.9, batch_first=True)
    model = random(nn.TransformerEncoder(layer, 2))
    expected = harness.attention_of(model, tokens())

    assert np.array_equal(harness.attention_of(model.train(), tokens()), expected)


def test_images_are_one_argument_keywords_or_several_arguments() -> None:
    attention = random(nn.MultiheadAttention(WIDTH, HEADS, batch_first=True))
    given = tokens()
    keywords = {"query": given, "key": given, "value": given, "need_weights": False}

    by_name = harness.attention_of(attention, keywords)
    by_place = harness.attention_of(attention, (given, given, given))

    assert by_name.shape == (2, 1, HEADS, TOKENS, TOKENS)
    np.testing.assert_allclose(by_name, by_place, atol=1e-5)
    np.testing.assert_allclose(by_name[:, 0], by_hand(attention, given).detach(), atol=1e-5)


@pytest.mark.parametrize(
    ("chosen", "places"),
    [(1, [1]), (-1, [2]), ([2, 0], [2, 0]), (range(2), [0, 1]), (np.array([-1, 0]), [2, 0])],
)
def test_layers_and_heads_are_chosen_by_number_and_keep_the_order(
    chosen: Any, places: list[int]
) -> None:
    model = layers_of(Fused())
    whole = harness.attention_of(model, tokens())[:, :, :3]

    of_layers = harness.attention_of(model, tokens(), layers=chosen)
    assert np.array_equal(of_layers[:, :, :3], whole[:, places])
    if -1 not in np.ravel(chosen):  # the last of four heads
        of_heads = harness.attention_of(model, tokens(), heads=chosen)
        assert np.array_equal(of_heads, whole[:, :, places])


@pytest.mark.parametrize(
    ("choice", "reason"),
    [
        ({"layers": 3}, r"Sequential: there is no layer 3; there are 0 … 2"),
        ({"heads": -5}, r"Sequential: there is no head -5; there are 0 … 3"),
        ({"layers": [0, -3]}, "layers names one twice"),
        ({"heads": []}, "heads is empty; it takes all, or numbers from 0"),
        (
            {"layers": "last"},
            "layers: expected all or a whole number or a list of such",
        ),
        ({"layers": 1.5}, "layers: expected all or a whole number or a list of such, not 1.5"),
    ],
)
def test_layers_and_heads_that_are_not_there_are_refused(
    choice: dict[str, Any], reason: str
) -> None:
    with pytest.raises(harness.HarnessError, match=f"^{reason}"):
        harness.attention_of(layers_of(Fused()), tokens(), **choice)


class Halving(nn.Module):
    """Passes on every second token."""

    def forward(self, given: Tensor) -> Tensor:
        return given[:, ::2]


def test_layers_of_unequal_numbers_of_tokens_are_refused_by_number() -> None:
    parts = [*layers_of(Fused(), 2), Halving(), *layers_of(Fused(), 1)]
    model = nn.Sequential(*parts)

    with pytest.raises(
        harness.HarnessError,
        match="Sequential: its layers differ in the number of tokens: 7 in 0, 1; 4 in 2; choose",
    ):
        harness.attention_of(model, tokens())
    assert harness.attention_of(model, tokens(), layers=[2]).shape == (2, 1, HEADS, 4, 4)


def test_cross_attention_is_left_out_and_attention_between_channels_too() -> None:
    decoder = random(nn.TransformerDecoderLayer(WIDTH, HEADS, 32, batch_first=True))
    found = harness.attention_of(decoder, (tokens(), tokens()[:, :3]))

    class Channels(nn.Module):
        def forward(self, given: Tensor) -> Tensor:
            parts = given.unflatten(-1, (HEADS, -1)).permute(0, 2, 3, 1)
            return (parts @ parts.transpose(-2, -1)).softmax(dim=-1) @ parts

    assert found.shape == (2, 1, HEADS, TOKENS, TOKENS)
    with pytest.raises(harness.HarnessError, match="Channels: no attention over tokens can be"):
        harness.attention_of(Channels(), tokens())


def test_attention_within_windows_is_refused() -> None:
    class Windows(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.attention = Attention(explicit)

        def forward(self, images: Tensor) -> Tensor:
            of_windows = images.unflatten(2, (2, -1)).permute(0, 2, 3, 4, 1).flatten(0, 1)
            attended: Tensor = self.attention(of_windows.flatten(1, 2))
            return attended

    with pytest.raises(harness.HarnessError, match="its attention is of 4 images, not of 2: it is"):
        harness.attention_of(random(Windows()), torch.rand(2, WIDTH, 4, 3))


def test_rows_that_are_no_numbers_are_refused_by_their_layer() -> None:
    model = layers_of(explicit)
    model[2].projection.bias.data[:] = torch.nan  # type: ignore[index, union-attr]

    with pytest.raises(harness.HarnessError, match="a row of attention of layer 2 sums to nan"):
        harness.attention_of(model, tokens())
    assert harness.attention_of(model, tokens(), layers=[0, 1]).shape[1] == 2


def test_what_is_no_model_or_has_no_attention_is_refused() -> None:
    with pytest.raises(harness.HarnessError, match="model: expected a torch module, not str"):
        harness.attention_of("vit", tokens())
    with pytest.raises(harness.HarnessError, match="Linear: no attention over tokens can be read"):
        harness.attention_of(nn.Linear(WIDTH, 2), tokens())


def test_compiled_modules_run_without_compilation() -> None:
    model = layers_of(Fused())

    def refuse(*_: object) -> None:
        raise AssertionError

    compiled = torch.compile(model, backend=refuse)  # type: ignore[arg-type]
    found = harness.attention_of(compiled, tokens())

    assert np.array_equal(found, harness.attention_of(model, tokens()))
