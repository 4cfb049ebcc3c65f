import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import harness
from harness.analysis.ablation import AblationSettings
from harness.planning.progress import Progress
from harness_plugins.thesis.vit import checkpoint
from harness_plugins.thesis.vit.checkpoint import Checkpoint, Normalisation
from harness_plugins.thesis.vit.model import ModelSettings, OneLayerViT
from support import PLUGINS
from support.runs import small_run

SELECTORS = "fixed[level=0.6],stable-phase[minimum_length=50,beyond_noise=false]"
CHOSEN = "louvain@selector=fixed,head=1"
FEW = AblationSettings(draws=20)


def write_checkpoint(path: Path, seed: int) -> None:
    """A model of two heads and 4×4 patches of random weights, large ones."""
    torch.manual_seed(seed)
    model = OneLayerViT(ModelSettings(patch=7, dimension=12, heads=2, classes=4))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3)
    record = {"classes": ["ant", "bee", "cat", "dog"]}
    checkpoint.save(path, Checkpoint(model, Normalisation(0.3, 0.3), record))


@pytest.fixture(scope="module")
def computed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with images, a checkpoint, and a run of them; not to be written to."""
    folder = tmp_path_factory.mktemp("ablation")
    write_checkpoint(folder / "model.safetensors", 0)
    random = np.random.default_rng(0)
    (folder / "photos").mkdir()
    for number in range(3):
        pixels = random.integers(0, 256, (28, 28), dtype=np.uint8)
        Image.fromarray(pixels).save(folder / "photos" / f"{number}.png")
    small_run(
        folder / "out",
        images=f"folder[path={folder / 'photos'}]",
        extractors=f"one-layer-vit[checkpoint={folder / 'model.safetensors'}]",
        selectors=SELECTORS,
        levels=4,
    )
    return folder


@pytest.fixture
def run(computed: Path) -> harness.Run:
    return harness.open_run(computed / "out")


def test_the_clusters_of_every_image_are_removed(run: harness.Run, computed: Path) -> None:
    found = run.ablate(CHOSEN, settings=FEW)

    assert [each.image for each in found.images] == ["0.png", "1.png", "2.png"]
    assert found.nothing == {}
    assert found.classes == ("ant", "bee", "cat", "dog")
    loaded = checkpoint.load(computed / "model.safetensors")
    for each in found.images:
        pixels = np.asarray(Image.open(computed / "photos" / each.image))
        fed = loaded.normalisation(torch.from_numpy(pixels.copy()))[None, None]
        logits = loaded.model(fed)[0].detach().numpy()
        assert each.answer == "logits"
        prediction = each.prediction
        assert prediction is not None
        assert prediction.logits == pytest.approx(logits.tolist(), rel=1e-4, abs=1e-4)
        # Without a label the predicted class takes the place of the true one.
        assert (prediction.target, prediction.labelled) == (logits.argmax(), False)
        labels = run.partition(each.image, CHOSEN).numbers
        for cluster in each.clusters:
            if cluster.salience is not None:
                assert cluster.patches == (labels == cluster.label).sum()
                alone = next(e for e in each.effects if e.clusters == (cluster.label,))
                rows = _rows(loaded.model, fed)
                rows[0, labels == cluster.label] = 0
                without = loaded.model.classifier(rows.flatten(1))[0].detach().numpy()
                assert alone.logits == pytest.approx((without - logits).tolist(), abs=1e-3)


def _rows(model: OneLayerViT, image: torch.Tensor) -> torch.Tensor:
    tokens = model.embed(image)
    tokens = tokens + model.attention(model.attention_norm(tokens))
    return (tokens + model.mlp(model.mlp_norm(tokens))).detach()


@pytest.mark.parametrize(
    ("names", "labelled"), [("ant bee cat dog", True), ("doll ball bear kite", False)]
)
def test_a_label_is_the_target_where_it_is_of_the_models_classes(
    computed: Path, tmp_path: Path, names: str, labelled: bool
) -> None:
    plugin = PLUGINS / "toys.py"
    run = small_run(
        tmp_path / "out",
        images=f"toys[names={names}]",
        extractors=f"one-layer-vit[checkpoint={computed / 'model.safetensors'},heads=[0]]",
        selectors="fixed[level=0.5]",
        plugins=[plugin],
    )

    (image,) = run.ablate("louvain", settings=FEW, plugins=[plugin]).images

    assert image.prediction is not None
    assert image.prediction.labelled == labelled
    assert image.prediction.target == (1 if labelled else np.argmax(image.prediction.logits))


def test_clusters_are_in_the_order_of_the_attention_that_they_get_from_outside(
    run: harness.Run,
) -> None:
    (each,) = run.ablate(CHOSEN, ["1.png"], FEW).images

    labels = run.partition("1.png", CHOSEN).numbers
    maps = run.folder / "maps"
    weights = [np.load(path) for path in maps.glob("*.npy")]
    saliences = {c.label: c.salience for c in each.clusters if c.salience is not None}
    assert list(saliences.values()) == sorted(saliences.values(), reverse=True)
    expected = [
        {
            label: sum(
                own[query, key]
                for query in np.flatnonzero(labels != label)
                for key in np.flatnonzero(labels == label)
            )
            / (np.count_nonzero(labels == label) * np.count_nonzero(labels != label))
            for label in saliences
        }
        for own in weights
    ]
    # One of the run's maps is the image's.
    assert any(saliences == pytest.approx(each, rel=1e-4) for each in expected)


def test_seeds_repeat(run: harness.Run) -> None:
    once, again = (run.ablate(CHOSEN, ["1.png"], FEW) for _ in range(2))
    other = run.ablate(CHOSEN, ["1.png"], AblationSettings(draws=20, seed=1))

    assert once == again
    chances = [[e.random for each in one.images for e in each.effects] for one in (once, other)]
    assert chances[0] != chances[1]
    assert [each.clusters for each in once.images] == [each.clusters for each in other.images]


def test_images_on_which_nothing_was_accepted_have_nothing_to_remove(run: harness.Run) -> None:
    found = run.ablate("louvain@selector=stable-phase,head=0", settings=FEW)

    assert found.images == found.contrasts == ()
    assert list(found.nothing) == ["0.png", "1.png", "2.png"]
    assert found.nothing["0.png"].endswith("accepted no level")


def test_a_reference_may_name_the_image_set(run: harness.Run) -> None:
    found = run.ablate(f"{CHOSEN},images=folder", ["1.png"], FEW)

    assert found.images == run.ablate(CHOSEN, ["1.png"], FEW).images


@pytest.mark.parametrize(
    ("partition", "images", "line"),
    [
        (CHOSEN, ["9.png"], "there is no image '9.png'"),
        ("louvain@selector=fixed", [], "louvain@selector=fixed: head may be 0, 1; choose one"),
        ("luvain", [], "the run has no clusterer 'luvain'; did you mean 'louvain'?"),
        ("louvain@images=mine,level=0", [], "the run has no images 'mine'"),
    ],
)
def test_what_the_run_does_not_have_is_named_in_one_line(
    run: harness.Run, partition: str, images: list[str], line: str
) -> None:
    with pytest.raises(harness.HarnessError) as raised:
        run.ablate(partition, images, FEW)

    assert line in str(raised.value)
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"at": "head"}, "at: expected block or attention or keys, not 'head'"),
        ({"fill": "noise"}, "fill: expected zero or mean, not 'noise'"),
        ({"at": "keys", "fill": "mean"}, "keys are masked, not filled"),
        ({"draws": 0}, "draws: expected a whole number from 1"),
        ({"together": 0}, "together: expected a whole number from 1"),
        ({"seed": -1}, "seed: expected a whole number from 0, not -1"),
    ],
)
def test_settings_out_of_range_are_refused(values: dict[str, Any], line: str) -> None:
    with pytest.raises(harness.HarnessError, match=line):
        AblationSettings(**values)


def test_maps_without_a_model_are_refused(planted: Path, tmp_path: Path) -> None:
    run = small_run(tmp_path / "out", planted, selectors="fixed[level=0]", levels=2)

    with pytest.raises(
        harness.HarnessError, match=r"come from arrays.*no model to ablate; one-layer-vit"
    ):
        run.ablate("louvain", settings=FEW)


@pytest.fixture
def changed(computed: Path, tmp_path: Path) -> Iterator[Path]:
    """The same run with its photos and its checkpoint in a place where they can be changed."""
    kept = tmp_path / "kept"
    shutil.copytree(computed / "photos", kept / "photos")
    shutil.copy(computed / "model.safetensors", kept)
    yield computed
    shutil.rmtree(computed / "photos")
    shutil.copytree(kept / "photos", computed / "photos")
    shutil.copy(kept / "model.safetensors", computed)


def test_a_checkpoint_that_is_gone_is_named(changed: Path) -> None:
    (changed / "model.safetensors").unlink()

    with pytest.raises(harness.HarnessError, match=r"model\.safetensors: no such checkpoint"):
        harness.open_run(changed / "out").ablate(CHOSEN, settings=FEW)


def test_another_checkpoint_under_the_name_is_refused(changed: Path) -> None:
    write_checkpoint(changed / "model.safetensors", 1)

    with pytest.raises(harness.HarnessError, match="not the model of the run: its SHA-256 is"):
        harness.open_run(changed / "out").ablate(CHOSEN, settings=FEW)


def test_other_pixels_under_the_name_are_refused(changed: Path) -> None:
    Image.fromarray(np.zeros((28, 28), dtype=np.uint8)).save(changed / "photos" / "1.png")

    with pytest.raises(harness.HarnessError, match=r"1\.png: its pixels are not those of the run"):
        harness.open_run(changed / "out").ablate(CHOSEN, settings=FEW)


def test_an_image_that_is_gone_is_named(changed: Path) -> None:
    (changed / "photos" / "2.png").unlink()

    with pytest.raises(harness.HarnessError, match=r"2\.png"):
        harness.open_run(changed / "out").ablate(CHOSEN, settings=FEW)


class Interrupting(Progress):
    """Counts the sets of patches, and stops after so many calls of the model."""

    def __init__(self, calls: float) -> None:
        self.calls, self.total, self.done = calls, 0, 0

    def begin(self, phase: str, total: int, seconds_left: object = None) -> None:
        if phase == "removing sets of patches":
            self.total = total

    def advance(self, steps: int = 1) -> None:
        if self.total:
            self.done, self.calls = self.done + steps, self.calls - 1
            if self.calls < 0:
                raise KeyboardInterrupt


def test_an_interrupted_ablation_continues_with_the_same_digits(
    computed: Path, tmp_path: Path
) -> None:
    # Without what other tests measured.
    ignored = shutil.ignore_patterns("ablations")
    shutil.copytree(computed / "out", tmp_path / "out", ignore=ignored)
    run = harness.open_run(tmp_path / "out")
    first, second, third = Interrupting(5), Interrupting(np.inf), Interrupting(np.inf)
    whole = harness.open_run(computed / "out").ablate(CHOSEN, settings=FEW)

    with pytest.raises(KeyboardInterrupt):
        run.ablate(CHOSEN, settings=FEW, progress=first)
    continued = run.ablate(CHOSEN, settings=FEW, progress=second)
    other = replace(FEW, seed=1)
    run.ablate(CHOSEN, settings=other, progress=third)

    assert replace(continued, run=whole.run) == whole
    assert second.done == second.total < first.total == third.total
