"""The extractor `timm`; what needs the library is skipped, with the reason, where it fails."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image as Pictures
from torch.nn import functional

import harness
from harness.cli.main import main
from harness.plugin.ablation import AblationSpec

SMALL: dict[str, Any] = {
    "img_size": 32,
    "patch_size": 8,
    "embed_dim": 32,
    "depth": 3,
    "num_heads": 4,
    "num_classes": 7,
}
STAGES: dict[str, Any] = {"num_classes": 7}
# A name of timm's, what is changed about it, and how many tokens stand before the patches'.
FAMILIES = {
    "vit": ("vit_tiny_patch16_224", SMALL, 1),
    "registers": ("vit_medium_patch16_reg4_gap_256", SMALL, 4),
    "deit": ("deit_tiny_distilled_patch16_224", SMALL, 2),
    "eva02": ("eva02_tiny_patch14_224", SMALL | {"mlp_ratio": 2}, 1),
    "beit": ("beit_base_patch16_224", SMALL, 1),
    "relative": ("vit_relpos_small_patch16_224", SMALL, 0),
    "siglip": ("vit_base_patch16_siglip_224", SMALL | {"num_classes": 0}, 0),
}
UNSUITABLE = {
    "swin": ("swin_tiny_patch4_window7_224", STAGES, "within windows or at several resolutions"),
    "pit": ("pit_ti_224", STAGES, "within windows or at several resolutions"),
    "sam": ("samvit_base_patch16", SMALL, "within windows, not over all patches"),
    "convnext": ("convnext_atto", STAGES, "a model without attention"),
    "resnet": ("resnet18", STAGES, "a model without attention"),
    "xcit": ("xcit_nano_12_p16_224", SMALL, "is returned by 0 modules, not by each"),
}
MADE = {name: family[:2] for name, family in (FAMILIES | UNSUITABLE).items()}
Make = Callable[..., harness.Extractor]


@pytest.fixture(scope="session")
def timm() -> Any:
    """The library, where it can be imported."""
    try:
        import timm
    except Exception as error:  # of torchvision not every failure is an ImportError
        pytest.skip(f"timm cannot be imported: {error}")
    return timm


@pytest.fixture(scope="session")
def folder(timm: Any, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Tells the folder of a tiny model of random weights, made when first asked for."""
    root = tmp_path_factory.mktemp("timm")

    def made(name: str) -> Path:
        if not (root / name).exists():
            torch.manual_seed(0)
            model = timm.create_model(MADE[name][0], **MADE[name][1])
            with torch.no_grad():
                for weights in model.parameters():
                    weights.copy_(0.3 * torch.randn_like(weights))
            timm.models.save_for_hf(
                model, root / name, model_args=MADE[name][1], safe_serialization=True
            )
        return root / name

    return made


@pytest.fixture
def extractor(folder: Callable[[str], Path]) -> Make:
    def made(name: str, parameters: str) -> harness.Extractor:
        return harness.make("extractor", f"timm[model=local-dir:{folder(name)},{parameters}]")

    return made


def shown(timm: Any, model: Any, image: harness.Image) -> torch.Tensor:
    """Pixels by timm's own transform."""
    transform = timm.data.create_transform(**timm.data.resolve_model_data_config(model))
    return transform(Pictures.fromarray(image.pixels))[None]


def test_it_is_listed_whether_or_not_the_library_is_there(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["plugins", "timm"]) == 0
    assert "the torchvision that fits torch" in " ".join(capsys.readouterr().out.split())


@pytest.mark.parametrize("asked", ["head_indices", "fingerprint"])
def test_a_library_that_fails_is_reported_in_one_line_with_reason_and_remedy(
    asked: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "timm.py").write_text("raise RuntimeError('operator torchvision::nms is not')\n")
    (tmp_path / "torchvision.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "timm", raising=False)

    with pytest.raises(harness.HarnessError) as raised:
        getattr(harness.make("extractor", "timm[model=vit_small_patch16_224]"), asked)()

    assert "\n" not in str(raised.value)
    assert "operator torchvision::nms is not" in str(raised.value)
    assert "it needs the torchvision that fits torch" in str(raised.value)


def scores_recorded(monkeypatch: pytest.MonkeyPatch, run: Callable[[], Any]) -> torch.Tensor:
    """The softmax of what goes into fused attention while it runs, (images, layers, heads, …)."""
    seen: list[torch.Tensor] = []
    fused = functional.scaled_dot_product_attention

    def recording(q: Any, k: Any, v: Any, attn_mask: Any = None, **more: Any) -> Any:
        scores = q @ k.transpose(-2, -1) * more.get("scale", q.shape[-1] ** -0.5)
        seen.append(torch.softmax(scores if attn_mask is None else scores + attn_mask, dim=-1))
        return fused(q, k, v, attn_mask=attn_mask, **more)

    with monkeypatch.context() as patched, torch.inference_mode():
        patched.setattr(functional, "scaled_dot_product_attention", recording)
        run()
    return torch.stack([each for each in seen if each.shape[-1] == each.shape[-2]], dim=1)


@pytest.mark.parametrize("name", FAMILIES)
def test_maps_are_the_softmax_of_what_goes_into_fused_attention(
    name: str, timm: Any, folder: Callable[[str], Path], extractor: Make, photo: harness.Image,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    model = timm.create_model(f"local-dir:{folder(name)}", pretrained=True).eval()
    pixels = shown(timm, model, photo)
    expected = scores_recorded(monkeypatch, lambda: model.forward_features(pixels))
    kept = extractor(name, "layers=all,prefix=keep")
    found = np.stack([each.weights for each in kept.extract([photo])])

    assert len(kept.head_indices()) == 3 * 4
    assert found.shape[1] == FAMILIES[name][2] + 16
    assert np.abs(found - expected.flatten(0, 2).numpy()).max() < 1e-5


@pytest.mark.parametrize("name", FAMILIES)
def test_fused_attention_is_read_beside_it(
    name: str, timm: Any, folder: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    model = timm.create_model(f"local-dir:{folder(name)}", pretrained=True).eval()
    pixels = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        before = model(pixels)
        found = harness.attention_of(model, pixels)
        after = model(pixels)

    expected = scores_recorded(monkeypatch, lambda: model(pixels))
    assert torch.equal(before, after)
    assert np.abs(found - expected.numpy()).max() < 1e-5


@pytest.mark.filterwarnings("ignore:.*set to zero")
@pytest.mark.parametrize("name", FAMILIES)
def test_similarities_are_cosines_of_what_goes_into_fused_attention(
    name: str, timm: Any, folder: Callable[[str], Path], extractor: Make, photo: harness.Image,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    model = timm.create_model(f"local-dir:{folder(name)}", pretrained=True).eval()
    seen: list[tuple[torch.Tensor, ...]] = []
    fused = functional.scaled_dot_product_attention

    def recording(*given: Any, **more: Any) -> Any:
        seen.append(given[:3])
        return fused(*given, **more)

    with monkeypatch.context() as patched, torch.inference_mode():
        patched.setattr(functional, "scaled_dot_product_attention", recording)
        tokens = model.forward_features(shown(timm, model, photo))[0, FAMILIES[name][2] :]
    (last,) = extractor(name, "of=tokens").extract([photo])
    expected = functional.cosine_similarity(tokens[:, None], tokens, dim=-1)
    np.testing.assert_allclose(last.weights, expected.clamp(min=0), atol=1e-5)
    for number, of in enumerate(("queries", "keys", "values")):
        if name == "eva02" and of != "values":
            continue  # turned by rotary positions on their way
        found = list(extractor(name, f"of={of},layers=all,heads=all").extract([photo]))
        assert len(found) == 3 * 4
        for each in found:
            features = seen[each.layer][number][0, each.head, FAMILIES[name][2] :]
            expected = functional.cosine_similarity(features[:, None], features, dim=-1)
            np.testing.assert_allclose(each.weights, expected.clamp(min=0), atol=1e-5)


@pytest.mark.parametrize("name", UNSUITABLE)
def test_unsuitable_models_are_refused_with_the_reason(
    name: str, extractor: Make, photo: harness.Image
) -> None:
    with pytest.raises(harness.HarnessError, match=UNSUITABLE[name][2]):
        list(extractor(name, "layers=last").extract([photo]))


@pytest.mark.parametrize("name", ["vit", "eva02", "siglip"])
def test_another_size_keeps_the_images_aspect(
    name: str, extractor: Make, photo: harness.Image
) -> None:
    (found,) = extractor(name, "size=48,heads=mean").extract([photo])

    assert (found.grid, found.region) == ((6, 8), (0, 0, 50, 70))


def test_a_model_of_one_size_says_so(extractor: Make, photo: harness.Image) -> None:
    with pytest.raises(harness.HarnessError, match="images of one size only; leave size out"):
        list(extractor("beit", "size=48").extract([photo]))


def test_weights_stand_in_for_the_models_own(
    extractor: Make, folder: Callable[[str], Path], photo: harness.Image, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    state = load_file(folder("vit") / "model.safetensors")
    path = tmp_path / "other.safetensors"
    save_file({name: weights / 2 for name, weights in state.items()}, path)
    own, other = (extractor("vit", f"heads=0{more}") for more in ("", f",weights={path}"))

    (mine,), (others,) = own.extract([photo]), other.extract([photo])
    assert not np.allclose(mine.weights, others.weights)
    assert own.fingerprint() != other.fingerprint()


def test_a_file_with_missing_weights_is_refused_by_their_name(
    extractor: Make, folder: Callable[[str], Path], photo: harness.Image, tmp_path: Path
) -> None:
    from safetensors.torch import load_file, save_file

    state = load_file(folder("vit") / "model.safetensors")
    del state["blocks.1.attn.qkv.weight"]
    save_file(state, tmp_path / "less.safetensors")
    incomplete = extractor("vit", f"weights={tmp_path / 'less.safetensors'}")

    with pytest.raises(harness.HarnessError, match=r"^.*blocks\.1\.attn\.qkv\.weight.*$"):
        list(incomplete.extract([photo]))


def test_only_safetensors_are_read(
    extractor: Make, folder: Callable[[str], Path], tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_bytes((folder("vit") / "config.json").read_bytes())
    torch.save({}, tmp_path / "pytorch_model.bin")

    with pytest.raises(harness.HarnessError, match=r"a \.safetensors file, not a\.pth"):
        extractor("vit", "weights=a.pth").fingerprint()
    with pytest.raises(harness.HarnessError, match="only safetensors are read"):
        harness.make("extractor", f"timm[model=local-dir:{tmp_path}]").fingerprint()


@pytest.mark.parametrize(
    ("model", "reason"),
    [
        ("nonsense", r"Unknown model \(nonsense\)"),
        ("vit_small_patch16_36x1_224", "no weights of it on the Hugging Face hub; give weights"),
        ("local-dir:nowhere", r"there is no file nowhere.model\.safetensors"),
        ("some/repository", "hf-hub:some/repository"),
    ],
)
def test_models_that_are_not_there_are_refused(timm: Any, model: str, reason: str) -> None:
    with pytest.raises(harness.HarnessError, match=reason):
        harness.make("extractor", f"timm[model={model}]").fingerprint()


@pytest.mark.parametrize("at", ["block", "attention", "keys"])
def test_ablation_changes_the_models_own_logits(
    at: Any, timm: Any, folder: Callable[[str], Path], extractor: Make, photo: harness.Image
) -> None:
    ablated = extractor("vit", "layers=all").ablator(AblationSpec(at, "zero", 1))(photo)  # type: ignore[attr-defined]
    model = timm.create_model(f"local-dir:{folder('vit')}", pretrained=True).eval()
    with torch.inference_mode():
        own = model(shown(timm, model, photo))[0].numpy()
    nothing, everything = np.zeros((1, 16), dtype=bool), np.ones((1, 16), dtype=bool)

    assert ablated.answer == "logits"
    assert np.abs(ablated.intact - own).max() < 1e-5 * np.abs(own).max()
    assert np.abs(ablated.changes(nothing)).max() < 1e-5 * np.abs(own).max()
    assert np.abs(ablated.changes(everything)).max() > 1e-3
