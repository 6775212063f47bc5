"""Images with labels, as `gan_zoo.data.pipeline` takes them."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from gan_zoo.data.single import SingleSource, path_of
from gan_zoo.data.unpaired import Domain


class Targets:
    """The targets of a source, or of some of its examples, as a domain."""

    def __init__(self, source: Any, indices: Sequence[int] | None = None) -> None:
        self.source, self.indices = source, range(len(source)) if indices is None else indices
        self.rejected = getattr(source, "rejected", ())

    def __len__(self) -> int:
        return len(self.indices)

    def __getitem__(self, index: int) -> np.ndarray:
        return self.source[int(self.indices[index])]["target_image"]

    def path_of(self, index: int) -> str:
        return path_of(self.source, int(self.indices[index]))


class LabelledSource(SingleSource):
    """The images of one domain, each with its label; an `ExampleSource`.

    A label is a vector whatever it says, `[num_labels]` float32: 1 for each attribute that the image has, or for its
    class alone.

    Args:
        domain: the images, as of `SingleSource`.
        labels: the names of the labels.
        label_of: from an index to the label of the image there, without reading the image.
    """

    kind = "labelled"

    def __init__(self, domain: Domain, labels: Sequence[str], label_of: Callable[[int], np.ndarray]) -> None:
        super().__init__(domain)
        self.labels, self.label_of = tuple(labels), label_of

    def __getitem__(self, index: int) -> dict[str, Any]:
        return {"target_image": self.domain[index], "label": self.label_of(index)}
