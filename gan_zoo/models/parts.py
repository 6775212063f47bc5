"""The choice of generators and discriminators that pix2pix, CycleGAN and their kin offer by configuration."""

import dataclasses
from typing import Literal

import keras
import tensorflow as tf

from gan_zoo.config import Config, option
from gan_zoo.errors import UserError
from gan_zoo.networks.adalin_resnet import adalin_resnet
from gan_zoo.networks.discriminators.image_discriminator import image_discriminator
from gan_zoo.networks.discriminators.patch_discriminator import patch_discriminator, smallest_side
from gan_zoo.networks.discriminators.pixel_discriminator import pixel_discriminator
from gan_zoo.networks.resnet import resnet
from gan_zoo.networks.unet import MIN_DOWNS, most_downs, unet

MIN_SIDE = 8  # pixels; a generator's reflections need some image to reflect


@dataclasses.dataclass(frozen=True, kw_only=True)
class DiscriminatorConfig(Config):
    """Settings of discriminators and of what they teach; a model's dataclass changes the defaults to its authors'."""

    discriminator_type: Literal["patch", "pixel", "image"] = option(
        "patch", "what a discriminator judges: overlapping patches, each pixel, or the image as a whole"
    )
    discriminator_filters: int = option(64, "filters of a discriminator's first convolution", 1)
    discriminator_layers: int = option(3, "patch: strided convolutions; 3 see patches of 70 px", 1, 5)
    discriminator_scales: int = option(1, "patch: sizes at which the discriminator looks at the image", 1, 4)
    discriminator_norm: Literal["batch", "instance", "layer", "none", "spectral"] = option(
        "batch", "normalization of a discriminator"
    )
    init_type: Literal["normal", "xavier", "kaiming", "orthogonal"] = option("normal", "how kernels are drawn")
    init_gain: float = option(0.02, "their scale (kaiming has none)", 1e-6)
    gan_mode: Literal["lsgan", "vanilla", "wgangp", "hinge"] = option(
        "lsgan", "least squares, cross-entropy, Wasserstein with gradient penalty, or hinge"
    )
    lambda_gradient_penalty: float = option(10.0, "wgangp: weight of the gradient penalty", 0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.discriminator_type != "patch" and self.discriminator_scales > 1:
            raise UserError(f"discriminator_scales={self.discriminator_scales} needs discriminator_type=patch")
        if self.discriminator_type == "image" and self.preprocess in ("scale_width", "none"):
            raise UserError(
                f"preprocess={self.preprocess} gives images of differing sizes, and discriminator_type=image takes one "
                "size: give another discriminator_type"
            )
        if self.discriminator_type != "patch" and self.image_size < self.min_side:
            raise UserError(
                f"image_size={self.image_size}: discriminator_type={self.discriminator_type} needs {self.min_side} px"
            )
        if self.image_size < self.min_side:
            raise UserError(
                f"image_size={self.image_size}: discriminator_layers={self.discriminator_layers} and "
                f"discriminator_scales={self.discriminator_scales} need {self.min_side} px; give fewer of them"
            )

    @property
    def min_side(self) -> int:
        if self.discriminator_type == "patch":
            return smallest_side(self.discriminator_layers, self.discriminator_scales)
        return MIN_SIDE

    @property
    def idle(self) -> dict[str, str]:
        idle = {}
        if self.discriminator_type != "patch":
            idle["discriminator_layers"] = f"discriminator_type={self.discriminator_type}"
        if self.gan_mode != "wgangp":
            idle["lambda_gradient_penalty"] = f"gan_mode={self.gan_mode}"
        return super().idle | idle


@dataclasses.dataclass(frozen=True, kw_only=True)
class PartsConfig(DiscriminatorConfig):
    """Settings of the generators too."""

    generator_type: Literal["unet", "resnet", "adalin"] = option("unet", "U-Net, residual, or residual with AdaLIN")
    base_filters: int = option(64, "filters of a generator's first convolution", 1)
    num_downs: int | None = option(None, "unet: halvings; none: as many as the image size takes", MIN_DOWNS, 10)
    num_blocks: int = option(9, "resnet: residual blocks; adalin: those of each half (its authors: 4)", 1)
    skips: bool = option(False, "adalin: join the encoder's features to the decoder, as a U-Net does")
    upsampling: Literal["transposed", "bilinear"] = option(
        "transposed", "unet, resnet: transposed convolution, or resize and convolution (no checkerboard)"
    )
    norm: Literal["batch", "instance", "layer", "none"] = option("batch", "unet, resnet: normalization")
    dropout: bool = option(False, "unet, resnet: drop half of some blocks' values")
    inference_mode: Literal["train", "eval"] = option(
        "train", "in translation: image statistics and dropout drawn from a seed, or running statistics and no dropout"
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.image_size % self.size_multiple:
            what = f"a U-Net of {self.downs} halvings" if self.generator_type == "unet" else "this generator"
            raise UserError(f"image_size={self.image_size}: {what} needs a multiple of {self.size_multiple}")

    @property
    def idle(self) -> dict[str, str]:
        generator = f"generator_type={self.generator_type}"
        idle = {}
        if self.generator_type != "unet":
            idle["num_downs"] = generator
        if self.generator_type == "unet":
            idle["num_blocks"] = generator
        if self.generator_type != "adalin":
            idle["skips"] = generator
        else:
            idle |= dict.fromkeys(("norm", "upsampling", "dropout"), generator)
        if not self.drops and not (self.generator_type != "adalin" and self.norm == "batch"):
            idle["inference_mode"] = "neither dropout nor batch norm"
        return super().idle | idle

    @property
    def drops(self) -> bool:
        """Whether the generator has blocks that drop values: a U-Net of few halvings has none, nor has AdaLIN."""
        deep_enough = self.downs > MIN_DOWNS if self.generator_type == "unet" else self.generator_type == "resnet"
        return self.dropout and deep_enough

    @property
    def downs(self) -> int:
        """Halvings in a U-Net: `num_downs`, or all that the image size takes."""
        return most_downs(self.image_size) if self.num_downs is None else self.num_downs

    @property
    def size_multiple(self) -> int:
        """The generator takes images whose sides are multiples of it."""
        return 2**self.downs if self.generator_type == "unet" else 4

    @property
    def takes_seed(self) -> bool:
        """Whether a trained generator draws dropout as its noise."""
        return self.drops and self.inference_mode == "train"


def build_generator(config: PartsConfig, input_channels: int, output_channels: int, name: str) -> keras.Model:
    """A model from `image`, or with dropout from `[image, seed]`, to an image; seed is `[B]` int64."""
    shared = {
        "input_channels": input_channels,
        "output_channels": output_channels,
        "base_filters": config.base_filters,
        "init_type": config.init_type,
        "init_gain": config.init_gain,
        "name": name,
    }
    if config.generator_type == "adalin":
        return adalin_resnet(num_blocks=config.num_blocks, skips=config.skips, **shared)
    shared |= {
        "upsampling": config.upsampling,
        "norm": config.norm,
        "inference_mode": config.inference_mode,
    }
    if config.generator_type == "resnet":
        return resnet(num_blocks=config.num_blocks, dropout=config.dropout, **shared)
    return unet(num_downs=config.downs, dropout_from_seed=config.dropout, **shared)


def build_discriminator(
    config: DiscriminatorConfig, input_channels: int, name: str, *, antialias: bool = False
) -> keras.Model:
    """A model from an image, or condition and image joined, to logits `[B, h, w, 1]`, one tensor a scale.

    `antialias` is that of `patch_discriminator`; the others have none.
    """
    shared = {
        "input_channels": input_channels,
        "base_filters": config.discriminator_filters,
        "norm": config.discriminator_norm,
        "init_type": config.init_type,
        "init_gain": config.init_gain,
        "name": name,
    }
    if config.discriminator_type == "pixel":
        return pixel_discriminator(**shared)
    if config.discriminator_type == "image":
        return image_discriminator(image_size=config.image_size, **shared)
    shared |= {"num_layers": config.discriminator_layers, "num_scales": config.discriminator_scales}
    return patch_discriminator(antialias=antialias, **shared)


def generate(
    generator: keras.Model, image: tf.Tensor, seed: tf.Tensor | None = None, *, training: bool = False
) -> tf.Tensor:
    """Runs a generator on `[B, H, W, C]`, with the seed `[B]` (none: zeros) if it has dropout."""
    if len(generator.inputs) == 1:
        return generator(image, training=training)
    if seed is None:
        seed = tf.zeros([tf.shape(image)[0]], tf.int64)
    return generator([image, seed], training=training)


def judge(discriminator: keras.Model, image: tf.Tensor) -> list[tf.Tensor]:
    """A discriminator's logits in training, a list of scales."""
    return keras.tree.flatten(discriminator(image, training=True))  # Keras unpacks a list of one scale
