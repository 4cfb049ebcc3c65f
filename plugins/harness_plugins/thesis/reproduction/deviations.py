"""How the reproduction differs from the thesis, and why."""

from harness_plugins.thesis.reproduction.study import HIGHEST, Study
from harness_plugins.thesis.vit.checkpoint import Checkpoint

ALWAYS = (
    "Thresholds are chosen by `stable-phase`, the thesis' rule made exact; the thesis looked at "
    "the curves.",
    f"The threshold takes 31 values from 0 to {HIGHEST}/n, where n is the number of patches. With "
    f"the thesis' 196 patches that ends at {HIGHEST / 196:.4f}; its largest threshold is 0.041.",
    "Louvain is networkx' on the directed graph, as in the thesis; the random start is seeded. "
    "Infomap runs once, in two levels.",
    "SDP: spins are solved to a certified gap of 1e-4, each connected component on its own, "
    "without isolated patches. HDBSCAN is scikit-learn's, its smallest cluster 5 patches.",
    "Modularity is directed and weighted, on the pruned graph with its self-loops; unassigned "
    "patches count as clusters of one patch, so that leaving patches out gains nothing.",
    "The models: the thesis describes its second model with an MLP in one section and without in "
    "another. Accuracies without it are given where such models were trained.",
    "Zeroed outputs are rows of the block's output, which the classifier reads. Clusters are named "
    "by salience, the attention they get from outside, not as background in hindsight. Clusters "
    "are numbered by size; the thesis' numbers are its own.",
)
THESIS_PICTURES = (
    "Images: the four pictures that the thesis shows, in its order, and others of their set. They "
    "are test images here; which images the thesis trained on is not known, since it names no "
    "split.",
    "The reproduction prepares each picture by stretching it to the model's size; the thesis does "
    "not say how it resized.",
)
OTHER_IMAGES = (
    "Images: those named above, chosen by rule, the first of each class; the thesis shows four "
    "pictures of TF flowers. `--images flowers-sample` has these, with a model of flowers.",
)


def deviations(study: Study) -> tuple[str, ...]:
    """Everything that differs for the study's images and models, in sentences."""
    images = THESIS_PICTURES if study.pictures else OTHER_IMAGES
    return (*images, _model(study.one_head), *ALWAYS)


def differs(study: Study) -> str:
    """Why numbers beside the thesis' own must differ, in one sentence."""
    if study.pictures:
        return (
            "The picture is the thesis'; the weights and the split behind them are others, since "
            "neither is published: signs and orders can agree, digits cannot."
        )
    return (
        "The thesis' numbers are of other images and of other weights: at most their order can "
        "agree."
    )


def _model(one_head: Checkpoint) -> str:
    settings, how = one_head.model.settings, one_head.record.get("training", {})
    rows, columns = settings.grid
    trained = ", ".join(
        f"{name.replace('_', ' ')} {how[name]}"
        for name in ("optimiser", "epochs", "learning_rate", "batch")
        if name in how
    )
    return (
        f"The model with one head reads {settings.height}×{settings.width} pixels in "
        f"{rows}×{columns} patches; its training: {trained or 'not recorded'}. The thesis': "
        "224×224 pixels in 14×14 patches; optimiser SGD with momentum 0.9, epochs 512, learning "
        "rate 0.0003, batch 128."
    )
