"""Folders of label maps, or of photographs that a network labels, as batches for `label_score`."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from gan_zoo.data.label_maps import decode_label_map, label_picture
from gan_zoo.errors import UserError
from gan_zoo.evaluation.folder_batches import CHANNELS, FolderBatches
from gan_zoo.images import BadImage, to_channels
from gan_zoo.metrics.base import EvaluationBatch
from gan_zoo.metrics.label_score import IGNORE_LABEL
from gan_zoo.metrics.regions import resized_labels
from gan_zoo.metrics.segmenter import Segmenter


class LabelBatches(FolderBatches):
    """The label maps of one folder, or of its photographs, with those of the other as the truth.

    Args:
        generated: folder of label maps (`gan_zoo.data.label_maps.decode_label_map`); of photographs with a segmenter.
        reference: folder of the true label maps.
        num_images: how many of the generated ones are taken, in the order of their names; None for all.
        segmenter: makes label maps of the photographs.

    Raises:
        UserError: where there is no such folder, no picture in it, or no name in both.
    """

    alone = "it is left out"

    def __init__(
        self,
        generated: str | os.PathLike[str],
        reference: str | os.PathLike[str],
        num_images: int | None = None,
        segmenter: Segmenter | None = None,
    ) -> None:
        super().__init__(generated, reference, num_images)
        self._segmenter = segmenter
        if not self.num_pairs:
            why = f"the two folders have none in common: {self.examples_of_names}"
            raise UserError(f"label_score compares files of one name, and {why}")

    @property
    def fields(self) -> frozenset[str]:
        """The fields that batches have, but for the pictures of label maps, which nothing is to measure."""
        return frozenset({"names", "masks", "output_masks"} | ({"outputs"} if self._segmenter else set()))

    def _example(self, name: str) -> tuple[str, np.ndarray, np.ndarray] | None:
        """Name, label map or photograph, and true label map; None where one of them is not good."""
        path, partner = self._generated[name], self._reference.get(name)
        if partner is None:
            return None
        output = self._read_labels(path) if self._segmenter is None else self._read(path)
        mask = self._read_labels(partner)
        if output is None or mask is None:
            if output is not None:
                self._note(path, f"its partner {partner} cannot be used; {self.alone}")
            return None
        if self._segmenter is not None:
            classes = self._segmenter.num_classes
            if unknown := sorted({*np.unique(mask).tolist()} - {*range(classes), IGNORE_LABEL}):
                known = f"the segmenter knows 0 to {classes - 1}, and {IGNORE_LABEL} does not count"
                self._note(partner, f"has the label {unknown[0]}, {known}; {self.alone}")
                return None
            output = to_channels(output, CHANNELS)
        elif output.shape != mask.shape:
            (height, width), (true_height, true_width) = output.shape, mask.shape
            self._note(
                path, f"has {width}x{height} pixels, its partner {partner} has {true_width}x{true_height}; {self.alone}"
            )
            return None
        return name, output, mask

    def _joined(self, examples: Sequence[tuple]) -> EvaluationBatch:
        names, outputs, masks = zip(*examples, strict=True)
        outputs, masks = np.stack(outputs), np.stack(masks)
        if self._segmenter is None:
            return EvaluationBatch(
                names=list(names),
                outputs=label_picture(outputs),
                targets=label_picture(masks),
                masks=masks,
                output_masks=outputs,
            )
        labels = self._segmenter(outputs, masks.shape[1:])
        masks = np.stack([resized_labels(mask, labels.shape[1:]) for mask in masks])
        return EvaluationBatch(names=list(names), outputs=outputs, masks=masks, output_masks=labels)

    def _read_labels(self, path: Path) -> np.ndarray | None:
        """`[H, W]` uint8, or None after noting why not."""
        try:
            return decode_label_map(path.read_bytes())
        except OSError as error:
            self._note(path, f"cannot be read: {error.strerror or error}")
        except BadImage as error:
            self._note(path, str(error))
        return None
