import dataclasses
import math

import numpy as np
import pytest
import torch
from sklearn.metrics import accuracy_score, confusion_matrix, recall_score

from harness import HarnessError
from harness_plugins.thesis.vit.checkpoint import Checkpoint, Normalisation
from harness_plugins.thesis.vit.evaluation import Evaluation, evaluate
from harness_plugins.thesis.vit.examples import Examples
from harness_plugins.thesis.vit.model import ModelSettings, OneLayerViT


@pytest.fixture
def evaluation() -> Evaluation:
    random = np.random.default_rng(0)
    labels = random.integers(0, 4, 60)
    return Evaluation(random.normal(size=(60, 5)).astype(np.float32), labels)


def test_accuracy_and_confusion_are_sklearns(evaluation: Evaluation) -> None:
    truth, guessed = evaluation.labels, evaluation.logits.argmax(1)

    assert evaluation.accuracy == accuracy_score(truth, guessed)
    assert np.array_equal(evaluation.confusion, confusion_matrix(truth, guessed, labels=range(5)))


def test_accuracy_by_class_is_sklearns_recall_and_undefined_where_a_class_has_no_image(
    evaluation: Evaluation,
) -> None:
    expected = recall_score(
        evaluation.labels, evaluation.predicted, labels=range(4), average=None, zero_division=0
    )

    assert np.allclose(evaluation.accuracy_by_class[:4], expected)
    assert np.isnan(evaluation.accuracy_by_class[4])


def test_probabilities_are_torchs_softmax(evaluation: Evaluation) -> None:
    expected = torch.softmax(torch.from_numpy(evaluation.logits).double(), 1).numpy()

    assert np.allclose(evaluation.probabilities, expected)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_logits_that_are_not_finite_are_no_accuracy(value: float) -> None:
    model = OneLayerViT(ModelSettings(height=4, width=4, dimension=4, classes=3))
    with torch.no_grad():
        model.classifier.bias[0] = value
    examples = Examples(("a", "b"), torch.zeros(2, 1, 4, 4), torch.zeros(2, dtype=torch.int64), "")

    with pytest.raises(HarnessError, match="logits are not finite for 2 of 2 images, such as a"):
        evaluate(Checkpoint(model, Normalisation(0, 1), {}), examples)


def test_logits_do_not_depend_on_the_number_of_batches() -> None:
    torch.manual_seed(0)
    model = OneLayerViT(ModelSettings(height=4, width=4, dimension=4, classes=3))
    images = torch.randint(0, 256, (1001, 1, 4, 4), dtype=torch.uint8)
    examples = Examples((), images, torch.zeros(1001, dtype=torch.int64), "")
    normalisation = Normalisation(0.3, 0.2)

    found = evaluate(Checkpoint(model.eval(), normalisation, {}), examples)

    with torch.inference_mode():
        expected = model(normalisation(images)).numpy()
    assert np.allclose(found.logits, expected, atol=1e-5)
    assert dataclasses.replace(found).accuracy == float((expected.argmax(1) == 0).mean())
