"""A trained model's outputs for labelled images."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import torch
from numpy.typing import NDArray

from harness.command import SILENT, Progress
from harness_plugins.thesis.vit.checkpoint import Checkpoint
from harness_plugins.thesis.vit.examples import Examples
from harness_plugins.thesis.vit.files import NotFiniteError
from harness_plugins.thesis.vit.memory import allocating, images_at_once

BATCH = 500
ADVICE = "a smaller model or smaller images take less"


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Logits (count, classes) of images, and their true labels (count,)."""

    logits: NDArray[np.float32]
    labels: NDArray[np.int64]

    @cached_property
    def probabilities(self) -> NDArray[np.float64]:
        """Class probabilities (count, classes): the softmax of the logits."""
        raised = np.exp(self.logits - self.logits.max(axis=1, keepdims=True), dtype=np.float64)
        return np.asarray(raised / raised.sum(axis=1, keepdims=True))

    @cached_property
    def predicted(self) -> NDArray[np.int64]:
        """The class of the largest logit, (count,)."""
        return np.asarray(self.logits.argmax(axis=1), dtype=np.int64)

    @property
    def is_right(self) -> NDArray[np.bool_]:
        """Whether each image is classified correctly, (count,)."""
        return np.asarray(self.predicted == self.labels)

    @property
    def accuracy(self) -> float:
        """The fraction of images classified correctly."""
        return float(self.is_right.mean())

    @cached_property
    def confusion(self) -> NDArray[np.int64]:
        """Numbers of images by true class (rows) and predicted class (columns)."""
        classes = self.logits.shape[1]
        pairs = self.labels * classes + self.predicted
        return np.bincount(pairs, minlength=classes**2).reshape(classes, classes)

    @property
    def accuracy_by_class(self) -> NDArray[np.float64]:
        """The fraction of each class recognised, (classes,); NaN for a class without images."""
        of_class = self.confusion.sum(axis=1)
        fractions = np.full(len(of_class), np.nan)
        np.divide(self.confusion.diagonal(), of_class, out=fractions, where=of_class > 0)
        return fractions


def evaluate(checkpoint: Checkpoint, examples: Examples, progress: Progress = SILENT) -> Evaluation:
    """Apply the model to every image; puts it in evaluation mode.

    Raises NotFiniteError if a logit is not finite: its image has no predicted class.
    """
    model = checkpoint.model.eval()
    device = next(model.parameters()).device
    size = images_at_once(BATCH, model.settings, device)
    with torch.inference_mode(), allocating(f"{size} images in the model", ADVICE):
        parts = [
            model(checkpoint.normalisation(images.to(device))).cpu()
            for images in progress.track("evaluating batches", torch.split(examples.images, size))
        ]
    logits = np.asarray(torch.cat(parts).numpy())
    unsound = np.flatnonzero(~np.isfinite(logits).all(axis=1))
    if unsound.size:
        raise NotFiniteError(
            f"the model's logits are not finite for {unsound.size} of {len(examples)} images, "
            f"such as {examples.keys[unsound[0]]}"
        )
    return Evaluation(logits, examples.labels.numpy())
