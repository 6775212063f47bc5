"""SRGAN: a small picture made large, with detail that is believable rather than right.

Ledig et al. 2017, "Photo-Realistic Single Image Super-Resolution Using a Generative Adversarial Network" (arXiv
1609.04802): a residual network that first learns by the square error of pixels (SRResNet), then by the error of VGG19's
features and against a discriminator. The second loss to choose, `scripts`, is that of leftthomas/SRGAN, whose weights
`import_weights.py` reads.
"""

import dataclasses
from collections.abc import Mapping
from typing import ClassVar, Literal

import keras
import numpy as np
import tensorflow as tf

from gan_zoo.bicubic import reduced
from gan_zoo.config import Config, option
from gan_zoo.errors import UserError
from gan_zoo.learning.losses import gan_loss, squared_loss, total_variation
from gan_zoo.models.base import MADE_INPUT, StartingWeights, Translator
from gan_zoo.models.two_phases import TwoPhases
from gan_zoo.networks.discriminators.sr_discriminator import sr_discriminator
from gan_zoo.networks.perceptual import VGGFeatures
from gan_zoo.networks.sr_resnet import SCALES, reach, sr_resnet

MIN_SIZE = 16  # pixels; the discriminator and VGG19 halve their image four times
METRICS = ("psnr_y_border", "ssim_y_border")
SCRIPTS_TV = 2e-8  # the weight of the total variation in leftthomas/SRGAN


@dataclasses.dataclass(frozen=True, kw_only=True)
class SRGANConfig(Config):
    """The paper's settings. Its million steps and 200,000 more, on ImageNet, are up to the data set's `epochs`."""

    image_size: int = option(
        96, "side of the square crops of the truth, in pixels; the input is scale times smaller", 8
    )
    preprocess: Literal["resize_and_crop", "crop", "scale_width", "scale_width_and_crop", "none"] = option(
        "crop",
        "how images come to size; crop: cut out as they are. Whatever would have to be enlarged is left out. Without a "
        "crop sizes differ, and batch_size must be 1",
    )
    input_channels: int = option(3, "channels of the input image, as many as of the target", 1, 3)
    target_channels: int = option(3, "channels of the target image: 1 (grey) or 3 (RGB)", 1, 3)
    batch_size: int = option(16, "examples a step, over all devices", 1)
    epochs: int = option(240, "passes over the training data, those of pretrain_epochs among them", 1)
    learning_rate: float = option(1e-4, "of Adam, for both networks", 0.0)
    beta_1: float = option(0.9, "Adam's decay of the mean of gradients", 0.0, 1.0)
    schedule: Literal["linear", "step", "cosine", "constant", "plateau"] = option(
        "step",
        "learning-rate policy: linear decay to zero, x decay_factor every decay_every epochs, cosine, none, or x0.2 "
        "when the validation L1 has not fallen by 1 % for more than 5 epochs",
    )
    decay_every: int = option(220, "step: epochs between two decays", 1)
    scale: int = option(4, "how many times as large the picture becomes: 2, 4 or 8")
    num_blocks: int = option(16, "residual blocks of the generator", 1)
    base_filters: int = option(64, "filters of the generator's hidden layers", 1)
    norm: Literal["batch", "none"] = option("batch", "normalization of the generator: the paper's, or none")
    trunk_end: Literal["norm", "prelu"] = option(
        "norm", "what follows the convolution after the blocks: norm, the paper's, or prelu, of leftthomas/SRGAN"
    )
    discriminator_filters: int = option(64, "filters of the discriminator's first convolution", 1)
    discriminator_head: Literal["dense", "pool"] = option(
        "dense", "what its dense layers see: all of the last features, as in the paper, or (pool) their mean"
    )
    pretrain_epochs: int = option(
        200, "passes over the training data, the first ones, in which the square error is the only loss (SRResNet)", 0
    )
    loss: Literal["paper", "scripts"] = option(
        "paper",
        "paper: content and cross-entropy; scripts: square error, total variation, and probabilities without a "
        "logarithm, as in leftthomas/SRGAN (but for its VGG16 term)",
    )
    content: Literal["vgg54", "vgg22", "pixels"] = option(
        "vgg54", "loss=paper: what is compared with the truth: features of VGG19, late or early ones, or pixels"
    )
    vgg_weights: str | None = option(
        None, "content=vgg54, vgg22: file of torchvision's vgg19 (.pth); none: fetched once"
    )
    lambda_gan: float = option(1e-3, "weight of the adversarial loss", 1e-9)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.scale not in SCALES:
            raise UserError(f"scale={self.scale}: give {', '.join(map(str, SCALES[:-1]))} or {SCALES[-1]}")
        if self.image_size < self.min_side or self.image_size % self.scale:
            raise UserError(
                f"image_size={self.image_size}: scale={self.scale} needs a multiple of {self.scale}, and at least "
                f"{self.min_side}"
            )
        if self.input_channels != self.target_channels:
            raise UserError(
                f"input_channels={self.input_channels} and target_channels={self.target_channels}: the input is the "
                "target made small, with the same channels"
            )
        if self.looks_through_vgg and self.target_channels != 3:
            raise UserError(f"content={self.content} needs RGB: give content=pixels for pictures of one channel")
        if self.discriminator_head == "dense" and self.preprocess in ("scale_width", "none"):
            raise UserError(
                f"preprocess={self.preprocess} gives images of differing sizes, and discriminator_head=dense takes one "
                "size: give discriminator_head=pool"
            )

    @property
    def min_side(self) -> int:
        return max(MIN_SIZE, 2 * self.scale)

    @property
    def idle(self) -> dict[str, str]:
        idle = dict(MADE_INPUT)
        if self.loss != "paper":
            idle |= dict.fromkeys(("content", "vgg_weights"), f"loss={self.loss}")
        elif not self.looks_through_vgg:
            idle["vgg_weights"] = f"content={self.content}"
        if self.norm == "none" and self.trunk_end == "norm":
            idle["trunk_end"] = f"norm={self.norm}"
        return super().idle | idle

    @property
    def looks_through_vgg(self) -> bool:
        """Whether the content loss compares features."""
        return self.loss == "paper" and self.content != "pixels"


class SRGAN(TwoPhases):
    """`generator` small image -> large image, `discriminator` large image -> logits.

    Attributes:
        adversarial: whether the discriminator takes part; if not, the generator learns from the square error alone.
        features: what the content loss looks through; None for pixels, and where nobody trains.
    """

    config_class: ClassVar[type[SRGANConfig]] = SRGANConfig
    data_kind: ClassVar[str] = "single"
    skip_small: ClassVar[bool] = True
    measure_whole: ClassVar[bool] = True

    def __init__(self, config: SRGANConfig) -> None:
        super().__init__(config)
        self.generator = sr_resnet(
            channels=config.target_channels,
            scale=config.scale,
            num_blocks=config.num_blocks,
            base_filters=config.base_filters,
            norm=config.norm,
            trunk_end=config.trunk_end,
        )
        self.discriminator = sr_discriminator(
            image_size=config.image_size,
            channels=config.target_channels,
            base_filters=config.discriminator_filters,
            head=config.discriminator_head,
        )
        self.adversarial = not config.pretrain_epochs
        self.features: VGGFeatures | None = None

    def make_input(self, target_image: tf.Tensor) -> tf.Tensor:
        """The small image that a file of it would hold: see `gan_zoo.bicubic.reduced`."""
        return reduced(target_image, self.config.scale)

    @property
    def networks(self) -> dict[str, keras.Model]:
        return {"generator": self.generator, "discriminator": self.discriminator}

    @property
    def translators(self) -> dict[str, Translator]:
        config = self.config
        translator = Translator(
            function=self.enlarge,
            networks={"generator": self.generator},
            input_channels=config.input_channels,
            output_channels=config.target_channels,
            image_size=config.image_size // config.scale,
            size_multiple=1,
            scale=config.scale,
            tile_overlap=reach(config.num_blocks, config.scale),
            metrics=METRICS,
            best_metric=METRICS[0],
        )
        return {"translate": translator}

    def enlarge(self, image: tf.Tensor) -> tf.Tensor:
        """`[B, H, W, C]` -> `[B, H * scale, W * scale, C]`."""
        return self.generator(image, training=False)

    @property
    def loss_weights(self) -> StartingWeights | None:
        """VGG19's, for a run that gets as far as to need them."""
        config = self.config
        alone = config.steps is None and config.pretrain_epochs >= config.epochs
        if alone or not config.looks_through_vgg:
            return None
        if config.vgg_weights is not None:
            return StartingWeights(setting="vgg_weights", file=config.vgg_weights)
        return StartingWeights(setting="vgg_weights", name="vgg19")

    def load_loss_weights(self, weights: Mapping[str, np.ndarray] | str) -> None:
        if isinstance(weights, str):
            raise UserError(f"vgg_weights={weights}: a file of Keras'; torchvision's vgg19 (.pth) is needed")
        self.features = VGGFeatures(self.config.content, weights)

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One update of the generator, and of the discriminator if it takes part yet; returns the losses by name."""
        target_image = batch["target_image"]
        with tf.GradientTape() as network_tape:
            fake_image = self.generator(batch["input_image"], training=True)
        if not self.adversarial:
            with tf.GradientTape() as image_tape:
                image_tape.watch(fake_image)
                losses = {"pixels": self._pixel_loss(fake_image, target_image)}
                total = self.total(losses)
            self._update_generator(network_tape, fake_image, image_tape.gradient(total, fake_image))
            return losses

        # Both learn from the same judgement of the same fakes, the generator from its gradient to the image.
        with tf.GradientTape(persistent=True) as tape:
            tape.watch(fake_image)
            real_logits, fake_logits = (
                keras.tree.flatten(self.discriminator(image, training=True)) for image in (target_image, fake_image)
            )
            generator_losses = self.generator_losses(target_image, fake_image, fake_logits)
            discriminator_losses = self.discriminator_losses(real_logits, fake_logits)
            generator_total, discriminator_total = self.total(generator_losses), self.total(discriminator_losses)
        image_gradient = tape.gradient(generator_total, fake_image)
        discriminator_gradients = tape.gradient(discriminator_total, self.discriminator.trainable_variables)
        del tape
        self._update_generator(network_tape, fake_image, image_gradient)
        self.apply_gradients("discriminator", discriminator_gradients)
        return generator_losses | discriminator_losses

    def _update_generator(self, tape: tf.GradientTape, fake_image: tf.Tensor, image_gradient: tf.Tensor) -> None:
        weights = self.generator.trainable_variables
        self.apply_gradients("generator", tape.gradient(fake_image, weights, image_gradient))

    def _pixel_loss(self, fake_image: tf.Tensor, target_image: tf.Tensor) -> tf.Tensor:
        """Equation 4 of the paper; the scripts' images are in [0, 1]."""
        return squared_loss(fake_image, target_image) / (4.0 if self.config.loss == "scripts" else 1.0)

    def generator_losses(
        self, target_image: tf.Tensor, fake_image: tf.Tensor, fake_logits: list[tf.Tensor]
    ) -> dict[str, tf.Tensor]:
        """The weighted losses of the generator (equation 3 of the paper), each a scalar.

        The paper's content loss sums over the channels of the features (equation 5); here it is the mean of all.

        Args:
            target_image, fake_image: `[B, H, W, C]`.
            fake_logits: what the discriminator says of the fakes, a list of one.
        """
        config = self.config
        if config.loss == "scripts":
            return {
                "pixels": self._pixel_loss(fake_image, target_image),
                "gan": config.lambda_gan * (1.0 - _mean_probability(fake_logits)),
                "total_variation": SCRIPTS_TV * total_variation(fake_image) / 4.0,
            }
        gan = gan_loss(fake_logits, target_is_real=True, mode="vanilla", for_generator=True)
        return {"content": self._content_loss(fake_image, target_image), "gan": config.lambda_gan * gan}

    def _content_loss(self, fake_image: tf.Tensor, target_image: tf.Tensor) -> tf.Tensor:
        if not self.config.looks_through_vgg:
            return self._pixel_loss(fake_image, target_image)
        if self.features is None:
            raise ValueError(f"content={self.config.content} needs load_loss_weights before the first step")
        return squared_loss(self.features(fake_image), self.features(target_image))

    def discriminator_losses(self, real_logits: list[tf.Tensor], fake_logits: list[tf.Tensor]) -> dict[str, tf.Tensor]:
        """The discriminator's losses on real and on fake images, each a scalar."""
        if self.config.loss == "scripts":
            return {
                "discriminator_real": 1.0 - _mean_probability(real_logits),
                "discriminator_fake": _mean_probability(fake_logits),
            }
        return {
            "discriminator_real": gan_loss(real_logits, target_is_real=True, mode="vanilla"),
            "discriminator_fake": gan_loss(fake_logits, target_is_real=False, mode="vanilla"),
        }


def _mean_probability(logits: list[tf.Tensor]) -> tf.Tensor:
    """Of being real."""
    return tf.reduce_mean(tf.sigmoid(logits[0]))
