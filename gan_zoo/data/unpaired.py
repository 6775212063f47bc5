"""Two sets of images that know nothing of each other, as `gan_zoo.data.pipeline` takes them."""

from collections.abc import Sequence
from typing import Any

import numpy as np

Domain = Sequence[np.ndarray]  # `len` and `[i]` are enough; `rejected` may list the files that it leaves out


class UnpairedSource:
    """Two domains, each with a count and an order of its own; an `ExampleSource`.

    Args:
        domain_a, domain_b: `domain[i]` gives an image `[H, W, C]`, uint8 or uint16, or raises
            `gan_zoo.images.BadExample`.
        direction: "a_to_b" or "b_to_a": which of them is the input.

    Attributes:
        domains: `{"input_image": domain, "target_image": domain}`.
    """

    kind = "unpaired"

    def __init__(self, domain_a: Domain, domain_b: Domain, direction: str = "a_to_b") -> None:
        domains = (domain_b, domain_a) if direction == "b_to_a" else (domain_a, domain_b)
        self.domains = dict(zip(("input_image", "target_image"), domains, strict=True))

    def __len__(self) -> int:
        """The count of the larger domain: an epoch sees all of both."""
        return max(map(len, self.domains.values()))


class UnpairedView(UnpairedSource):
    """The images of a paired source, which has applied the direction, as two domains without pairs."""

    def __init__(self, paired: Any) -> None:
        super().__init__(_Side(paired, "input_image"), _Side(paired, "target_image"))


class _Side:
    def __init__(self, paired: Any, key: str) -> None:
        self.paired, self.key = paired, key
        self.rejected = getattr(paired, "rejected", ())

    def __len__(self) -> int:
        return len(self.paired)

    def __getitem__(self, index: int) -> np.ndarray:
        return self.paired[index][self.key]
