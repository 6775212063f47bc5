"""Scores of label maps against figures worked out by hand."""

import numpy as np
import pytest

from gan_zoo.metrics.label_score import ConfusionMatrix

TRUE = np.array([[0, 0, 0, 0], [1, 1, 255, 255]], np.uint8)
PREDICTED = np.array([[0, 0, 0, 1], [1, 0, 1, 9]], np.uint8)


def test_scores_by_hand() -> None:
    matrix = ConfusionMatrix(4)  # class 2 is nowhere, class 3 comes with the second map
    matrix.update(PREDICTED, TRUE)
    score = matrix.score()
    assert score.pixel_accuracy == pytest.approx(4 / 6, rel=1e-12)
    assert score.class_accuracy == pytest.approx((3 / 4 + 1 / 2) / 2, rel=1e-12)
    assert score.mean_iou == pytest.approx((3 / 5 + 1 / 3) / 2, rel=1e-12)
    # Counts add up over the images before anything is divided; a class that is only predicted has an IoU of 0.
    matrix.update(np.array([3, 0]), np.array([0, 0]))
    score = matrix.score()
    assert score.pixel_accuracy == pytest.approx(5 / 8, rel=1e-12)
    assert score.class_accuracy == pytest.approx((4 / 6 + 1 / 2) / 2, rel=1e-12)
    np.testing.assert_allclose(score.iou, [4 / 7, 1 / 3, np.nan, 0.0], rtol=1e-12)
    assert score.mean_iou == pytest.approx((4 / 7 + 1 / 3 + 0.0) / 3, rel=1e-12)


def test_a_pixel_without_an_answer_is_wrong_and_of_no_class() -> None:
    matrix = ConfusionMatrix(2)
    matrix.update(np.array([0, 255, 1, 1, 255]), np.array([0, 0, 1, 0, 255]))
    score = matrix.score()
    assert score.pixel_accuracy == pytest.approx(2 / 4, rel=1e-12)
    assert score.class_accuracy == pytest.approx((1 / 3 + 1 / 1) / 2, rel=1e-12)
    np.testing.assert_allclose(score.iou, [1 / 3, 1 / 2], rtol=1e-12)
    matrix = ConfusionMatrix(2)
    matrix.update(np.array([255, 255]), np.array([1, 255]))
    assert (matrix.score().pixel_accuracy, matrix.score().mean_iou) == (0, 0)


def test_what_is_no_label_is_refused_and_not_counted() -> None:
    matrix = ConfusionMatrix(2)
    with pytest.raises(ValueError, match=r"predicted labels must be in 0 to 1\. Received: 0 to 5"):
        matrix.update(np.array([0, 5]), np.array([0, 1]))
    with pytest.raises(ValueError, match=r"true labels must be in 0 to 1\. Received: -1 to 1"):
        matrix.update(np.array([0, 1]), np.array([-1, 1]))
    with pytest.raises(ValueError, match="one shape"):
        matrix.update(np.array([0]), np.array([0, 1]))
    with pytest.raises(ValueError, match="integers"):
        matrix.update(np.array([0.0]), np.array([0]))
    with pytest.raises(ValueError, match="no pixel"):
        matrix.score()
    with pytest.raises(ValueError, match="ignore_label"):
        ConfusionMatrix(256)
