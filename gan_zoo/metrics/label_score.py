"""Scores of label maps, as in the papers' FCN-score (Long et al. 2015, arXiv 1411.4038, section 5; Isola et al. 2017).

From n_ij, the number of pixels of class i that are called j, added up over **all** images before anything is divided:
pixel accuracy sum_i n_ii / sum_ij n_ij; class accuracy, the mean over classes of n_ii / sum_j n_ij; mean IoU, the mean
over classes of n_ii / (sum_j n_ij + sum_j n_ji - n_ii). Classes without a pixel in the truth (for the IoU: neither
there nor in the prediction) are left out of the means; pix2pix' script counts them as 0, which differs only where a
class is missing from the whole set. What network made the maps of photos is the caller's to say beside the figures.
"""

import dataclasses

import numpy as np


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
        ignore_label: pixels whose **true** label this is are not counted (255 is "void" in Cityscapes and VOC); None if
            all count.
    """

    def __init__(self, num_classes: int, ignore_label: int | None = 255) -> None:
        if num_classes < 1 or (ignore_label is not None and 0 <= ignore_label < num_classes):
            raise ValueError(
                f"classes are 0 to num_classes - 1 and do not include ignore_label. "
                f"Received: num_classes={num_classes}, ignore_label={ignore_label}"
            )
        self.num_classes = num_classes
        self.ignore_label = ignore_label
        self.counts = np.zeros((num_classes, num_classes), np.int64)  # [true, predicted]

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
        for name, labels in (("predicted", predicted), ("true", true)):
            if labels.size and not 0 <= labels.min() <= labels.max() < self.num_classes:
                raise ValueError(
                    f"{name} labels must be in 0 to {self.num_classes - 1}. Received: {labels.min()} to {labels.max()}"
                )
        places = true.astype(np.int64).ravel() * self.num_classes + predicted.astype(np.int64).ravel()
        self.counts += np.bincount(places, minlength=self.num_classes**2).reshape(self.counts.shape)

    def score(self) -> LabelScore:
        """The scores of everything counted so far.

        Raises:
            ValueError: if nothing has been.
        """
        if not self.counts.any():
            raise ValueError("no pixel has been counted")
        right, true, predicted = np.diag(self.counts), self.counts.sum(1), self.counts.sum(0)
        with np.errstate(invalid="ignore"):  # 0 / 0 for classes that do not occur
            accuracy = right / true
            iou = right / (true + predicted - right)
        return LabelScore(
            pixel_accuracy=float(right.sum() / self.counts.sum()),
            class_accuracy=float(np.nanmean(accuracy)),
            mean_iou=float(np.nanmean(iou)),
            iou=iou,
        )
