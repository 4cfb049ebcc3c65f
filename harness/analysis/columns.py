"""Names of columns: the fields of results, and the headings that tables have for them."""

from collections.abc import Collection, Hashable, Iterable

from harness.errors import WrongValueError, hint
from harness.plugin.spec import normal_form

# Headings of fields that are not their names with spaces.
HEADINGS = {
    "modularity": "Q",
    "control_modularity": "control",
    "effect_low": "95 %",
    "across_images": "±images",
    "across_seeds": "±seeds",
    "p_value": "p",
    "significant": "signif",
    "jaccard": "Jaccard",
    "ari": "ARI",
    "ami": "AMI",
    "false_alarms": "false",
    "n_clusters": "k",
    "accepted": "found",
    "seconds": "s",
    "control_p": "p",
    "change_low": "change 95 %",
    "change_p": "change p",
    "score_difference": "difference",
    "score_control": "score of control",
}
# What a column holds, as docs/glossary.md says it.
MEANINGS = {
    "run": "the run that the row is of",
    "clusterer": "an algorithm that divides the nodes of a graph into clusters",
    "selector": "a rule that chooses a level of a profile",
    "graph": "a rule that makes a family of graphs from every map, one at each level, sparser as "
    "the level rises",
    "extractor": "a model that turns images into attention maps",
    "image_set": "named images, which the run reads one at a time",
    "layer": "the layer that a map is from, counted from 0",
    "head": "the number of the head in its layer, counted from 0",
    "control": "a null model that draws, from an image or a map, one of the same size without its "
    "structure",
    "tier": "methods of one tier cannot be told apart by tests",
    "modularity": "modularity at the selected level, 0 where none was accepted; the mean over maps",
    "control_modularity": "the mean modularity of the reference control's draws at the same level",
    "effect": "Q minus control, corrected for what the choice of a level gives on noise",
    "effect_low": "interval of the effect over images (of Q if there is no control); sorted by its "
    "lower end",
    "across_images": "standard deviation across images, of means over seeds",
    "across_seeds": "standard deviation across seeds of one image",
    "p_value": "median over maps of the p of the selection, tested against the reference control",
    "significant": "maps that are significant at a false discovery rate of 5 %",
    "control_p": "median over maps of the p of the selection, tested against this control",
    "z": "the mean distance of the selections' statistics from the mean of the draws, in the "
    "draws' standard deviations",
    "jaccard": "stability, adjusted for chance: the smallest of levels, seeds and perturbations; "
    "0 is chance",
    "ari": "adjusted Rand index of the clusters with the truth",
    "ami": "adjusted mutual information, with the truth or with the labels of masks",
    "k_error": "mean error in the number of clusters",
    "false_alarms": "fraction of maps without communities that have p ≤ .05; the table of controls "
    "has it for each",
    "n_clusters": "clusters of two patches or more, where a level was accepted",
    "accepted": "maps on which the selector accepted a level; the others count with 0",
    "ok": "maps with a result",
    "total": "all maps of the method",
    "seconds": "the method's seconds for a map at all levels, the median",
    "metric": "the column of the leaderboard, or the score, that the two runs are compared by",
    "pairs": "maps that are ok and have the metric in both runs",
    "first": "the mean of the first run over the pairs; of seconds the median",
    "second": "the mean of the second run over the pairs; of seconds the median",
    "change": "second minus first",
    "change_low": "interval of the change over images",
    "change_p": "signed-rank test of the images' changes, from six images on, uncorrected",
    "better": "images on which the second run is better",
    "equal": "images on which both runs are equal",
    "worse": "images on which the second run is worse",
    "score": "a metric of the clusters of a graph, such as conductance, which a plugin defines and "
    "`harness score` computes from stored labels",
    "value": "the mean of the score over maps with a level",
    "score_control": "the mean of the score over the reference control's draws at the same levels",
    "score_difference": "value minus score of control, on the maps that have both",
    "maps": "how many maps have the score",
}


def heading_of(field: str) -> str:
    """The heading of a field's column.

    >>> heading_of("p_value"), heading_of("image_set")
    ('p', 'image set')
    """
    return HEADINGS.get(field, field.replace("_", " "))


def field_named(text: str, fields: Collection[str], context: str) -> str:
    """The field that a user names by its name or its heading, in any case.

    Raises WrongValueError, which begins with the context, if there is none.

    >>> field_named("Q", ["modularity", "excess"], "--by Q: no such column")
    'modularity'
    """
    names = _names(fields)
    exact = names.get(text.strip())
    if exact is not None:
        return exact
    by_key = {_key(name): field for name, field in names.items()}
    if (found := by_key.get(_key(text))) is None:
        raise WrongValueError(f"{context}{hint(text, names)}")
    return found


def refuse_taken(scores: Iterable[str], fields: Iterable[str]) -> None:
    """Raise HarnessError for a score that is called as a field, or as its heading, is.

    >>> refuse_taken(["Q"], ["modularity"])
    Traceback (most recent call last):
    ...
    harness.errors.WrongValueError: the score 'Q' has the name of the column modularity; rename it
    """
    taken = {_key(name): field for name, field in _names(fields).items()}
    for score in scores:
        if field := taken.get(_key(score)):
            raise WrongValueError(
                f"the score {score!r} has the name of the column {field}; rename it"
            )


def _names(fields: Iterable[str]) -> dict[str, str]:
    """Fields by all their names."""
    known = list(fields)
    return {field: field for field in known} | {heading_of(field): field for field in known}


def _key(name: str) -> Hashable:
    """What two ways to write a name share; that of a score with parameters is its spec."""
    if "[" in name:
        return normal_form(name)
    return "".join(name.casefold().replace("_", " ").replace("-", " ").split())
