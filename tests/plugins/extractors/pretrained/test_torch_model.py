"""The extractor `torch`, of models that code of the user's builds."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pictures

import harness
from harness.plugin.ablation import AblationSpec
from harness.plugin.modules import plugin_module
from support.cuda import fake_cuda
from support.runs import small_run

SOURCE = """
import torch
from torch import nn
from torch.nn import functional


class Layer(nn.Module):
    def __init__(self):
        super().__init__()
        self.parts, self.out = nn.Linear(32, 96), nn.Linear(32, 32)

    def forward(self, tokens):
        query, key, value = self.parts(tokens).unflatten(-1, (3, 4, 8)).permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(query, key, value)
        return tokens + self.out(attended.transpose(1, 2).flatten(2))


class Model(nn.Module):
    def __init__(self, *layers, channels=3, width=7):
        super().__init__()
        self.patches = nn.Conv2d(channels, 32, 8, stride=8)
        self.first = nn.Parameter(torch.randn(1, 1, 32))
        self.positions = nn.Parameter(torch.randn(1, 17, 32))
        self.layers = nn.Sequential(*layers)
        self.head = nn.Linear(32, width)

    def forward(self, images):
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        tokens = torch.cat([self.first.expand(len(tokens), -1, -1), tokens], dim=1)
        return self.head(self.layers(tokens + self.positions)[:, 0])


def encoder(**more):
    return nn.TransformerEncoderLayer(32, 4, 64, batch_first=True, **more)


def fused():
    return Model(Layer(), Layer(), Layer())


def torchs():
    return Model(encoder(), encoder(), encoder(norm_first=True))


def grey():
    return Model(Layer(), channels=1).half()


def tokens():
    return nn.Sequential(nn.Conv2d(3, 32, 8, stride=8), nn.Flatten(2), Turned(), Layer(), Layer())


class Turned(nn.Module):
    def forward(self, given):
        return given.transpose(1, 2)


def fails():
    raise OSError("no weights\\nare here")


def number():
    return 3


def convolution():
    return nn.Conv2d(3, 4, 3)


def uneven():
    return Model(Layer(), encoder(), nn.TransformerEncoderLayer(32, 2, batch_first=True))
"""
Make = Callable[..., harness.Extractor]


@pytest.fixture(scope="module")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with the functions that build models; not to be written to."""
    path = tmp_path_factory.mktemp("torch") / "my_module.py"
    path.write_text(SOURCE)
    return path


@pytest.fixture
def extractor(plugin: Path) -> Make:
    """Makes the extractor of a function's model, for images of 32×32 pixels."""

    def made(function: str, parameters: str = "size=[32,32]") -> harness.Extractor:
        spec = f"torch[factory=my_module:{function},{parameters}]"
        return harness.make("extractor", spec, plugins=[plugin])

    return made


def model_of(function: str) -> Any:
    """The function's model, built as the extractor builds it."""
    torch.manual_seed(0)
    return getattr(plugin_module("my_module").module, function)().float().eval()


def standardised(image: harness.Image) -> torch.Tensor:
    resized = Pictures.fromarray(image.pixels).resize((32, 32), Pictures.Resampling.LANCZOS)
    unit = np.asarray(resized, dtype=np.float32) / 255
    mean, deviation = np.float32([0.485, 0.456, 0.406]), np.float32([0.229, 0.224, 0.225])
    return torch.from_numpy(((unit - mean) / deviation).transpose(2, 0, 1))[None]


@pytest.mark.parametrize("function", ["fused", "torchs"])
def test_maps_are_the_models_attention(
    function: str, extractor: Make, photo: harness.Image
) -> None:
    made = extractor(function, "size=[32,32],layers=all,prefix=keep")
    found = np.stack([each.weights for each in made.extract([photo])])

    expected = harness.attention_of(model_of(function), standardised(photo))
    np.testing.assert_allclose(found.reshape(expected.shape), expected, atol=1e-5)
    assert len(made.head_indices()) == 3 * 4


def test_patches_are_found_and_class_tokens_are_left_out(
    extractor: Make, photo: harness.Image
) -> None:
    (found,) = extractor("fused", "size=[32,32],heads=mean").extract([photo])

    assert (found.grid, found.region) == ((4, 4), (0, 0, 50, 70))
    np.testing.assert_allclose(found.weights.sum(axis=1), 1, atol=1e-6)


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("dtype", ["float64", "bfloat16"])
def test_maps_in_other_precisions_and_batches_are_close_to_those_in_single(
    batch: int, dtype: str, extractor: Make, photo: harness.Image
) -> None:
    single = list(extractor("torchs").extract([photo]))
    other = list(
        extractor("torchs", f"size=[32,32],dtype={dtype},batch={batch}").extract([photo, photo])
    )

    for mine, theirs in zip(single * 2, other, strict=True):
        np.testing.assert_allclose(mine.weights, theirs.weights, atol=0.01)


def test_maps_of_fused_attention_on_a_device_are_those_of_the_cpu(
    extractor: Make, photo: harness.Image
) -> None:
    expected = [each.weights for each in extractor("fused").extract([photo])]

    with fake_cuda():
        made = extractor("fused", "size=[32,32],device=cuda")
        found = [each.weights for each in made.extract([photo])]

    assert np.array_equal(found, expected)


@pytest.mark.filterwarnings("ignore:.*set to zero")
@pytest.mark.parametrize("of", ["keys", "values", "tokens"])
def test_similarities_of_features_are_read_from_fused_attention(
    of: str, extractor: Make, photo: harness.Image
) -> None:
    model = model_of("fused")
    state = model.patches(standardised(photo)).flatten(2).transpose(1, 2)
    state = torch.cat([model.first, state], dim=1) + model.positions
    state = model.layers[:2](state)
    projected = model.layers[2].parts(state).chunk(3, dim=-1)
    parts = dict(zip(("queries", "keys", "values"), projected, strict=True))
    features = {**parts, "tokens": model.layers[2](state)}[of][0, 1:]

    (found,) = extractor("fused", f"size=[32,32],of={of}").extract([photo])

    expected = torch.cosine_similarity(features[:, None], features, dim=-1).clamp(min=0)
    np.testing.assert_allclose(found.weights, expected.detach(), atol=1e-5)


@pytest.mark.filterwarnings("ignore:.*set to zero")
def test_a_model_may_return_tokens_and_have_none_before_the_patches(
    extractor: Make, photo: harness.Image
) -> None:
    (found,) = extractor("tokens", "size=[32,48],of=tokens").extract([photo])

    assert found.grid == (4, 6)


def test_the_number_of_means_is_that_of_channels(extractor: Make, photo: harness.Image) -> None:
    (found,) = extractor("grey", "size=[32,32],mean=0.5,std=0.5,heads=0").extract([photo])

    assert found.grid == (4, 4)


@pytest.mark.parametrize(
    ("function", "at"),
    [
        ("fused", "block"),
        ("fused", "attention"),
        ("torchs", "block"),
        ("torchs", "attention"),
        ("torchs", "keys"),
    ],
)
def test_ablation_changes_the_models_own_logits(
    function: str, at: Any, extractor: Make, photo: harness.Image
) -> None:
    made: Any = extractor(function, "size=[32,32],layers=all")
    ablated = made.ablator(AblationSpec(at, "zero", 1))(photo)
    sets = np.stack([np.zeros(16, dtype=bool), np.ones(16, dtype=bool), np.arange(16) < 5])
    changes = ablated.changes(sets)

    own = model_of(function)(standardised(photo))[0].detach().numpy()
    assert ablated.answer == "logits"
    np.testing.assert_allclose(ablated.intact, own, atol=1e-5)
    np.testing.assert_allclose(changes[0], 0, atol=1e-5)
    assert (np.abs(changes[1:]).max(axis=1) > 1e-3).all()


def test_random_weights_are_the_same_each_time_and_no_generator_is_disturbed(
    extractor: Make,
) -> None:
    torch.manual_seed(1)
    before = extractor("fused").fingerprint()
    drawn = torch.rand(1)
    torch.manual_seed(2)

    assert extractor("fused").fingerprint() == before
    torch.manual_seed(1)
    assert torch.equal(torch.rand(1), drawn)


def test_weights_and_code_are_part_of_the_fingerprint(extractor: Make, tmp_path: Path) -> None:
    def fingerprint(source: str) -> str:
        path = tmp_path / "my_module.py"
        path.write_text(source)
        made = harness.make("extractor", "torch[factory=my_module:fused]", plugins=[path])
        return str(made.fingerprint())

    same = fingerprint(SOURCE)
    other_code = fingerprint(SOURCE.replace("tokens + self.out", "self.out"))
    other_weights = fingerprint(SOURCE.replace("def fused():", "def fused():\n    torch.rand(1)"))

    assert same == extractor("fused").fingerprint()
    assert len({same, other_code, other_weights}) == 3


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        ("nowhere", "my_module:nowhere: there is no function nowhere in my_module"),
        ("fails", "my_module:fails: it fails: OSError: no weights$"),
        ("number", "my_module:number: it returns no torch module but int"),
        ("convolution", "my_module:convolution: no attention over tokens can be read"),
        ("uneven", "its layers differ in the number of heads: 4 in 0, 1; 2 in 2"),
    ],
)
def test_functions_that_build_no_transformer_are_refused(
    function: str, reason: str, extractor: Make
) -> None:
    with pytest.raises(harness.HarnessError, match=reason):
        extractor(function).head_indices()


def test_a_size_that_the_model_does_not_take_is_refused(extractor: Make) -> None:
    with pytest.raises(
        harness.HarnessError, match=r"images of 40×40 pixels with 3 channels: .*; size and mean"
    ):
        extractor("fused", "size=40").head_indices()


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ("factory=my_module", "factory takes MODULE:FUNCTION, such as my_module:make_model, not"),
        ("factory=m:f,mean=[1,2]", r"mean and std take one value each, .* not \[1.0, 2.0\]"),
        ("factory=m:f,mean=0", "mean and std take one value each, for grey, or three"),
        ("factory=m:f,std=[1,0,1]", "std must be above 0, not 0.0"),
    ],
)
def test_parameters_are_checked(parameters: str, reason: str) -> None:
    with pytest.raises(harness.HarnessError, match=reason):
        harness.make("extractor", f"torch[{parameters}]")


def test_a_run_has_maps_of_the_model_and_needs_the_module(plugin: Path, tmp_path: Path) -> None:
    settings: dict[str, Any] = {
        "extractors": "torch[factory=my_module:fused,size=[32,32],heads=mean]",
        "images": "noise[count=2]",
        "controls": "shuffled-patches",
        "clusterers": "louvain",
    }
    run = small_run(tmp_path / "out", plugins=[plugin], **settings)

    assert set(run.cells()["status"]) == {"ok"}
    with pytest.raises(harness.HarnessError, match="no module 'other_module' was loaded"):
        small_run(
            tmp_path / "none",
            **settings | {"extractors": "torch[factory=other_module:fused]"},
        )
