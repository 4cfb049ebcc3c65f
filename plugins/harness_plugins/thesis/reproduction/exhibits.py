"""All exhibits, in the thesis' order."""

from collections.abc import Sequence

from harness import HarnessError
from harness.command import did_you_mean
from harness_plugins.thesis.reproduction import (
    accuracy,
    attention,
    clusters,
    logits,
    profiles,
    semantics,
)
from harness_plugins.thesis.reproduction.claims import claims
from harness_plugins.thesis.reproduction.exhibit import Exhibit

EXHIBITS: Sequence[Exhibit] = (
    Exhibit("table-4.1", "Accuracy with and without attention", accuracy.accuracies),
    Exhibit("figure-4.1", "Confusion matrix", accuracy.confusion_matrix),
    *(
        Exhibit(
            f"figure-4.{place + 2}",
            f"Attention of one patch by head, image {place + 1}",
            attention.heatmaps(place),
        )
        for place in range(4)
    ),
    Exhibit("figure-4.6", "Accuracy by class against heads", accuracy.accuracy_by_heads),
    Exhibit("heads", "Which heads cluster", attention.heads_that_cluster),
    Exhibit("table-4.2", "Class probabilities of the images", accuracy.class_probabilities),
    Exhibit("figure-4.7", "The images", clusters.images_shown),
    *(
        Exhibit(
            f"figure-4.{place + 8}",
            f"Louvain's clusters, one a panel, image {place + 1}",
            clusters.panels_of(place, f"figure-4.{place + 8}"),
        )
        for place in range(4)
    ),
    Exhibit("figure-4.12", "Two numbers of clusters compared", clusters.two_counts),
    Exhibit("figure-4.13", "A random image", clusters.random_image),
    Exhibit("figure-4.14", "Modularity and clusters on a random image", profiles.noise_alone),
    Exhibit("table-4.3", "Threshold, clusters, modularity", profiles.chosen_thresholds),
    *(
        Exhibit(
            f"table-4.{place + 4}",
            f"Logits with clusters' outputs zeroed, image {place + 1}",
            logits.logits_of(place),
        )
        for place in range(3)
    ),
    Exhibit("ablation", "Clusters zeroed, over all images", logits.over_all_images),
    *(
        Exhibit(
            f"figure-A.{place + 1}",
            f"Modularity and clusters against the threshold, image {place + 1}",
            profiles.profiles_of(place, f"figure-A.{place + 1}"),
        )
        for place in range(5)
    ),
    Exhibit("figure-A.6", "Clusters of all methods", clusters.all_methods),
    Exhibit("semantics", "Do clusters follow the foreground", semantics.agreement),
    Exhibit("claims", "What the thesis claims, in figures", claims),
)


def chosen(names: Sequence[str]) -> Sequence[Exhibit]:
    """The exhibits that are named, in their own order; all if none is.

    Raises HarnessError for a name that no exhibit has.
    """
    known = [exhibit.name for exhibit in EXHIBITS]
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known) or "; `harness reproduce --list` names them"
            raise HarnessError(f"there is no exhibit {name!r}{hint}")
    return [exhibit for exhibit in EXHIBITS if not names or exhibit.name in names]
