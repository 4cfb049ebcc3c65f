"""The inputs of all exhibits: images, models, and runs over them, each made on first use."""

import os
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, fields, replace
from functools import cached_property
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import pandas

import harness
from harness import HarnessError, Image, ImageSet, Run
from harness.command import DEFAULT_FORMATS, PAGE, Progress, format_spec, format_value
from harness_plugins.thesis.reproduction.published import PICTURES
from harness_plugins.thesis.vit.checkpoint import Checkpoint, load
from harness_plugins.thesis.vit.evaluation import Evaluation, evaluate
from harness_plugins.thesis.vit.examples import Examples, gather
from harness_plugins.thesis.vit.files import checkpoint_file

LOUVAIN = "louvain-networkx"
SDP = "sdp[clusterer=hdbscan-sklearn]"
# The clusterers of the thesis, by its names.
ALGORITHMS = {"Louvain": LOUVAIN, "Infomap": "infomap", "SDP": SDP}
# Images that the figures show.
N_SHOWN = 4
# With fewer images the signed-rank test has no p of at most .05.
FEWEST_IMAGES = 6
# The last threshold in multiples of 1/n, the weight of evenly spread attention over n patches. The
# thesis' largest, 0.041 with 196 patches, is 8.1 of them.
HIGHEST = 9
# Settings of a training that change its images.
AUGMENTATIONS = ("augmentation", "crop", "colour")
# Settings that tables of models have columns for, and the seed, over which they have means.
NAMED = ("attention", "heads", "mlp", "optimiser", "epochs", "seed")


class MissingRequirementError(Exception):
    """What an exhibit needs and does not have, and the commands that provide it, in one line."""


@dataclass(frozen=True)
class Study:
    """The settings of a reproduction.

    images: spec of the image set; checkpoint and many_heads: models with one head and with
    several; models: folders of trained models, each named as its data set; clustered: how many
    images are clustered; folder: where runs are stored; width: the most inches that figures are
    wide; formats: in which they are written.
    """

    images: str
    checkpoint: str
    many_heads: str
    models: tuple[Path, ...]
    clustered: int
    folder: Path
    workers: int
    plugins: tuple[Path, ...]
    progress: Progress
    width: float = PAGE
    formats: tuple[str, ...] = DEFAULT_FORMATS

    def check(self) -> None:
        """Raise HarnessError if the images or a model cannot be read, or the folder not written."""
        keys = list(self.image_set.keys())
        for name in (self.checkpoint, self.many_heads):
            load(checkpoint_file(name))
        if self.models:
            _ = self.trained
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise HarnessError(f"{self.folder}: cannot be a folder: {error.strerror}") from error
        if not os.access(self.folder, os.W_OK):
            raise HarnessError(f"{self.folder}: cannot be written to")
        if set(PICTURES) <= set(keys) and not self.pictures:
            can_name = "only" in vars(self.image_set)
            needed = len(PICTURES) if can_name else 1 + max(map(keys.index, PICTURES))
            self.progress.warn(
                f"--clustered {self.clustered}: the thesis' pictures are shown if at least "
                f"{needed} images are clustered"
            )

    @cached_property
    def image_set(self) -> ImageSet:
        """The images."""
        return harness.image_set(self.images, plugins=self.plugins)

    @cached_property
    def classes(self) -> Sequence[str]:
        """The names of the images' classes."""
        classes = getattr(self.image_set, "classes", None)
        if classes is None:
            raise MissingRequirementError(
                f"needs labelled images; {self.images} has none (`harness data list` names some)"
            )
        return list(classes())

    def by_class(self, values: Iterable[float]) -> dict[str, float]:
        """Values (classes,) by the names of the classes."""
        return dict(zip(self.classes, map(float, values), strict=True))

    def clustered_images(self, most: int | None = None) -> str:
        """The spec of the first `clustered` images, or `most` of them, classes in turn.

        The thesis' pictures come before all others if the image set can name images.
        """
        parameters = {field.name for field in fields(self.image_set)}  # type: ignore[arg-type]
        if "count" not in parameters:
            return self.images
        keys = list(self.image_set.keys())
        count = min(most or self.clustered, self.clustered, len(keys))
        first = replace(self.image_set, count=count)  # type: ignore[type-var]
        if "only" in parameters and set(PICTURES) <= set(keys):
            others = (key for key in first.keys() if key not in PICTURES)
            first = replace(first, count=None, only=(*PICTURES, *others)[:count])  # type: ignore[type-var]
        return format_spec(first)

    @cached_property
    def clustered_keys(self) -> list[str]:
        """The keys of the images that are clustered."""
        return [str(key) for key in self.thesis_selections["image"].unique()]

    @cached_property
    def pictures(self) -> dict[str, str]:
        """The thesis' pictures by the names that it gives them, in its order, as keys.

        Empty unless all of them are clustered.
        """
        clustered = harness.image_set(self.clustered_images(), plugins=self.plugins)
        if not set(PICTURES) <= set(clustered.keys()):
            return {}
        return {name: key for key, name in PICTURES.items()}

    def called(self, key: str) -> str:
        """An image by the thesis' name if it is one of the thesis' pictures, else by its key."""
        return PICTURES[key] if key in self.pictures.values() else key

    @cached_property
    def shown(self) -> list[Image]:
        """The images that figures show.

        The thesis' pictures if they are clustered. Otherwise the first four clustered images in
        which every method of the thesis finds clusters; the first four if there is no such image.
        """
        if self.pictures:
            return [self.image_set.load(key) for key in self.pictures.values()]
        found = self.thesis_selections.groupby("image", sort=False)["accepted"].all()
        keys = [str(key) for key in found[found].index] or [str(key) for key in found.index]
        return [self.image_set.load(key) for key in keys[:N_SHOWN]]

    def image(self, number: int) -> Image:
        """One of the images shown, by its number from 0."""
        if number >= len(self.shown):
            raise MissingRequirementError(
                f"needs {number + 1} images; {len(self.shown)} of {self.images} are shown"
            )
        return self.shown[number]

    @cached_property
    def thesis_run(self) -> Run:
        """The thesis' pipeline over the clustered images."""
        rows, columns = self.grid
        stop = format_value(HIGHEST / (rows * columns))
        graphs = f"threshold[axis=absolute,self_loops=true,stop={stop}]"
        return self._run("thesis", self.clustered_images(), self.checkpoint, graphs=graphs)

    @cached_property
    def thesis_selections(self) -> pandas.DataFrame:
        """The level selected in each image's profiles of the thesis' pipeline."""
        frame = self.thesis_run.selections()
        return frame[(frame["role"] == "observed") & (frame["status"] == "ok")]

    @cached_property
    def thesis_points(self) -> pandas.DataFrame:
        """All profiles of the thesis' pipeline."""
        return self.thesis_run.points()

    @cached_property
    def embedding_points(self) -> pandas.DataFrame:
        """Profiles of several ways to cluster the SDP's embedding, over half of the images.

        Over six if half is fewer, since with fewer nothing can be significant.
        """
        images = self.clustered_images(most=max(FEWEST_IMAGES, self.clustered // 2))
        return self._run("embedding", images, self.checkpoint).points()

    @cached_property
    def heads_run(self) -> Run:
        """Every head of the model with several, over at most four images."""
        return self._run("heads", self.clustered_images(most=4), self.many_heads)

    def _run(self, suite: str, images: str, checkpoint: str, **more: str) -> Run:
        values: dict[str, Any] = {
            **more,
            "images": images,
            "extractors": extractor_of(checkpoint),
            "workers": self.workers,
            "plugins": list(self.plugins),
            "out": self.folder / "runs" / suite,
            "overwrite": True,
        }
        with as_file(files(__package__).joinpath(f"{suite}.toml")) as path:
            return harness.run(path, **values, progress=self.progress)

    @cached_property
    def one_head(self) -> Checkpoint:
        """The model with one head."""
        return load(checkpoint_file(self.checkpoint))

    @cached_property
    def several_heads(self) -> Checkpoint:
        """The model with several heads."""
        return load(checkpoint_file(self.many_heads))

    @property
    def grid(self) -> tuple[int, int]:
        """Rows and columns of patches of the model with one head."""
        return self.one_head.model.settings.grid

    @cached_property
    def one_head_examples(self) -> Examples:
        """All images of the set as the model with one head takes them."""
        return self._examples(self.one_head)

    @cached_property
    def one_head_evaluation(self) -> Evaluation:
        """The outputs of the model with one head for all images."""
        return evaluate(self.one_head, self.one_head_examples, self.progress)

    def evaluation(self, model: Checkpoint) -> Evaluation:
        """The outputs of a model for all images."""
        return evaluate(model, self._examples(model), self.progress)

    def _examples(self, model: Checkpoint) -> Examples:
        settings = model.model.settings
        if len(self.classes) != settings.classes:
            raise MissingRequirementError(
                f"needs images of the model's {settings.classes} classes; {self.images} has "
                f"{len(self.classes)}"
            )
        size = (settings.height, settings.width)
        examples = gather(self.image_set, self.classes, size, settings.channels, self.progress)
        for key, reason in examples.left_out.items():
            self.progress.warn(f"{key} is left out: {reason}")
        return examples

    @cached_property
    def trained(self) -> pandas.DataFrame:
        """One row per trained model: data set, shape, training, classes, test accuracy, file.

        `settings` has those without a column in which models of a data set differ, in words.
        """
        if not self.models:
            raise MissingRequirementError(
                "needs trained models: `harness data fetch fashion-mnist`, then `harness train "
                "benchmarks/train_fashion_mnist.toml --out models/fashion-mnist`, then "
                "--models models/fashion-mnist"
            )
        rows = []
        for folder in self.models:
            paths = sorted(folder.glob("*.safetensors"))
            if not paths:
                raise HarnessError(f"--models {folder}: holds no checkpoint (*.safetensors)")
            rows += [{"data": folder.name, **_description(path)} for path in paths]
        return _with_settings(rows)

    @cached_property
    def accuracies(self) -> pandas.DataFrame:
        """The trained models if there are any; else the two models given, as far as recorded."""
        if self.models:
            return self.trained
        rows = [
            {"data": self.image_set.name, **_shape(model), **_training(model)}
            for model in (self.one_head, self.several_heads)
            if model.model.settings.classes == len(self.classes) and "test_accuracy" in model.record
        ]
        # Says which models are needed.
        return _with_settings(rows) if rows else self.trained


def _shape(model: Checkpoint) -> dict[str, Any]:
    settings = model.model.settings
    return {
        "attention": settings.attention,
        "heads": settings.heads if settings.attention else 0,
        "mlp": settings.mlp,
    }


def _training(model: Checkpoint) -> dict[str, Any]:
    """What a model's record says of its training; older records do not say all."""
    how = model.record.get("training", {})
    return {
        "optimiser": how.get("optimiser"),
        "epochs": how.get("epochs"),
        "augmented": any(how.get(way) is not None for way in AUGMENTATIONS),
        "settings": {
            name: value
            for name, value in {**asdict(model.model.settings), **how}.items()
            if name not in NAMED
        },
        "test_accuracy": model.record["test_accuracy"],
    }


def _with_settings(rows: Sequence[dict[str, Any]]) -> pandas.DataFrame:
    """Models as a table, of whose settings those remain that models of a data set differ in."""
    table = pandas.DataFrame(rows)
    for _, of_data in table.groupby("data")["settings"]:
        names = dict.fromkeys(name for each in of_data for name in each)
        differing = [name for name in names if len({str(each.get(name)) for each in of_data}) > 1]
        table.loc[of_data.index, "settings"] = [
            ", ".join(f"{name} {each.get(name)}" for name in differing) for each in of_data
        ]
    return table


def _description(path: Path) -> dict[str, Any]:
    """What a trained model's checkpoint records about it."""
    loaded = load(path)
    record = loaded.record
    try:
        how = record["training"]
        return {
            **_shape(loaded),
            **_training(loaded),
            "optimiser": how["optimiser"],
            "epochs": how["epochs"],
            "seed": how["seed"],
            "classes": tuple(record.get("classes", ())),
            "file": str(path),
        }
    except (KeyError, AttributeError, TypeError) as error:
        raise HarnessError(
            f"{path}: does not record how it was trained and how accurate it is ({error})"
        ) from error


def extractor_of(checkpoint: str) -> str:
    """The spec of the extractor of a checkpoint."""
    return f"one-layer-vit[checkpoint={format_value(checkpoint)}]"


def method(clusterer: str) -> str:
    """A method's name in tables."""
    return clusterer.replace("clusterer=", "")
