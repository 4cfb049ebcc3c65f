import io
from dataclasses import replace

from rich.console import Console

from harness.analysis.ablation import Ablation, AblationSettings, ImageAblation, Prediction
from harness.metrics.ablation import Chance, Effect, contrasts
from harness.metrics.salience import ClusterSalience
from harness.views.ablation import show

CLUSTERS = (ClusterSalience(3, 6, 0.2), ClusterSalience(0, 4, 0.1), ClusterSalience(-1, 2, None))
LOGITS = Prediction(1, True, (1.0, 3.0), 2.0, 0.881, 1)


def effect(label: int, patches: int, figures: dict[str, float]) -> Effect:
    chance = Chance(figures, 0.011, 0.022, 0.04)
    return Effect("alone", (label,), patches, figures, chance, chance)


def shown(*images: ImageAblation, nothing: dict[str, str] | None = None) -> str:
    """What the terminal shows of images, one by one and all together, without line breaks."""
    compared = tuple(contrasts([image.alone() for image in images]))
    settings = AblationSettings(at="keys")
    found = Ablation("louvain", settings, ("ant", "bee"), images, nothing or {}, compared)
    file = io.StringIO()
    show("runs/one", found, Console(file=file, width=160), each=True)
    return " ".join(file.getvalue().split())


def of_embedding(key: str) -> ImageAblation:
    effects = tuple(effect(each.label, each.patches, {"distance": 0.0123}) for each in CLUSTERS)
    return ImageAblation(key, "", {}, CLUSTERS, "class token", 32, None, effects)


def test_an_embedding_has_a_table_of_distances() -> None:
    text = shown(of_embedding("a.png"))

    assert "a.png: class token, 32 dimensions" in text
    assert "0 (4 patches, 0.1), unassigned (2 patches)" in text
    assert "removed patches distance random p contiguous p" in text
    assert "unassigned 2 0.012 0.012 (0.011…0.022) .040" in text


def test_the_class_of_an_image_stands_beside_its_embedding() -> None:
    text = shown(replace(of_embedding("a.png"), class_name="tulips"))

    assert "a.png: tulips; class token, 32 dimensions" in text


def test_embeddings_of_several_images_are_compared_by_their_distances() -> None:
    text = shown(of_embedding("a.png"), of_embedding("b.png"), nothing={"c.png": "no cluster"})

    assert "2 images with at least two clusters are compared; 1 have nothing to remove" in text
    assert "the model has no classifier: class token" in text
    assert "The most salient cluster removed: 50% of the patches" in text
    assert "c.png: nothing to remove: no cluster" in text


def test_logits_have_a_table_of_figures_and_one_of_classes() -> None:
    figures = {"logit": -0.5, "margin": -1.5, "probability": -0.125, "accuracy": -1.0}
    chance = Chance(figures, -0.7, 0.1, 0.5)
    removed = Effect("alone", (3,), 6, figures, chance, chance, (1.0, -0.5), 0, True)

    text = shown(ImageAblation("a.png", "", {}, CLUSTERS[:1], "logits", 2, LOGITS, (removed,)))

    assert "a.png: bee, predicted; logit 3.00, margin +2.00, probability 0.881" in text
    assert "contiguous p margin prob. predicted" in text
    assert "3 6 -0.50 -0.50 (-0.70…+0.10) .500" in text
    assert "-1.50 -0.125 ant" in text
    assert "removed ant bee" in text
    assert "logits 1.00 3.00 3 +1.00 -0.50" in text
