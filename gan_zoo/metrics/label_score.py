"""Scores of label maps, as in the papers' FCN-score (Long et al. 2015, arXiv 1411.4038, section 5; Isola et al. 2017).

From n_ij, the number of pixels of class i that are called j, added up over **all** images before anything is divided:
pixel accuracy sum_i n_ii / sum_ij n_ij; class accuracy, the mean over classes of n_ii / sum_j n_ij; mean IoU, the mean
over classes of n_ii / (sum_j n_ij + sum_j n_ji - n_ii). Classes without a pixel in the truth (for the IoU: neither
there nor in the prediction) are left out of the means; pix2pix' script counts them as 0, which differs only where a
class is missing from the whole set. A pixel that the prediction leaves void (`ignore_label`) is a wrong one of its true
class, and no class' prediction.

The label maps come as files, or from photographs through a network (`segmenter.py`), which the figures name.
"""

import dataclasses

import numpy as np

from gan_zoo.errors import UserError
from gan_zoo.metrics.base import Context, EvaluationBatch, Figure, Metric, MetricDefinition

IGNORE_LABEL = 255  # "void" in Cityscapes and VOC


@dataclasses.dataclass(frozen=True)
class LabelScore:
    """Shares in [0, 1], higher is better; `iou` `[num_classes]` is NaN for classes that do not occur."""

    pixel_accuracy: float
    class_accuracy: float
    mean_iou: float
    iou: np.ndarray


class ConfusionMatrix:
    """Counts pixels by true and predicted class, image after image.

    Args:
        num_classes: labels are 0 to `num_classes - 1`.
        ignore_label: pixels whose **true** label this is are not counted; None if all count.
    """

    def __init__(self, num_classes: int, ignore_label: int | None = IGNORE_LABEL) -> None:
        if num_classes < 1 or (ignore_label is not None and 0 <= ignore_label < num_classes):
            raise ValueError(
                f"classes are 0 to num_classes - 1 and do not include ignore_label. "
                f"Received: num_classes={num_classes}, ignore_label={ignore_label}"
            )
        self.num_classes = num_classes
        self.ignore_label = ignore_label
        self.counts = np.zeros((num_classes, num_classes), np.int64)  # [true, predicted]
        self.unanswered = np.zeros(num_classes, np.int64)  # by true class: predicted as `ignore_label`

    def update(self, predicted: np.ndarray, true: np.ndarray) -> None:
        """Adds the pixels of two integer arrays of one shape, `[H, W]` or `[B, H, W]`.

        Raises:
            ValueError: if shapes differ, or a label is no class; nothing has been counted then.
        """
        predicted, true = np.asarray(predicted), np.asarray(true)
        if predicted.shape != true.shape:
            raise ValueError(f"label maps must have one shape. Received: {predicted.shape} and {true.shape}")
        for labels in (predicted, true):
            if not np.issubdtype(labels.dtype, np.integer):
                raise ValueError(f"labels are integers. Received: {labels.dtype}")
        if self.ignore_label is not None:
            counted = true != self.ignore_label
            predicted, true = predicted[counted], true[counted]
        answered = np.ones(true.shape, bool) if self.ignore_label is None else predicted != self.ignore_label
        unanswered, predicted = true[~answered], predicted[answered]
        for name, labels in (("predicted", predicted), ("true", true)):
            if labels.size and not 0 <= labels.min() <= labels.max() < self.num_classes:
                raise ValueError(
                    f"{name} labels must be in 0 to {self.num_classes - 1}. Received: {labels.min()} to {labels.max()}"
                )
        true = true[answered]
        places = true.astype(np.int64).ravel() * self.num_classes + predicted.astype(np.int64).ravel()
        self.counts += np.bincount(places, minlength=self.num_classes**2).reshape(self.counts.shape)
        self.unanswered += np.bincount(unanswered.astype(np.int64), minlength=self.num_classes)

    def score(self) -> LabelScore:
        """The scores of everything counted so far.

        Raises:
            ValueError: if nothing has been.
        """
        right, true, predicted = np.diag(self.counts), self.counts.sum(1) + self.unanswered, self.counts.sum(0)
        if not true.any():
            raise ValueError("no pixel has been counted")
        with np.errstate(invalid="ignore"):  # 0 / 0 for classes that do not occur
            accuracy = right / true
            iou = right / (true + predicted - right)
        return LabelScore(
            pixel_accuracy=float(right.sum() / true.sum()),
            class_accuracy=float(np.nanmean(accuracy)),
            mean_iou=float(np.nanmean(iou)),
            iou=iou,
        )


class LabelMapScore(Metric):
    """The scores of the outputs' label maps, those of all images together.

    Args:
        context: its segmenter is named in the protocol.
    """

    needs = frozenset({"masks", "output_masks"})

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._segmenter = context.segmenter
        self._matrix = ConfusionMatrix(IGNORE_LABEL)  # all that there can be: classes without a pixel change nothing
        self._num_images = 0

    def update(self, batch: EvaluationBatch) -> None:
        """Counts the pixels of a batch. Images have no values of their own: classes are weighed over all of them."""
        self._matrix.update(batch.output_masks, batch.masks)
        self._num_images += len(batch.names)

    def figures(self) -> list[Figure]:
        if not self._num_images:
            raise UserError("label_score had no image to judge")
        score = self._matrix.score()
        source = "label maps as they are" if self._segmenter is None else self._segmenter.protocol
        by_class = ", ".join(f"{label}: {iou:.3f}" for label, iou in enumerate(score.iou) if not np.isnan(iou))
        values = {
            "pixel_accuracy": (score.pixel_accuracy, "share of the pixels that are right", None),
            "class_accuracy": (score.class_accuracy, "mean over the truth's classes of that share", None),
            "mean_iou": (score.mean_iou, "mean over the classes of intersection / union", f"by class: {by_class}"),
        }
        return [
            Figure(
                name=f"label_score/{part}",
                value=value,
                better="higher",
                num_images=self._num_images,
                protocol=f"{what}, counted over all images together, without truth of label {IGNORE_LABEL}; {source}",
                weights_sha256=None if self._segmenter is None else self._segmenter.sha256,
                note=note,
            )
            for part, (value, what, note) in values.items()
        ]


DEFINITIONS = {"label_score": MetricDefinition(build=LabelMapScore, needs=LabelMapScore.needs, default=True)}
