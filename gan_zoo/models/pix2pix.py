"""pix2pix: one input, one answer, learnt from pairs.

Isola et al. 2016, "Image-to-Image Translation with Conditional Adversarial Networks" (arXiv 1611.07004), as the later
of the authors' codes has it, in PyTorch. The earlier one drops values in the innermost three blocks of the way up, this
one leaves the innermost without.
"""

import dataclasses
from typing import ClassVar, Literal

import keras
import tensorflow as tf

from gan_zoo.config import option
from gan_zoo.errors import UserError
from gan_zoo.models.base import Translator
from gan_zoo.models.class_maps import ClassMapsConfig, seen
from gan_zoo.models.conditional_gan import ConditionalGAN
from gan_zoo.models.parts import PartsConfig, build_discriminator, build_generator, generate


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pix2PixConfig(ClassMapsConfig, PartsConfig):
    """The authors' settings."""

    dropout: bool = option(True, "unet, resnet: drop half of some blocks' values, this model's noise")
    gan_mode: Literal["lsgan", "vanilla", "wgangp", "hinge"] = option(
        "vanilla", "least squares, cross-entropy, Wasserstein with gradient penalty, or hinge"
    )
    conditional: bool = option(True, "the discriminator sees the input image too; false: the paper's plain GAN")
    lambda_gan: float = option(1.0, "weight of the adversarial loss; 0: L1 alone, without a discriminator", 0.0)
    lambda_l1: float = option(100.0, "weight of the L1 distance to the target", 0.0)

    @property
    def idle(self) -> dict[str, str]:
        idle = super().idle
        if not self.lambda_gan:
            names = [field.name for field in dataclasses.fields(self) if field.name.startswith("discriminator_")]
            names += ["gan_mode", "lambda_gradient_penalty", "conditional"]
            idle |= dict.fromkeys(names, "lambda_gan=0")
        return idle

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.lambda_gan and not self.lambda_l1:
            raise UserError("lambda_gan=0 and lambda_l1=0 leave nothing to learn from")


class Pix2Pix(ConditionalGAN):
    """`generator` (image, or image and seed of its dropout) -> image, `discriminator` [input, image] -> logits."""

    config_class: ClassVar[type[Pix2PixConfig]] = Pix2PixConfig

    def __init__(self, config: Pix2PixConfig) -> None:
        super().__init__(config)
        self.generator = build_generator(config, config.seen_channels, config.target_channels, "generator")
        self.adversarial = config.lambda_gan > 0
        if self.adversarial:
            judged = config.target_channels + (config.seen_channels if config.conditional else 0)
            self.discriminator = build_discriminator(config, judged, "discriminator")

    @property
    def networks(self) -> dict[str, keras.Model]:
        networks = {"generator": self.generator}
        return networks | {"discriminator": self.discriminator} if self.adversarial else networks

    @property
    def translators(self) -> dict[str, Translator]:
        translator = Translator(
            function=self._translated,
            networks={"generator": self.generator},
            input_channels=self.config.input_channels,
            output_channels=self.config.target_channels,
            image_size=self.config.image_size,
            size_multiple=self.config.size_multiple,
            takes_seed=self.config.takes_seed,
            input_classes=self.config.input_classes,
        )
        return {"translate": translator}

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One update of the discriminator, then of the generator; returns the losses by name."""
        condition = seen(batch["input_image"], self.config.input_classes)
        return self.learn(condition, batch["target_image"], batch["example_index"])

    def _translated(self, image: tf.Tensor, *seed: tf.Tensor) -> tf.Tensor:
        return generate(self.generator, seen(image, self.config.input_classes), *seed)

    def _seen(self, condition: tf.Tensor, image: tf.Tensor) -> tf.Tensor:
        return super()._seen(condition, image) if self.config.conditional else image
