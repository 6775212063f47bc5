"""What a user may choose for pairs, and which choice belongs to which: what does nothing is not recorded."""

import dataclasses
from collections.abc import Collection
from typing import Any

from gan_zoo.errors import UserError

MAKES = ("edges", "grey", "mosaic", "small", "hole")
REGIONS = ("whole", "centre", "random", "cam")
DETECTORS = ("canny", "xdog")
FORMS = ("boxes", "mask")


@dataclasses.dataclass(frozen=True, kw_only=True)
class PairSettings:
    """How pairs are made.

    Attributes:
        make: what becomes of the photo.
        size: side of the square that is cut out of the middle and resized, in pixels; None: the photo as it is.
        seed: of random regions, and of which picture is in which split.
        val, test: the shares of the pictures that are held out.
        detector: of edges.
        sigma: of the Gaussian that edges are looked for behind, in pixels.
        thickness: of lines, in pixels; 1 leaves them as they were found.
        low, high: Canny's thresholds for the gradient of grey in [0, 1].
        tau, epsilon, phi: of XDoG: the weight of the wider Gaussian, where white begins, how steeply it turns black.
        block: side of a mosaic's blocks, in pixels.
        scale: how many times smaller.
        regions: where the mosaic or the hole is.
        region_size: share of the picture's sides: of the centre, and the most of a random box, which has at least half.
        num_regions: random boxes a picture.
        classifier: a file's path, or the name of one that is fetched.
        class_number: whose regions; None: of the class that the picture has the highest score in.
        top: the class must be among so many with the highest scores, else the picture is left out.
        threshold: of the map, as a share of its maximum.
        form: regions of a map as their bounding boxes or as the mask itself.
    """

    make: str
    size: int | None = None
    seed: int = 0
    val: float = 0.1
    test: float = 0.1
    detector: str = "canny"
    sigma: float = 1.0
    thickness: int = 1
    low: float = 0.1
    high: float = 0.2
    tau: float = 0.98
    epsilon: float = 0.0
    phi: float = 50.0
    block: int = 8
    scale: int = 4
    regions: str = "whole"
    region_size: float = 0.5
    num_regions: int = 1
    classifier: str | None = None
    class_number: int | None = None
    top: int = 1
    threshold: float = 0.2
    form: str = "boxes"

    def __post_init__(self) -> None:
        if self.make == "hole" and self.regions == "whole":
            raise UserError(
                "--make=hole needs --regions=centre, random or cam: of a picture that is one hole nothing is left"
            )
        if self.regions == "cam" and "regions" in self.belonging() and not self.classifier:
            raise UserError("--regions=cam needs --classifier: a Keras file, or mobilenet_v2")
        if self.val + self.test >= 1:
            raise UserError(f"--val={self.val:g} and --test={self.test:g} leave nothing to train on")
        if self.low > self.high:
            raise UserError(f"--low={self.low:g} is above --high={self.high:g}")

    def belonging(self) -> dict[str, Any]:
        """The settings that do something beside the others, by name."""
        fields = dataclasses.asdict(self)
        needs = {name: need for names, need in BELONGS.items() for name in names}
        kept: dict[str, Any] = {}
        for name, value in fields.items():
            owner, values = needs.get(name, (None, ()))
            if owner is None or ((owner == "make" or owner in kept) and fields[owner] in values):
                kept[name] = value
        return kept


# Settings, and what they belong to; an owner that belongs to another one itself stands above.
BELONGS: dict[tuple[str, ...], tuple[str, Collection[str]]] = {
    ("detector", "sigma", "thickness"): ("make", ("edges",)),
    ("low", "high"): ("detector", ("canny",)),
    ("tau", "epsilon", "phi"): ("detector", ("xdog",)),
    ("block",): ("make", ("mosaic",)),
    ("scale",): ("make", ("small",)),
    ("regions",): ("make", ("mosaic", "hole")),
    ("region_size",): ("regions", ("centre", "random")),
    ("num_regions",): ("regions", ("random",)),
    ("classifier", "class_number", "top", "threshold", "form"): ("regions", ("cam",)),
}
