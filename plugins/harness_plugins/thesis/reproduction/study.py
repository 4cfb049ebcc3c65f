"""What all exhibits are made from: images, models, and runs over them, each made when needed."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from importlib.resources import as_file, files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import harness
from harness import HarnessError, Image, ImageSet, Run
from harness.command import Progress, format_value
from harness_plugins.thesis.vit.checkpoint import load_checkpoint

if TYPE_CHECKING:
    import pandas

    from harness_plugins.thesis.vit.checkpoint import Checkpoint
    from harness_plugins.thesis.vit.evaluation import Evaluation
    from harness_plugins.thesis.vit.examples import Examples

LOUVAIN = "louvain-networkx"


class MissingRequirementError(Exception):
    """What an exhibit needs and does not have, and the commands that get it, in one line."""


@dataclass(frozen=True)
class Study:
    """What a reproduction is over.

    images: spelling of the image set; checkpoint and many_heads: models of one head and of
    several; models: folders of trained models, each of one data set and called as it is;
    clustered: images that are clustered; folder: where runs are kept.
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

    @cached_property
    def image_set(self) -> ImageSet:
        """The images."""
        made = harness.make("image set", self.images, self.plugins)
        if not isinstance(made, ImageSet):
            raise HarnessError(f"{self.images}: no image set")
        return made

    @cached_property
    def classes(self) -> Sequence[str]:
        """Names of the images' classes.

        Raises MissingRequirementError where they have none.
        """
        classes = getattr(self.image_set, "classes", None)
        if classes is None:
            raise MissingRequirementError(
                f"needs labelled images; {self.images} has none (`harness data list` names some)"
            )
        return list(classes())

    @cached_property
    def clustered_images(self) -> str:
        """Spelling of the images that are clustered: the first, classes in turn."""
        import dataclasses

        from harness.command import format_spec

        fields = {field.name for field in dataclasses.fields(self.image_set)}  # type: ignore[arg-type]
        if "count" not in fields:
            return self.images
        count = min(self.clustered, len(self.image_set.keys()))
        return format_spec(replace(self.image_set, count=count))  # type: ignore[type-var]

    @cached_property
    def clustered_keys(self) -> list[str]:
        """Names of the images that are clustered."""
        return [str(key) for key in self.thesis_selections["image"].unique()]

    @cached_property
    def shown(self) -> list[Image]:
        """The images that figures show: the first four of the clustered ones that every method of
        the thesis finds clusters in; if there are none, the first four.
        """
        chosen = self.thesis_selections
        found = chosen.groupby("image", sort=False)["accepted"].all()
        keys = [str(key) for key in found[found].index] or [str(key) for key in found.index]
        return [self.image_set.load(key) for key in keys[:4]]

    @cached_property
    def thesis_run(self) -> Run:
        """The thesis' pipeline over the clustered images."""
        return self._run("thesis", self.clustered_images, self.checkpoint)

    @cached_property
    def thesis_selections(self) -> "pandas.DataFrame":
        """What was chosen in each image's profiles of the thesis' pipeline."""
        frame = self.thesis_run.selections()
        return frame[(frame["role"] == "observed") & (frame["status"] == "ok")]

    @cached_property
    def thesis_points(self) -> "pandas.DataFrame":
        """All profiles of the thesis' pipeline."""
        return self.thesis_run.points()

    @cached_property
    def embedding_points(self) -> "pandas.DataFrame":
        """Profiles of several ways to part the SDP's embedding, over a few of the images."""
        few = replace(self, clustered=max(1, self.clustered // 2))
        return self._run("embedding", few.clustered_images, self.checkpoint).points()

    @cached_property
    def heads_run(self) -> Run:
        """Every head of the model of several by itself, over a few images."""
        few = replace(self, clustered=min(4, self.clustered))
        return self._run("heads", few.clustered_images, self.many_heads)

    def _run(self, suite: str, images: str, checkpoint: str) -> Run:
        values: dict[str, Any] = {
            "images": images,
            "extractors": extractor_of(checkpoint),
            "workers": self.workers,
            "plugins": list(self.plugins),
            "out": self.folder / "runs" / suite,
        }
        with as_file(files(__package__).joinpath(f"{suite}.toml")) as path:
            return harness.run(path, **values, progress=self.progress)

    @cached_property
    def one_head(self) -> "Checkpoint":
        """The model of one head."""
        return load_checkpoint(self.checkpoint, self.plugins)

    @cached_property
    def one_head_examples(self) -> "Examples":
        """All images of the set as the model of one head takes them."""
        return self.examples(self.one_head)

    @cached_property
    def one_head_evaluation(self) -> "Evaluation":
        """What the model of one head says of them."""
        from harness_plugins.thesis.vit.evaluation import evaluate

        return evaluate(self.one_head, self.one_head_examples)

    def examples(self, model: "Checkpoint") -> "Examples":
        """All images of the set as a model takes them."""
        from harness_plugins.thesis.vit.examples import gather

        settings = model.model.settings
        if len(self.classes) != settings.classes:
            raise MissingRequirementError(
                f"needs images of the model's {settings.classes} classes; {self.images} has "
                f"{len(self.classes)}"
            )
        size = (settings.height, settings.width)
        return gather(self.image_set, self.classes, size, settings.channels)

    def evaluation(self, model: "Checkpoint") -> "Evaluation":
        """What a model says of all images."""
        from harness_plugins.thesis.vit.evaluation import evaluate

        return evaluate(model, self.examples(model))

    @cached_property
    def trained(self) -> "pandas.DataFrame":
        """A row a trained model: data set, shape, training, classes, test accuracy, file.

        Raises MissingRequirementError where no folder of trained models was told.
        """
        import pandas

        from harness_plugins.thesis.vit import checkpoint

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
            for path in paths:
                loaded = checkpoint.load(path)
                settings, how = loaded.model.settings, loaded.record["training"]
                rows.append(
                    {
                        "data": folder.name,
                        "attention": settings.attention,
                        "heads": settings.heads if settings.attention else 0,
                        "mlp": settings.mlp,
                        "optimiser": how["optimiser"],
                        "epochs": how["epochs"],
                        "augmented": how.get("augmentation") is not None,
                        "seed": how["seed"],
                        "classes": tuple(loaded.record.get("classes", ())),
                        "test_accuracy": loaded.record["test_accuracy"],
                        "file": str(path),
                    }
                )
        return pandas.DataFrame(rows)


def extractor_of(checkpoint: str) -> str:
    """The spelling of the extractor of a checkpoint."""
    return f"one-layer-vit[checkpoint={format_value(checkpoint)}]"


def method(clusterer: str) -> str:
    """A method's name as tables show it."""
    return clusterer.replace("clusterer=", "")
