"""All exhibits, in the thesis' order."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

from harness import HarnessError
from harness.command import did_you_mean
from harness_plugins.thesis.reproduction import accuracy, attention, clusters, logits, profiles
from harness_plugins.thesis.reproduction.exhibit import Exhibit, Output
from harness_plugins.thesis.reproduction.semantics import foreground_agreement
from harness_plugins.thesis.reproduction.verdicts import claims


def _by_image(title: str, make: Callable[..., Output], names: Sequence[str]) -> Iterator[Exhibit]:
    """One exhibit for each of the first images."""
    for number, name in enumerate(names):
        made = partial(make, number=number, name=name)
        yield Exhibit(name, title, made, about=f"image {number + 1}")


EXHIBITS: Sequence[Exhibit] = (
    Exhibit("table-4.1", "Accuracy with and without attention", accuracy.accuracies),
    Exhibit("figure-4.1", "Confusion matrix", accuracy.confusion_matrix),
    *_by_image(
        "Attention of one patch by head",
        attention.heatmaps,
        ["figure-4.2", "figure-4.3", "figure-4.4", "figure-4.5"],
    ),
    Exhibit("figure-4.6", "Accuracy by class against heads", accuracy.accuracy_by_heads),
    Exhibit("heads", "Which heads cluster", attention.heads_that_cluster),
    Exhibit("table-4.2", "Class probabilities of the images", accuracy.class_probabilities),
    Exhibit("images", "The images", clusters.images_shown),
    Exhibit(
        "figure-4.7",
        "Modularity and clusters against the threshold",
        partial(profiles.first_profile, name="figure-4.7"),
        about="image 1, Louvain",
    ),
    *_by_image(
        "Louvain's clusters, one per panel",
        clusters.louvain_panels,
        ["figure-4.8", "figure-4.9", "figure-4.10", "figure-4.11"],
    ),
    Exhibit("figure-4.12", "Two numbers of clusters compared", clusters.two_counts),
    Exhibit("figure-4.13", "A random image", clusters.random_image),
    Exhibit("figure-4.14", "Modularity and clusters on a random image", profiles.noise_alone),
    Exhibit("table-4.3", "Threshold, clusters, modularity", profiles.chosen_thresholds),
    *_by_image(
        "Logits with clusters' outputs zeroed",
        logits.logits_of_image,
        ["table-4.4", "table-4.5", "table-4.6"],
    ),
    Exhibit("ablation", "Clusters zeroed, over all images", logits.over_all_images),
    *_by_image(
        "Modularity and clusters against the threshold",
        profiles.profiles_of_image,
        list(profiles.APPENDIX),
    ),
    Exhibit("figure-A.6", "Clusters of all methods", clusters.all_methods),
    Exhibit("semantics", "Agreement of clusters with the foreground", foreground_agreement),
    Exhibit("claims", "The thesis' claims, in numbers", claims),
)


def chosen(names: Sequence[str]) -> Sequence[Exhibit]:
    """The exhibits of these names, in the order of the thesis; all exhibits if there is no name."""
    known = [exhibit.name for exhibit in EXHIBITS]
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or "; `harness reproduce --list` names them"
            raise HarnessError(f"there is no exhibit {name!r}{hint}")
    return [exhibit for exhibit in EXHIBITS if not names or exhibit.name in names]
