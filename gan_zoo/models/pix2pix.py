"""pix2pix: one input, one answer, learnt from pairs.

Isola et al. 2016, "Image-to-Image Translation with Conditional Adversarial Networks" (arXiv 1611.07004), as the later
of the authors' codes has it, in PyTorch. The earlier one drops values in the innermost three blocks of the way up, this
one leaves the innermost without.
"""

import dataclasses
import functools
from typing import ClassVar, Literal

import keras
import tensorflow as tf

from gan_zoo.config import option
from gan_zoo.errors import UserError
from gan_zoo.losses import gan_loss, gradient_penalty, l1_loss
from gan_zoo.models.base import TranslationModel, Translator
from gan_zoo.models.parts import PartsConfig, build_discriminator, build_generator, generate, judge
from gan_zoo.noise import example_noise, example_seeds

_DROPOUT, _PENALTY = 4, 5  # purposes of noise


@dataclasses.dataclass(frozen=True, kw_only=True)
class Pix2PixConfig(PartsConfig):
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


class Pix2Pix(TranslationModel):
    """`generator` (image, or image and seed of its dropout) -> image, `discriminator` [input, image] -> logits."""

    config_class: ClassVar[type[Pix2PixConfig]] = Pix2PixConfig

    def __init__(self, config: Pix2PixConfig) -> None:
        super().__init__(config)
        self.generator = build_generator(config, config.input_channels, config.target_channels, "generator")
        self.has_discriminator = config.lambda_gan > 0
        if self.has_discriminator:
            seen = config.target_channels + (config.input_channels if config.conditional else 0)
            self.discriminator = build_discriminator(config, seen, "discriminator")

    @property
    def networks(self) -> dict[str, keras.Model]:
        networks = {"generator": self.generator}
        return networks | {"discriminator": self.discriminator} if self.has_discriminator else networks

    @property
    def translators(self) -> dict[str, Translator]:
        translator = Translator(
            function=functools.partial(generate, self.generator),
            networks={"generator": self.generator},
            input_channels=self.config.input_channels,
            output_channels=self.config.target_channels,
            image_size=self.config.image_size,
            size_multiple=self.config.size_multiple,
            takes_seed=self.config.takes_seed,
        )
        return {"translate": translator}

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One update of the discriminator, then of the generator; returns the losses by name."""
        input_image, target_image, index = batch["input_image"], batch["target_image"], batch["example_index"]

        # Translate once: both updates use the same fakes.
        with tf.GradientTape() as network_tape:
            seed = example_seeds((self.config.seed, _DROPOUT), index)
            fake_image = generate(self.generator, input_image, seed, training=True)

        # Discriminator: tell the truth from the fakes.
        discriminator_losses = {}
        if self.has_discriminator:
            with tf.GradientTape() as tape:
                discriminator_losses = self.discriminator_losses(input_image, target_image, fake_image, index)
                # Halved, so that it learns at half the generator's pace.
                total = self.total(discriminator_losses) / 2
            weights = self.discriminator.trainable_variables
            self.apply_gradients("discriminator", tape.gradient(total, weights))

        # Generator: deceive the discriminator as it is now, and stay near the truth. The losses' gradients to the fakes
        # are carried back through what made them.
        with tf.GradientTape() as image_tape:
            image_tape.watch(fake_image)
            fake_logits = self._judge(input_image, fake_image) if self.has_discriminator else None
            generator_losses = self.generator_losses(target_image, fake_image, fake_logits)
            total = self.total(generator_losses)
        image_gradient = image_tape.gradient(total, fake_image)
        weights = self.generator.trainable_variables
        self.apply_gradients("generator", network_tape.gradient(fake_image, weights, image_gradient))
        return generator_losses | discriminator_losses

    def generator_losses(
        self, target_image: tf.Tensor, fake_image: tf.Tensor, fake_logits: list[tf.Tensor] | None
    ) -> dict[str, tf.Tensor]:
        """The weighted losses of the generator (eq. 4 of the paper), each a scalar.

        Args:
            target_image, fake_image: `[B, H, W, C]`.
            fake_logits: what the discriminator says of the fakes, a list of scales; None without one.
        """
        config, losses = self.config, {}
        if fake_logits is not None:
            loss = gan_loss(fake_logits, target_is_real=True, mode=config.gan_mode, for_generator=True)
            losses["gan"] = config.lambda_gan * loss
        if config.lambda_l1:
            losses["l1"] = config.lambda_l1 * l1_loss(fake_image, target_image)
        return losses

    def discriminator_losses(
        self, input_image: tf.Tensor, target_image: tf.Tensor, fake_image: tf.Tensor, example_index: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """The discriminator's losses on real and on fake images, not halved, and the gradient penalty if it has one."""
        mode = self.config.gan_mode
        fake_image = tf.stop_gradient(fake_image)
        # In separate passes: each has its own batch statistics.
        real_logits, fake_logits = self._judge(input_image, target_image), self._judge(input_image, fake_image)
        losses = {
            "discriminator_real": gan_loss(real_logits, target_is_real=True, mode=mode),
            "discriminator_fake": gan_loss(fake_logits, target_is_real=False, mode=mode),
        }
        if mode == "wgangp":
            alpha = example_noise((self.config.seed, _PENALTY), example_index, 1, uniform=True)
            seen = [self._seen(input_image, image) for image in (target_image, fake_image)]
            penalty = gradient_penalty(lambda image: judge(self.discriminator, image), *seen, alpha)
            losses["gradient_penalty"] = self.config.lambda_gradient_penalty * penalty
        return losses

    def _judge(self, input_image: tf.Tensor, image: tf.Tensor) -> list[tf.Tensor]:
        return judge(self.discriminator, self._seen(input_image, image))

    def _seen(self, input_image: tf.Tensor, image: tf.Tensor) -> tf.Tensor:
        return tf.concat([input_image, image], axis=-1) if self.config.conditional else image
