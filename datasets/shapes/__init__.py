"""`shapes`: line drawings and their coloured pictures, made on the fly, nothing to download.

What is drawn and how it is coloured are drawn from separate random streams, so that one drawing truly has many right
answers: six hues and four textures, and a little variation of tone. The factors are part of each example.
"""

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from datasets.definition import DatasetDefinition
from datasets.labels import KnownLabels, chosen_attributes, chosen_classes, label_settings, name_rare, one_hot
from datasets.shapes import animals, shoes, things
from datasets.shapes.parts import Part
from datasets.shapes.rendering import HUES, TEXTURES, Colouring, Pose, coloured_picture, draw, foreground, line_drawing
from gan_zoo.data.labelled import LabelledSource, Targets
from gan_zoo.errors import UserError
from gan_zoo.images import to_channels

_DRAWERS: dict[str, Callable[[np.ndarray], Iterator[Part]]] = {
    "sneaker": shoes.sneaker,
    "boot": shoes.boot,
    "high heel": shoes.high_heel,
    "handbag": things.handbag,
    "teapot": things.teapot,
    "mug": things.mug,
    "t-shirt": things.t_shirt,
    "fish": animals.fish,
    "butterfly": animals.butterfly,
}
SILHOUETTES = tuple(_DRAWERS)
HUE_NAMES = ("red", "yellow", "green", "cyan", "blue", "magenta")  # of `HUES`
SPLIT_SIZES = {"train": 4000, "val": 200, "test": 200}
_OUTLINE_STREAM, _COLOUR_STREAM = range(2)


@dataclasses.dataclass(frozen=True)
class ShapesSource:
    """One split, by random access: an example depends on (seed, split, index) alone.

    Attributes:
        split: "train", "val" or "test".
        size: side of the images in pixels.
        seed: of the whole data set.
        direction: "a_to_b" gives the drawing as `input_image`, "b_to_a" the coloured picture.
        input_channels, target_channels: 1, 3 or 4.
    """

    split: str
    size: int
    seed: int = 0
    direction: str = "a_to_b"
    input_channels: int = 3
    target_channels: int = 3
    kind: str = dataclasses.field(default="paired", init=False)

    def __post_init__(self) -> None:
        if self.split not in SPLIT_SIZES:
            raise UserError(f"shapes has no split {self.split!r}; it has {', '.join(SPLIT_SIZES)}")

    def __len__(self) -> int:
        return SPLIT_SIZES[self.split]

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        """Returns `input_image` and `target_image`, `[size, size, C]` uint8, and the factors, int32 scalars.

        The factors `hue`, `texture` and `silhouette` index `HUES`, `TEXTURES` and `SILHOUETTES`.
        """
        silhouette, coverage = self._outline(index)
        colouring = self._colouring(index)
        images = [line_drawing(coverage), coloured_picture(coverage, colouring)]
        if self.direction == "b_to_a":
            images.reverse()
        return {
            "input_image": to_channels(images[0], self.input_channels),
            "target_image": to_channels(images[1], self.target_channels),
            "hue": np.int32(colouring.hue),
            "texture": np.int32(colouring.texture),
            "silhouette": np.int32(silhouette),
        }

    def foreground(self, index: int) -> np.ndarray:
        """Where the example is coloured (not line, not nearly white): `[size, size]` bool."""
        return foreground(self._outline(index)[1])

    def object_mask(self, index: int) -> np.ndarray:
        """Where the example's object is, lines and nearly white parts too, but no holes: `[size, size]` bool."""
        return self._outline(index)[1].sum(axis=-1) > 0.5

    def labels_of(self, index: int) -> np.ndarray:
        """1 for the hue, the texture and the silhouette that the example has, in the order of all: `[19]` float32."""
        colouring, silhouette = self._colouring(index), self._silhouette(self._generator(index, _OUTLINE_STREAM))
        factors = ((colouring.hue, HUES), (colouring.texture, TEXTURES), (silhouette, SILHOUETTES))
        return np.concatenate([one_hot(number, len(values)) for number, values in factors])

    @staticmethod
    def _silhouette(random: np.random.Generator) -> int:
        return int(random.integers(len(SILHOUETTES)))

    def _generator(self, index: int, stream: int) -> np.random.Generator:
        if not 0 <= index < len(self):
            raise IndexError(f"index {index} of a split of {len(self)}")
        return np.random.default_rng([self.seed, list(SPLIT_SIZES).index(self.split), index, stream])

    def _outline(self, index: int) -> tuple[int, np.ndarray]:
        random = self._generator(index, _OUTLINE_STREAM)
        silhouette = self._silhouette(random)
        proportions = random.uniform(-1, 1, 8)
        pose = Pose(
            angle=random.uniform(-0.16, 0.16),
            mirrored=bool(random.integers(2)),
            extent=random.uniform(0.74, 0.9),
            place=random.random(2),
        )
        return silhouette, draw(list(_DRAWERS[SILHOUETTES[silhouette]](proportions)), pose, self.size)

    def _colouring(self, index: int) -> Colouring:
        random = self._generator(index, _COLOUR_STREAM)
        return Colouring(
            hue=int(random.integers(len(HUES))),
            texture=int(random.integers(len(TEXTURES))),
            tone=random.random(2),
            angle=random.uniform(0, np.pi),
            period=random.uniform(0.1, 0.16),
            phase=random.random(2),
        )


def _load(split: str, config: Any, data_dir: str | None) -> ShapesSource:
    return ShapesSource(
        split=split,
        # Drawn at the size that the pipeline wants before cropping, so that nothing is resized.
        size=round(config.image_size * config.load_scale),
        seed=config.seed,
        direction=config.direction,
        input_channels=config.input_channels,
        target_channels=config.target_channels,
    )


# The factors as labels; each name stands for all of its values.
_FACTORS = {"hue": HUE_NAMES, "pattern": TEXTURES, "silhouette": SILHOUETTES}
_KNOWN = KnownLabels(
    "shapes",
    classes=_FACTORS,
    attributes=[name for names in _FACTORS.values() for name in names],
    groups=list(_FACTORS.values()),
)


def _load_labelled(split: str, config: Any, data_dir: str | None) -> LabelledSource:
    """The coloured pictures with their factors as classes or attributes; those of no class that is asked for are left
    out."""
    shapes = dataclasses.replace(_load(split, config, data_dir), direction="a_to_b")
    all_labels = np.array([shapes.labels_of(index) for index in range(len(shapes))])  # [N, all names]
    of_classes = config.attributes is None
    names = chosen_classes(_KNOWN, config) if of_classes else chosen_attributes(_KNOWN, config)
    labels = all_labels[:, [_KNOWN.attributes.index(name) for name in names]]
    indices = np.flatnonzero(labels.any(axis=1)) if of_classes else np.arange(len(shapes))
    labels = labels[indices]
    if split == "train":
        name_rare(_KNOWN, names, labels)
    return LabelledSource(Targets(shapes, indices), names, labels.__getitem__)


# Learns in minutes on two CPU cores: `benchmarks/diversity.py` measures BicycleGAN.
_SMALL = {
    "image_size": 64,
    "load_scale": 1.0,
    "flip": False,
    "base_filters": 16,
    "discriminator_filters": 16,
    "learning_rate": 5e-4,
}

_SMALL_CUT = {"num_blocks": 3, "batch_size": 1, "num_patches": 64, "head_width": 64}

DEFINITION = DatasetDefinition(
    kind="paired",
    load=_load,
    load_labelled=_load_labelled,
    label_settings=lambda config, data_dir: label_settings(_KNOWN, config),
    description="line drawings of shoes and other things -> coloured pictures; procedural, nothing to download",
    recommended={
        "bicyclegan": _SMALL
        | {
            "encoder_filters": 16,
            "batch_size": 4,
            "epochs": 10,
            # The KL is a sum over the batch: half the weight at twice the authors' batch.
            "lambda_kl": 0.005,
            # From the authors' tiny weights (0.02) the encoder finds one hue after the other, from these all at once.
            "init_gain": 1.0,
            "dropout": False,
        },
        "pix2pix": _SMALL
        | {
            "batch_size": 4,
            "epochs": 8,
            # A translation has the statistics of its own image: so had the images of a batch in training.
            "norm": "instance",
            "discriminator_norm": "instance",
            # The hue cannot be known. The authors' 100 paints the mean of all hues, which is none.
            "lambda_l1": 20.0,
        },
        "cyclegan": _SMALL
        | {
            "num_blocks": 3,
            "batch_size": 1,
            "epochs": 1,
            # A drawing is no pale picture: nothing is to be left as it is.
            "lambda_identity": 0.0,
        },
        "discogan": _SMALL | {"batch_size": 16, "epochs": 16, "rate_change_step": 1000},
        # The authors' RMSProp and weights are made for 50 epochs of 256 px.
        "dualgan": _SMALL
        | {"batch_size": 4, "epochs": 4, "optimizer": "adam", "lambda_cycle_a": 100.0, "lambda_cycle_b": 100.0},
        "ugatit": _SMALL
        | {
            "light": True,
            "num_blocks": 2,
            "global_layers": 6,  # as many as 64 px take
            "local_layers": 4,
            "batch_size": 1,
            "epochs": 1,
            "learning_rate": 2e-4,
        },
        "unit": _SMALL
        | {
            "num_blocks": 2,
            "discriminator_layers": 3,
            "discriminator_scales": 2,
            "batch_size": 1,
            "epochs": 1,
            "schedule": "constant",
        },
        "cut": _SMALL | _SMALL_CUT | {"epochs": 1},
        "fastcut": _SMALL | _SMALL_CUT | {"epochs": 1},
        "srgan": {
            "image_size": 64,
            "preprocess": "resize_and_crop",  # they are drawn at this size
            "load_scale": 1.0,
            "flip": False,
            "base_filters": 16,
            "num_blocks": 4,
            "discriminator_filters": 16,
            "learning_rate": 5e-4,
            "batch_size": 4,
            "epochs": 8,
            "pretrain_epochs": 5,
            "decay_every": 7,
            "content": "pixels",  # which needs nothing to be fetched
        },
        "stargan": _SMALL
        | {
            "num_blocks": 3,
            "discriminator_layers": 4,
            "batch_size": 4,
            "epochs": 6,
            # The critic knows the hues after a few hundred steps: it is the generator that needs them.
            "n_critic": 1,
        },
        "colorization": _SMALL
        | {
            "batch_size": 4,
            "epochs": 8,
            "lambda_l1": 20.0,  # as for pix2pix
        },
    },
)
