"""Colorization: grey photographs to colour, in Lab.

pix2pix (Isola et al. 2016, arXiv 1611.07004, section 4.2) from lightness to ab, as the authors' code has it, in
PyTorch: the discriminator sees both joined. Training the generator with the L1 loss alone first, and a backbone as its
encoder, are from Shariatnia's tutorial "Colorizing black & white images with U-Net and conditional GAN". A user's hints
beside the lightness are from Zhang et al. 2017 (arXiv 1705.02999).
"""

import dataclasses
from collections.abc import Mapping
from typing import ClassVar, Literal

import keras
import numpy as np
import tensorflow as tf

from gan_zoo.config import option
from gan_zoo.errors import UserError
from gan_zoo.lab import from_network, grey_to_network, lab_to_rgb, rgb_to_lab, to_grey, to_network
from gan_zoo.learning.hints import draw_hints
from gan_zoo.models.base import MADE_INPUT, StartingWeights, Translator
from gan_zoo.models.conditional_gan import ConditionalGAN
from gan_zoo.models.parts import DiscriminatorConfig, build_discriminator, generate
from gan_zoo.models.two_phases import TwoPhases
from gan_zoo.networks.backbones import MIN_SIZE, load_imagenet
from gan_zoo.networks.dynamic_unet import dynamic_unet
from gan_zoo.networks.res_unet import res_unet
from gan_zoo.networks.resnet_encoder import BLOCKS
from gan_zoo.networks.unet import MIN_DOWNS, most_downs, unet

IMAGENET = "imagenet"
METRICS = ("ab_spread", "region_agreement", "mask_agreement", "colour_score")  # errors against the truth mislead


@dataclasses.dataclass(frozen=True, kw_only=True)
class ColorizationConfig(DiscriminatorConfig):
    """The authors' settings, with the tutorial's batch."""

    input_channels: int = option(1, "channels of the input image, which is grey", 1, 1)
    target_channels: int = option(3, "channels of the target image, which is RGB", 3, 3)
    batch_size: int = option(16, "examples a step, over all devices", 1)
    generator_type: Literal["unet", "res_unet", "dynamic_unet"] = option(
        "unet", "pix2pix' U-Net, the deep residual U-Net, or a U-Net around an ImageNet classifier"
    )
    base_filters: int = option(
        64,
        "filters of the generator's first convolution; dynamic_unet: of resnet18 and 34, and, for every encoder, an "
        "eighth of the most on the way up",
        1,
    )
    num_downs: int | None = option(
        None, "unet: halvings, 5 at least, none: as many as the image size takes; res_unet: none: 3", 1, 10
    )
    norm: Literal["batch", "instance", "layer", "none"] = option("batch", "unet, res_unet: normalization")
    upsampling: Literal["transposed", "bilinear"] = option(
        "transposed", "unet: how it doubles its size; bilinear leaves no checkerboard"
    )
    dropout: bool = option(True, "unet: drop half of some blocks' values")
    inference_mode: Literal["train", "eval"] = option(
        "eval",
        "unet: translation with running statistics and no dropout, or (train) with the image's own statistics and "
        "dropout drawn from a seed",
    )
    encoder: Literal[
        "resnet18", "resnet34", "resnet50", "resnet101", "mobilenet_v2", "vgg16", "vgg19", "densenet121"
    ] = option("resnet18", "dynamic_unet: the classifier on the way down")
    encoder_weights: str | None = option(
        None,
        "dynamic_unet: where the encoder starts. none: at random; imagenet: torchvision's weights of resnet18 and 34, "
        "fetched once; or a file: torchvision's .pth for these two, for the others that of keras.applications "
        "(..._notop.h5)",
    )
    blur: bool = option(False, "dynamic_unet: average neighbouring pixels on the way up, against checkerboards")
    hints: bool = option(
        False, "take coloured points from the user beside the grey image; learnt from points of the truth"
    )
    gan_mode: Literal["lsgan", "vanilla", "wgangp", "hinge"] = option(
        "vanilla", "least squares, cross-entropy, Wasserstein with gradient penalty, or hinge"
    )
    lambda_gan: float = option(1.0, "weight of the adversarial loss", 1e-6)
    lambda_l1: float = option(100.0, "weight of the L1 distance to the true ab", 0.0)
    pretrain_epochs: int = option(0, "passes over the training data, the first ones, in which L1 is the only loss", 0)
    learning_rate: float = option(2e-4, "of Adam, for the generator, and the discriminator if it has none", 0.0)
    discriminator_learning_rate: float | None = option(
        None, "of the discriminator, under the same schedule; none: learning_rate", 0.0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.generator_type == "unet" and self.downs < MIN_DOWNS:
            raise UserError(f"num_downs={self.num_downs}: a U-Net has {MIN_DOWNS} halvings at least")
        if self.generator_type == "dynamic_unet" and self.image_size < MIN_SIZE:
            raise UserError(f"image_size={self.image_size}: generator_type=dynamic_unet needs {MIN_SIZE} px")
        if self.generator_type != "dynamic_unet" and self.image_size % self.size_multiple:
            raise UserError(
                f"image_size={self.image_size}: a U-Net of {self.downs} halvings needs a multiple of "
                f"{self.size_multiple}"
            )
        if self.encoder_weights == IMAGENET and self.encoder not in BLOCKS:
            raise UserError(
                f"encoder_weights={IMAGENET} is for encoder={' or '.join(BLOCKS)}: for {self.encoder} give the file "
                "of keras.applications (..._notop.h5)"
            )
        if self.pretrain_epochs and not self.lambda_l1:
            raise UserError(f"pretrain_epochs={self.pretrain_epochs} and lambda_l1=0 leave nothing to learn from")
        if self.discriminator_learning_rate is not None and not self.learning_rate:
            raise UserError("discriminator_learning_rate needs a learning_rate that is not 0")

    @property
    def idle(self) -> dict[str, str]:
        names = []
        if self.generator_type != "dynamic_unet":
            names += ["encoder", "encoder_weights", "blur"]
        else:
            names += ["num_downs", "norm"]
        if self.generator_type != "unet":
            names += ["upsampling", "dropout", "inference_mode"]
        idle = MADE_INPUT | dict.fromkeys(names, f"generator_type={self.generator_type}")
        if self.generator_type == "unet" and not self.drops and self.norm != "batch":
            idle["inference_mode"] = "neither dropout nor batch norm"
        return super().idle | idle

    @property
    def downs(self) -> int:
        """Halvings in a U-Net, residual or not."""
        if self.num_downs is not None:
            return self.num_downs
        return most_downs(self.image_size) if self.generator_type == "unet" else 3

    @property
    def drops(self) -> bool:
        """Whether the generator has blocks that drop values."""
        return self.dropout and self.generator_type == "unet" and self.downs > MIN_DOWNS

    @property
    def takes_seed(self) -> bool:
        """Whether a trained generator draws dropout as its noise."""
        return self.drops and self.inference_mode == "train"

    @property
    def size_multiple(self) -> int:
        """Of the sides of images of other sizes than the training's."""
        return MIN_SIZE if self.generator_type == "dynamic_unet" else 2**self.downs


def build_generator(config: ColorizationConfig) -> keras.Model:
    """A model from lightness, L / 50 - 1, `[B, H, W, 1]` to ab / 110 `[B, H, W, 2]`; a U-Net may take a seed `[B]`.

    With hints it is from both joined, `[B, H, W, 4]`.
    """
    shared = {"input_channels": 4 if config.hints else 1, "output_channels": 2, "base_filters": config.base_filters}
    if config.generator_type == "res_unet":
        return res_unet(num_downs=config.downs, norm=config.norm, **shared)
    if config.generator_type == "dynamic_unet":
        return dynamic_unet(backbone=config.encoder, image_size=config.image_size, blur=config.blur, **shared)
    return unet(
        num_downs=config.downs,
        norm=config.norm,
        upsampling=config.upsampling,
        dropout_from_seed=config.dropout,
        inference_mode=config.inference_mode,
        init_type=config.init_type,
        init_gain=config.init_gain,
        **shared,
    )


class Colorization(TwoPhases, ConditionalGAN):
    """`generator` lightness -> ab, `discriminator` [lightness, ab] -> logits; images stand at the border alone.

    Lightness is L / 50 - 1, `[B, H, W, 1]`, ab is ab / 110, `[B, H, W, 2]`, both in [-1, 1]. With `hints` the generator
    sees them behind the lightness, `[B, H, W, 3]` as `gan_zoo.learning.hints` has them; the discriminator never does.
    """

    config_class: ClassVar[type[ColorizationConfig]] = ColorizationConfig
    data_kind: ClassVar[str] = "single"
    make_input = staticmethod(to_grey)
    skip_grey: ClassVar[bool] = True

    def __init__(self, config: ColorizationConfig) -> None:
        super().__init__(config)
        self.generator = build_generator(config)
        self.discriminator = build_discriminator(config, 3, "discriminator")
        self.adversarial = not config.pretrain_epochs

    @property
    def networks(self) -> dict[str, keras.Model]:
        return {"generator": self.generator, "discriminator": self.discriminator}

    @property
    def translators(self) -> dict[str, Translator]:
        translator = Translator(
            function=self.colorize,
            networks={"generator": self.generator},
            input_channels=1,
            output_channels=3,
            image_size=self.config.image_size,
            size_multiple=self.config.size_multiple,
            takes_seed=self.config.takes_seed,
            chroma=self.predict_ab,
            takes_hints=self.config.hints,
            metrics=METRICS,
            best_metric="colour_score",
        )
        return {"translate": translator}

    def colorize(self, grey_image: tf.Tensor, seed: tf.Tensor | None = None) -> tf.Tensor:
        """Grey `[B, H, W, 1]` -> RGB `[B, H, W, 3]`, both in [-1, 1], of the same L where sRGB has the colour."""
        lightness = grey_to_network(grey_image)
        return lab_to_rgb(from_network(lightness, self.predict_ab(lightness, seed)))

    def predict_ab(
        self, lightness: tf.Tensor, seed: tf.Tensor | None = None, hints: tf.Tensor | None = None
    ) -> tf.Tensor:
        """What the trained generator makes of lightness, with the seed `[B]` and the hints `[B, H, W, 3]` if it can."""
        return generate(self.generator, self._with_hints(lightness, hints), seed)

    def _with_hints(self, lightness: tf.Tensor, hints: tf.Tensor | None) -> tf.Tensor:
        """What the generator looks at."""
        if not self.config.hints:
            return lightness
        if hints is None:
            hints = tf.repeat(tf.zeros_like(lightness), 3, axis=-1)
        return tf.concat([lightness, hints], axis=-1)

    @property
    def starting_weights(self) -> StartingWeights | None:
        """Those of the encoder that the configuration asks for."""
        config = self.config
        if config.generator_type != "dynamic_unet" or config.encoder_weights is None:
            return None
        if config.encoder_weights == IMAGENET:
            return StartingWeights(setting="encoder_weights", name=config.encoder)
        return StartingWeights(setting="encoder_weights", file=config.encoder_weights)

    def load_pretrained(self, weights: Mapping[str, np.ndarray] | str) -> None:
        load_imagenet(self.generator.get_layer("encoder"), weights)

    @property
    def discriminator_rate_factor(self) -> float:
        own = self.config.discriminator_learning_rate
        return 1.0 if own is None else own / self.config.learning_rate

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One update of the discriminator, if it takes part yet, then of the generator; returns the losses by name."""
        _, ab = to_network(rgb_to_lab(batch["target_image"]))
        lightness, example_index = grey_to_network(batch["input_image"]), batch["example_index"]
        hints = draw_hints(self.config.seed, example_index, ab) if self.config.hints else None
        return self.learn(lightness, ab, example_index, self._with_hints(lightness, hints))
