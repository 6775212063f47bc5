"""StarGAN: one generator for all labels.

Choi et al. 2018, "StarGAN: Unified Generative Adversarial Networks for Multi-Domain Image-to-Image Translation" (arXiv
1711.09020), as the authors' code has it, but for one thing: they ask for the labels of the same batch in another order,
which would depend on how devices share the batch. Here each example is asked for the label of another example of the
data set, which the pipeline draws: labels of the same distribution, as a function of (seed, step, example).
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import keras
import tensorflow as tf

from gan_zoo.config import option
from gan_zoo.errors import UserError
from gan_zoo.learning.losses import gan_loss, gradient_penalty, l1_loss
from gan_zoo.learning.noise import example_noise
from gan_zoo.learning.schedules import EpochSchedule
from gan_zoo.models.base import LearningRate, Translator
from gan_zoo.models.labelled import LabelledConfig, asked_for
from gan_zoo.models.turns import TakesTurns
from gan_zoo.networks.discriminators.label_discriminator import label_discriminator
from gan_zoo.networks.label_resnet import label_resnet

SIZE_MULTIPLE = 4
_PENALTY = 40  # purpose of noise


@dataclasses.dataclass(frozen=True, kw_only=True)
class StarGANConfig(LabelledConfig):
    """The authors' settings. Their 200,000 steps are `epochs` of CelebA, of 12,600 steps each."""

    image_size: int = option(128, "side of the square training images, in pixels", 8)
    load_scale: float = option(
        1.0, "images are resized to load_scale * image_size before the random crop (1: no crop)", 1.0
    )
    batch_size: int = option(16, "examples a step, over all devices", 1)
    epochs: int = option(16, "passes over the training data", 1)
    learning_rate: float = option(1e-4, "of Adam, for the generator, and for both without another one", 0.0)
    discriminator_learning_rate: float | None = option(None, "of the discriminator's Adam; none: learning_rate", 0.0)
    num_blocks: int = option(6, "residual blocks of the generator", 0)
    base_filters: int = option(64, "filters of the generator's first convolution", 1)
    upsampling: Literal["transposed", "bilinear"] = option(
        "transposed", "transposed convolution, or resize and convolution (no checkerboard)"
    )
    discriminator_filters: int = option(64, "filters of the discriminator's first convolution", 1)
    discriminator_layers: int = option(6, "strided convolutions of the discriminator", 1, 8)
    n_critic: int = option(5, "steps of the discriminator for each one of the generator", 1)
    gan_mode: Literal["lsgan", "vanilla", "wgangp", "hinge"] = option(
        "wgangp", "least squares, cross-entropy, Wasserstein with gradient penalty, or hinge"
    )
    lambda_classification: float = option(1.0, "weight of saying, and of having, the right label", 0.0)
    lambda_reconstruction: float = option(
        10.0, "weight of the L1 distance of an image to what comes back when it is given its own label again", 0.0
    )
    lambda_gradient_penalty: float = option(10.0, "wgangp: weight of the gradient penalty", 0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.image_size % SIZE_MULTIPLE:
            raise UserError(f"image_size={self.image_size}: give a multiple of {SIZE_MULTIPLE}")
        if self.image_size < 2**self.discriminator_layers:
            raise UserError(
                f"image_size={self.image_size}: discriminator_layers={self.discriminator_layers} need "
                f"{2**self.discriminator_layers} px; give fewer of them"
            )
        if self.discriminator_learning_rate is not None and not self.learning_rate:
            raise UserError("discriminator_learning_rate needs a learning_rate that is not 0")
        if self.preprocess in ("scale_width", "none"):
            raise UserError(
                f"preprocess={self.preprocess} gives images of differing sizes, and the discriminator takes one size: "
                "give a preprocess that crops"
            )

    @property
    def idle(self) -> dict[str, str]:
        idle = {}
        if self.gan_mode != "wgangp":
            idle["lambda_gradient_penalty"] = f"gan_mode={self.gan_mode}"
        return super().idle | idle

    @property
    def turn_length(self) -> int:
        """Steps after which all begins anew."""
        return self.n_critic

    @property
    def turns(self) -> Mapping[str, Sequence[int]]:
        """At which of them each network learns."""
        return {"discriminator": range(self.n_critic), "generator": (self.n_critic - 1,)}


class StarGAN(TakesTurns):
    """`generator` [image, label] -> image, `discriminator` image -> [logits of patches, logits of the label]."""

    config_class: ClassVar[type[StarGANConfig]] = StarGANConfig
    data_kind: ClassVar[str] = "labelled"

    def __init__(self, config: StarGANConfig) -> None:
        super().__init__(config)
        config.check_labels()
        shared = {"channels": config.target_channels, "num_labels": len(config.label_names)}
        self.generator = label_resnet(
            num_blocks=config.num_blocks, base_filters=config.base_filters, upsampling=config.upsampling, **shared
        )
        self.discriminator = label_discriminator(
            image_size=config.image_size,
            num_layers=config.discriminator_layers,
            base_filters=config.discriminator_filters,
            **shared,
        )

    @staticmethod
    def make_input(target_image: tf.Tensor) -> tf.Tensor:
        """An image is both: what is translated, and one of the kind that translations are of."""
        return target_image

    @property
    def networks(self) -> dict[str, keras.Model]:
        return {"discriminator": self.discriminator, "generator": self.generator}

    @property
    def translators(self) -> dict[str, Translator]:
        config = self.config
        translator = Translator(
            function=self.translate,
            cycle=lambda image, label, own_label: self.translate(self.translate(image, label), own_label),
            networks={"generator": self.generator},
            input_channels=config.input_channels,
            output_channels=config.target_channels,
            image_size=config.image_size,
            size_multiple=SIZE_MULTIPLE,
            labels=config.label_names,
            one_label=config.label_kind == "classes",
            asked_for=lambda label: asked_for(config, label),
            target_key=None,
        )
        return {"translate": translator}

    def translate(self, image: tf.Tensor, label: tf.Tensor) -> tf.Tensor:
        """`[B, H, W, C]` with the label `[B, num_labels]` that it is to have -> `[B, H, W, C]`."""
        return self.generator([image, label], training=False)

    def validation_l1(self, batch: dict[str, tf.Tensor]) -> tf.Tensor:
        """There is no truth for a translation: the mean distance of the way there and back to where it began."""
        image, label = batch["input_image"], batch["label"]
        there = asked_for(self.config, label)[:, 0]
        return l1_loss(self.translate(self.translate(image, there), label), image)

    def learning_rate_of(self, name: str, learning_rate: LearningRate) -> LearningRate:
        config = self.config
        if name == "discriminator" and config.discriminator_learning_rate is not None:
            factor = config.discriminator_learning_rate / config.learning_rate
            of_run = isinstance(learning_rate, EpochSchedule)
            learning_rate = learning_rate.rest(0, factor) if of_run else factor * learning_rate
        return super().learning_rate_of(name, learning_rate)

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One update of the discriminator and, every `n_critic` steps, of the generator; returns the losses by name."""
        image, label, target_label = batch["input_image"], batch["label"], batch["target_label"]
        of_generator = self.updates()["generator"]
        self.step.assign_add(1)

        # Discriminator: tell images from fakes, and say what label an image has.
        fake_image = self.generator([image, target_label], training=True)
        with tf.GradientTape() as tape:
            losses = self.discriminator_losses(image, fake_image, label, batch["example_index"])
            total = self.total(losses)
        weights = self.discriminator.trainable_variables
        self.apply_gradients("discriminator", tape.gradient(total, weights))
        if not of_generator:
            return losses

        # Generator: deceive it as it is now, have the label that was asked for, and come back.
        with tf.GradientTape() as tape:
            fake_image = self.generator([image, target_label], training=True)
            restored_image = self.generator([fake_image, label], training=True)
            generator_losses = self.generator_losses(image, restored_image, target_label, self._judge(fake_image))
            total = self.total(generator_losses)
        self.apply_gradients("generator", tape.gradient(total, self.generator.trainable_variables))
        return losses | generator_losses

    def discriminator_losses(
        self, image: tf.Tensor, fake_image: tf.Tensor, label: tf.Tensor, example_index: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """The weighted losses of the discriminator (equations 5 and 8 of the paper), each a scalar.

        Args:
            image, fake_image: `[B, H, W, C]`.
            label: `[B, num_labels]`, that of the images.
            example_index: `[B]`, the examples' places in the stream.
        """
        config = self.config
        real_logits, label_logits = self._judge(image)
        fake_logits, _ = self._judge(fake_image)
        losses = {
            "discriminator_real": gan_loss([real_logits], target_is_real=True, mode=config.gan_mode),
            "discriminator_fake": gan_loss([fake_logits], target_is_real=False, mode=config.gan_mode),
            "classification_real": config.lambda_classification * self.classification_loss(label, label_logits),
        }
        if config.gan_mode == "wgangp":
            alpha = example_noise((config.seed, _PENALTY), example_index, 1, uniform=True)
            penalty = gradient_penalty(lambda mixture: self._judge(mixture)[0], image, fake_image, alpha)
            losses["gradient_penalty"] = config.lambda_gradient_penalty * penalty
        return losses

    def generator_losses(
        self, image: tf.Tensor, restored_image: tf.Tensor, target_label: tf.Tensor, judgement: list[tf.Tensor]
    ) -> dict[str, tf.Tensor]:
        """The weighted losses of the generator (equation 6 of the paper), each a scalar.

        Args:
            image, restored_image: `[B, H, W, C]`, where they began and what came back.
            target_label: `[B, num_labels]`, what was asked for.
            judgement: what the discriminator says of the translations, logits of patches and of the label.
        """
        config = self.config
        fake_logits, label_logits = judgement
        return {
            "gan": gan_loss([fake_logits], target_is_real=True, mode=config.gan_mode, for_generator=True),
            "classification_fake": config.lambda_classification * self.classification_loss(target_label, label_logits),
            "reconstruction": config.lambda_reconstruction * l1_loss(restored_image, image),
        }

    def classification_loss(self, label: tf.Tensor, logits: tf.Tensor) -> tf.Tensor:
        """The mean over the batch of the cross-entropy of the class, or of the sum of those of all attributes.

        Args:
            label, logits: `[B, num_labels]`.
        """
        label = tf.cast(label, logits.dtype)
        if self.config.label_kind == "classes":
            return tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(label, logits))
        each = tf.nn.sigmoid_cross_entropy_with_logits(label, logits)
        return tf.reduce_mean(tf.reduce_sum(each, axis=-1))

    def _judge(self, image: tf.Tensor) -> list[tf.Tensor]:
        return self.discriminator(image, training=True)
