"""DualGAN: two domains, no pairs, two critics, and dropout for noise.

Yi et al. 2017, "DualGAN: Unsupervised Dual Learning for Image-to-Image Translation" (arXiv 1704.02510), as the authors'
TensorFlow code has it. A critic is called the discriminator of the domain that it judges.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import keras
import tensorflow as tf

from gan_zoo.config import option
from gan_zoo.errors import UserError
from gan_zoo.learning.losses import gan_loss, l1_loss, squared_loss
from gan_zoo.learning.optimizers import Clipped, FusedAdam, FusedRMSprop
from gan_zoo.models.base import LearningRate
from gan_zoo.models.parts import PartsConfig, build_discriminator, build_generator, judge
from gan_zoo.models.turns import TakesTurns
from gan_zoo.models.two_domains import TwoDomains
from gan_zoo.networks.discriminators.dual_discriminator import NUM_STRIDED, dual_discriminator
from gan_zoo.networks.dual_unet import dual_unet

OF_DUALGAN = {"dual_image": "image", "dual_patch": "patch"}  # discriminator_type: its head


@dataclasses.dataclass(frozen=True, kw_only=True)
class DualGANConfig(PartsConfig):
    """The authors' settings."""

    load_scale: float = option(
        1.0, "images are resized to load_scale * image_size before the random crop (1: no crop)", 1.0
    )
    flip: bool = option(False, "mirror half of the training examples")
    epochs: int = option(50, "passes over the training data", 1)
    learning_rate: float = option(5e-5, "of the optimizer, for all networks", 0.0)
    schedule: Literal["linear", "step", "cosine", "constant", "plateau"] = option(
        "constant",
        "learning-rate policy: linear decay to zero, x0.1 every decay_every epochs, cosine, none, or x0.2 when the "
        "validation L1 has not fallen by 1 % for more than 5 epochs",
    )
    optimizer: Literal["rmsprop", "adam"] = option("rmsprop", "RMSProp as TensorFlow 1 has it, or Adam")
    rms_decay: float = option(0.9, "rmsprop: decay of the mean of squared gradients", 0.0, 1.0)
    rms_momentum: float = option(0.0, "rmsprop: momentum of the steps", 0.0, 1.0)
    generator_type: Literal["dual_unet", "unet", "resnet", "adalin"] = option(
        "dual_unet", "the authors' U-Net, pix2pix', residual, or residual with AdaLIN"
    )
    num_downs: int | None = option(None, "dual_unet, unet: halvings; none: as many as the image size takes", 5, 10)
    norm: Literal["batch", "instance", "layer", "none"] = option(
        "instance", "normalization of all generators but adalin; instance of dual_unet has a scale and a shift"
    )
    bottleneck_norm: bool = option(
        False,
        "dual_unet: a norm behind the innermost convolution too, as theirs; through one pixel nothing passes then",
    )
    upsampling: Literal["transposed", "bilinear"] = option(
        "transposed", "unet, resnet: transposed convolution, or resize and convolution (no checkerboard)"
    )
    dropout: bool = option(True, "all generators but adalin: drop half of some blocks' values")
    discriminator_type: Literal["dual_image", "dual_patch", "patch", "pixel", "image"] = option(
        "dual_image",
        "what a discriminator judges: the authors' network, the image as a whole or patches; or pix2pix' overlapping "
        "patches, each pixel, or the image as a whole",
    )
    discriminator_norm: Literal["batch", "instance", "layer", "none", "spectral"] = option(
        "instance", "normalization of the discriminators; instance of the authors' has a scale and a shift"
    )
    init_type: Literal["normal", "truncated", "xavier", "kaiming", "orthogonal"] = option(
        "truncated", "how kernels are drawn; truncated: normal, up to two deviations, on the way down"
    )
    gan_mode: Literal["lsgan", "vanilla", "wgangp", "wgan", "hinge"] = option(
        "wgangp",
        "least squares, cross-entropy (the authors' classic), Wasserstein with gradient penalty or with clipped "
        "weights, or hinge",
    )
    weight_clip: float = option(
        0.01, "wgan: the discriminators' weights are clipped to [-weight_clip, weight_clip]", 1e-9
    )
    reconstruction: Literal["l1", "l2"] = option("l1", "distance that lambda_cycle weighs: absolute or squared")
    lambda_cycle_a: float = option(500.0, "weight of the distance of A -> B -> A to where it began", 0.0)
    lambda_cycle_b: float = option(500.0, "weight of the distance of B -> A -> B to where it began", 0.0)
    n_critic: int = option(1, "the generators learn at every n-th step, the discriminators at each", 1)
    generator_updates: int | None = option(
        None, "updates of the generators at such a step; none: 2 with gan_mode=vanilla, else 1", 1, 2
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.discriminator_type == "dual_image" and self.preprocess in ("scale_width", "none"):
            raise UserError(
                f"preprocess={self.preprocess} gives images of differing sizes, and discriminator_type=dual_image "
                "takes one size: give another discriminator_type"
            )

    @property
    def idle(self) -> dict[str, str]:
        idle = super().idle
        generator, optimizer = f"generator_type={self.generator_type}", f"optimizer={self.optimizer}"
        if self.generator_type == "dual_unet":
            idle.pop("num_downs", None)
            idle |= dict.fromkeys(("num_blocks", "upsampling"), generator)
            if self.norm == "none":
                idle["bottleneck_norm"] = f"norm={self.norm}"
        else:
            idle["bottleneck_norm"] = generator
        others = ("beta_1", "beta_2") if self.optimizer == "rmsprop" else ("rms_decay", "rms_momentum")
        idle |= dict.fromkeys(others, optimizer)
        if self.gan_mode != "wgan":
            idle["weight_clip"] = f"gan_mode={self.gan_mode}"
        return idle

    @property
    def min_side(self) -> int:
        """The last norm of the authors' discriminators has to see more than one pixel."""
        return 2**NUM_STRIDED + 1 if self.discriminator_type in OF_DUALGAN else super().min_side

    @property
    def drops(self) -> bool:
        return self.dropout if self.generator_type == "dual_unet" else super().drops

    @property
    def size_multiple(self) -> int:
        return 2**self.downs if self.generator_type == "dual_unet" else super().size_multiple

    @property
    def turn_length(self) -> int:
        """Steps after which all begins anew."""
        return self.n_critic

    @property
    def turns(self) -> Mapping[str, Sequence[int]]:
        """At which of them each kind of network learns."""
        updates = self.generator_updates or (2 if self.gan_mode == "vanilla" else 1)
        return {"discriminator": range(self.n_critic), "generator": (0,) * updates}


class DualGAN(TakesTurns, TwoDomains):
    """Generators there and back, and a critic for each domain; A is the input's, B the target's."""

    config_class: ClassVar[type[DualGANConfig]] = DualGANConfig
    judgement_weight: ClassVar[float] = 1.0

    def __init__(self, config: DualGANConfig) -> None:
        super().__init__(config)
        channels_a, channels_b = config.input_channels, config.target_channels
        self.generator_a_to_b = _build_generator(config, channels_a, channels_b, "generator_a_to_b")
        self.generator_b_to_a = _build_generator(config, channels_b, channels_a, "generator_b_to_a")
        self.discriminator_a = _build_discriminator(config, channels_a, "discriminator_a")
        self.discriminator_b = _build_discriminator(config, channels_b, "discriminator_b")
        if config.gan_mode == "wgan":
            for discriminator in (self.discriminator_a, self.discriminator_b):
                for variable in discriminator.trainable_variables:
                    variable.constraint = Clipped(config.weight_clip)

    @property
    def networks(self) -> dict[str, keras.Model]:
        names = ("generator_a_to_b", "generator_b_to_a", "discriminator_a", "discriminator_b")
        return {name: getattr(self, name) for name in names}

    def make_optimizer(self, learning_rate: LearningRate) -> keras.optimizers.Optimizer:
        config = self.config
        if config.optimizer == "adam":
            return FusedAdam(learning_rate, config.beta_1, config.beta_2)
        return FusedRMSprop(learning_rate, config.rms_decay, config.rms_momentum)

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """An update of both critics, then none, one or two of both generators; returns the weighted losses by name."""
        image_a, image_b, index = batch["input_image"], batch["target_image"], batch["example_index"]

        # Critics: tell the domain's images from fakes.
        fake_b = self.generated("generator_a_to_b", image_a, index, 0)
        fake_a = self.generated("generator_b_to_a", image_b, index, 1)
        with tf.GradientTape() as tape:
            discriminator_losses = self.discriminator_losses("a", image_a, fake_a, index)
            discriminator_losses |= self.discriminator_losses("b", image_b, fake_b, index)
            total = self.total(discriminator_losses)
        self.learn("discriminator", tape, total)

        # Generators: deceive the critics as they are now, with dropout drawn anew, and come back.
        updates = self.updates()["generator"]
        losses = []
        for update in range(max(updates, 1)):
            with tf.GradientTape() as tape:
                losses.append(self._generator_losses(image_a, image_b, index, 2 + 4 * update))
                total = self.total(losses[-1])
            if updates:
                self.learn("generator", tape, total)
        self.step.assign_add(1)
        return losses[0] | discriminator_losses

    def _generator_losses(
        self, image_a: tf.Tensor, image_b: tf.Tensor, index: tf.Tensor, use: int
    ) -> dict[str, tf.Tensor]:
        """Translates there and back, with the dropout of `use` and of the three behind it, and judges."""
        fake_b = self.generated("generator_a_to_b", image_a, index, use)
        cycled_a = self.generated("generator_b_to_a", fake_b, index, use + 1)
        fake_a = self.generated("generator_b_to_a", image_b, index, use + 2)
        cycled_b = self.generated("generator_a_to_b", fake_a, index, use + 3)
        return self.generator_losses(
            images={"a": image_a, "b": image_b},
            cycled_images={"a": cycled_a, "b": cycled_b},
            fake_logits={"a": judge(self.discriminator_a, fake_a), "b": judge(self.discriminator_b, fake_b)},
        )

    def generator_losses(
        self,
        *,
        images: dict[str, tf.Tensor],
        cycled_images: dict[str, tf.Tensor],
        fake_logits: dict[str, list[tf.Tensor]],
    ) -> dict[str, tf.Tensor]:
        """The weighted losses of both generators (eq. 2 of the paper), each a scalar, by domain.

        Args:
            images: of the domains "a" and "b", `[B, H, W, C]`.
            cycled_images: what came back from the other domain.
            fake_logits: what the domain's critic says of the translations into it, a list of scales.
        """
        config, losses = self.config, {}
        distance = {"l1": l1_loss, "l2": squared_loss}[config.reconstruction]
        for domain, logits in fake_logits.items():
            losses[f"gan_{domain}"] = gan_loss(logits, target_is_real=True, mode=config.gan_mode, for_generator=True)
        for domain, weight in (("a", config.lambda_cycle_a), ("b", config.lambda_cycle_b)):
            losses[f"cycle_{domain}"] = weight * distance(cycled_images[domain], images[domain])
        return losses


def _build_generator(config: DualGANConfig, input_channels: int, output_channels: int, name: str) -> keras.Model:
    if config.generator_type != "dual_unet":
        return build_generator(config, input_channels, output_channels, name)
    return dual_unet(
        input_channels=input_channels,
        output_channels=output_channels,
        num_downs=config.downs,
        base_filters=config.base_filters,
        norm=config.norm,
        dropout=config.dropout,
        inference_mode=config.inference_mode,
        bottleneck_norm=config.bottleneck_norm,
        init_type=config.init_type,
        init_gain=config.init_gain,
        name=name,
    )


def _build_discriminator(config: DualGANConfig, input_channels: int, name: str) -> keras.Model:
    if config.discriminator_type not in OF_DUALGAN:
        return build_discriminator(config, input_channels, name)
    return dual_discriminator(
        input_channels=input_channels,
        image_size=config.image_size,
        base_filters=config.discriminator_filters,
        head=OF_DUALGAN[config.discriminator_type],
        norm=config.discriminator_norm,
        init_type=config.init_type,
        init_gain=config.init_gain,
        name=name,
    )
