"""Are regions where objects are, and what takes mosaics away? python benchmarks/depixelation.py [--train=P --test=P]"""

import functools
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from absl import flags

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import command_line  # before all that imports TensorFlow

# isort: split
import keras
import numpy as np

import gan_zoo
from datasets import DATASETS
from datasets.shapes import SILHOUETTES, ShapesSource
from gan_zoo.bicubic import enlarged
from gan_zoo.data.picture_files import find_images, read_image
from gan_zoo.errors import UserError
from gan_zoo.grids import image_grid
from gan_zoo.images import write_png
from gan_zoo.pairs import regions
from gan_zoo.pairs.cam import ActivationMaps, mask_of, seen_class
from gan_zoo.pairs.making import PairMaker, mosaic, of_blocks, to_photo
from gan_zoo.pairs.settings import PairSettings

USAGE = """usage: python benchmarks/depixelation.py [flags]

Trains a small classifier on `shapes`, and reports the intersection over union of the regions in which it sees its class
with the objects that it has not seen before. With --train and --test, folders of photographs, trains on squares of
theirs with mosaics in random boxes, and reports the PSNR inside the boxes: of the mosaic, of bicubic interpolation of
its blocks, of pix2pix with L1 alone and with the GAN, and of BicycleGAN with z = 0."""
SIZE, BLOCK = 64, 4
BOXES = {"region_size": 0.75, "num_regions": 2}
SHAPES_STEPS = 1500
THRESHOLD = 0.2
_UNET = {"base_filters": 32, "learning_rate": 5e-4, "init_gain": 1.0, "dropout": False}
_PIX2PIX = {"norm": "none", "init_type": "xavier", "batch_size": 8, **_UNET}
MODELS = {
    "pix2pix, L1 alone": {"model": "pix2pix", "lambda_gan": 0.0, **_PIX2PIX},
    "pix2pix, L1 and GAN": {"model": "pix2pix", "discriminator_filters": 32, "discriminator_norm": "none", **_PIX2PIX},
    "BicycleGAN, z = 0": {
        "model": "bicyclegan", "encoder_filters": 32, "discriminator_filters": 32, "batch_size": 8, **_UNET
    },
}  # fmt: skip

_OWN = ("epochs", "image_size", "load_scale")  # which `train` says
ON_SHAPES = {
    "model": "pix2pix",
    **{key: value for key, value in DATASETS["shapes"].recommended["pix2pix"].items() if key not in _OWN},
    "dropout": False,
    "upsampling": "bilinear",
    "lambda_l1": 100.0,  # what lies below a mosaic is known better than the colour of a drawing
}


def small_classifier() -> keras.Model:
    """Which silhouette? A map of 16 x 16 at 64 px.

    White is zero, and without biases it stays so: the ground speaks for no class. Weights that are not negative let a
    class have places that speak for it, and none that speak against it, so that its map shows more of the object than
    what tells it from others.
    """
    layers = keras.layers
    convolution = functools.partial(layers.Conv2D, kernel_size=3, padding="same", activation="relu", use_bias=False)
    return keras.Sequential(
        [
            keras.Input((SIZE, SIZE, 3)),
            layers.Rescaling(-1 / 255, offset=1.0),
            convolution(16, strides=2),
            convolution(32),
            convolution(32, strides=2),
            convolution(64),
            layers.GlobalAveragePooling2D(),
            layers.Dense(len(SILHOUETTES), kernel_constraint=keras.constraints.NonNeg()),
        ]
    )


def train_classifier(source: ShapesSource, count: int, epochs: int, seed: int) -> keras.Model:
    """Trains on the first `count` coloured pictures."""
    keras.utils.set_random_seed(seed)
    examples = [source[index] for index in range(count)]
    images = np.stack([example["target_image"] for example in examples])
    labels = np.stack([example["silhouette"] for example in examples])
    model = small_classifier()
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(2e-3), loss, metrics=["accuracy"])
    model.fit(images, labels, batch_size=32, epochs=epochs, verbose=0)
    return model


def regions_of(maps: ActivationMaps, image: np.ndarray) -> tuple[int, np.ndarray]:
    """The class that the classifier sees, and its mask `[SIZE, SIZE]`."""
    features = maps.features(image)
    seen = seen_class(maps.scores(features), None, 1)
    return seen, mask_of(maps.map_of(features, seen), SIZE, SIZE, THRESHOLD)


def report_regions(maps: ActivationMaps, source: ShapesSource) -> None:
    """Prints how well regions agree with true masks on a split."""
    right, agreements = [], []
    for index in range(len(source)):
        example = source[index]
        seen, mask = regions_of(maps, example["target_image"])
        truth = source.object_mask(index)
        right.append(seen == example["silhouette"])
        agreements.append((mask & truth).sum() / (mask | truth).sum())
    whole = np.mean([source.object_mask(index).mean() for index in range(len(source))])
    print(
        f"shapes, {len(source)} unseen pictures: the class is right in {np.mean(right):.1%}; intersection over union "
        f"of its region with the object {np.mean(agreements):.3f} (of the whole picture {whole:.3f})",
        flush=True,
    )


class Pairs:
    """Pictures and their mosaics; an `ExampleSource`."""

    kind = "paired"

    def __init__(
        self, inputs: Sequence[np.ndarray], targets: Sequence[np.ndarray], masks: Sequence[np.ndarray]
    ) -> None:
        self.inputs, self.targets, self.masks = inputs, targets, masks

    def __len__(self) -> int:
        return len(self.inputs)

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        return {"input_image": self.inputs[index], "target_image": self.targets[index]}


def pairs_of_photos(folder: str, stride: int, most: int | None = None) -> Pairs:
    """Squares of the photographs in a folder, `stride` pixels apart, each with mosaics in its own random boxes."""
    files, _ = find_images(folder)
    squares = []
    for file in files:
        photo = to_photo(read_image(file))
        for top in range(0, photo.shape[0] - SIZE + 1, stride):
            for left in range(0, photo.shape[1] - SIZE + 1, stride):
                squares.append((f"{file.name} {top} {left}", photo[top : top + SIZE, left : left + SIZE].copy()))
    if most and len(squares) > most:
        squares = [squares[len(squares) * number // most] for number in range(most)]
    maker = PairMaker(PairSettings(make="mosaic", regions="random", block=BLOCK, **BOXES))
    inputs, masks = [], []
    for name, square in squares:
        pair, record = maker.pair(square, name)
        inputs.append(pair[:, :SIZE])
        masks.append(of_blocks(regions.of_boxes(record["regions"], SIZE, SIZE).mask, BLOCK))
    return Pairs(inputs, [square for _, square in squares], masks)


def pairs_of_shapes(maps: ActivationMaps, source: ShapesSource, count: int) -> Pairs:
    """Coloured pictures with mosaics where the classifier sees their class."""
    targets = [source[index]["target_image"] for index in range(count)]
    masks = [of_blocks(regions_of(maps, target)[1], BLOCK) for target in targets]
    inputs = [
        np.where(mask[..., np.newaxis], mosaic(target, BLOCK), target)
        for mask, target in zip(masks, targets, strict=True)
    ]
    return Pairs(inputs, targets, masks)


def psnr_inside(answers: Sequence[np.ndarray], pairs: Pairs) -> float:
    """The mean over pictures of the PSNR of 8 bit RGB inside their regions, in dB."""
    found = []
    for answer, target, mask in zip(answers, pairs.targets, pairs.masks, strict=True):
        error = (answer[mask].astype(np.float64) - target[mask]) ** 2
        found.append(10 * np.log10(255**2 / max(error.mean(), 1e-2)))
    return float(np.mean(found))


def train(pairs: Pairs, settings: Mapping[str, Any], steps: int, seed: int) -> gan_zoo.TrainedModel:
    with tempfile.TemporaryDirectory() as workdir:
        return gan_zoo.train(
            source=pairs,
            workdir=workdir,
            steps=steps,
            seed=seed,
            image_size=SIZE,
            load_scale=1.0,
            sample_every=0,
            evaluate_every=0,
            log_every=steps,
            checkpoint_minutes=60.0,
            say=lambda line: None,
            **settings,
        )


def draw(path: str, maps: ActivationMaps, count: int, seed: int) -> None:
    """Trains on `shapes` with mosaics, and writes what becomes of eight unseen pictures."""
    learnt = pairs_of_shapes(maps, ShapesSource("train", SIZE), count)
    unseen = pairs_of_shapes(maps, ShapesSource("test", SIZE), 8)
    answers = train(learnt, ON_SHAPES, SHAPES_STEPS, seed).translate(np.stack(unseen.inputs))
    rows = [list(unseen.inputs), list(answers), list(unseen.targets)]
    write_png(path, image_grid(rows, []))


def define_flags() -> flags.FlagValues:
    values = flags.FlagValues()
    kwargs = {"flag_values": values}
    flags.DEFINE_string("train", None, "folder of photographs to train on", **kwargs)
    flags.DEFINE_string("test", None, "folder of photographs to judge by", **kwargs)
    flags.DEFINE_integer("steps", 3000, "training steps of each model", lower_bound=1, **kwargs)
    flags.DEFINE_integer("num_test", 200, "squares to judge by", lower_bound=1, **kwargs)
    flags.DEFINE_integer("num_pictures", 2000, "of shapes, for the classifier", 1, 4000, **kwargs)
    flags.DEFINE_integer("epochs", 8, "of the classifier", lower_bound=1, **kwargs)
    flags.DEFINE_integer("seed", 0, "of the trainings", lower_bound=0, **kwargs)
    flags.DEFINE_multi_enum("only", list(MODELS), list(MODELS), "one of the models; may be repeated", **kwargs)
    flags.DEFINE_string("picture", None, "write what pix2pix makes of mosaics on `shapes` there", **kwargs)
    return values


def main(values: flags.FlagValues) -> None:
    if bool(values.train) != bool(values.test):
        raise UserError("give both --train and --test")
    classifier = train_classifier(ShapesSource("train", SIZE), values.num_pictures, values.epochs, values.seed)
    maps = ActivationMaps(classifier, "the small classifier")
    report_regions(maps, ShapesSource("val", SIZE))
    if values.picture:
        draw(values.picture, maps, values.num_pictures, values.seed)
    if not values.train:
        return
    learnt, judged = pairs_of_photos(values.train, SIZE // 2), pairs_of_photos(values.test, SIZE, values.num_test)
    print(f"{len(learnt)} squares to learn from, {len(judged)} to judge by; PSNR inside the regions:", flush=True)
    blocks = [enlarged(np.ascontiguousarray(mosaic(each, BLOCK)[::BLOCK, ::BLOCK]), BLOCK) for each in judged.targets]
    for name, answers in (("the mosaic itself", judged.inputs), ("bicubic interpolation of its blocks", blocks)):
        print(f"  {name}: {psnr_inside(answers, judged):.2f} dB", flush=True)
    for name in values.only:
        model = train(learnt, MODELS[name], values.steps, values.seed)
        answers = [model.translate(image) for image in judged.inputs]
        print(f"  {name}: {psnr_inside(answers, judged):.2f} dB", flush=True)


if __name__ == "__main__":
    command_line.run(main, define_flags(), USAGE)
