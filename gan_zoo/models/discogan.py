"""DiscoGAN: two domains, no pairs, whose relation is found by what can be undone.

Kim et al. 2017, "Learning to Discover Cross-Domain Relations with Generative Adversarial Networks" (arXiv 1703.05192),
as the authors' PyTorch code has it: features of the discriminators count beside their judgement, the way back counts
little at first, and discriminators and generators take turns.
"""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import keras
import tensorflow as tf

from gan_zoo.config import option
from gan_zoo.errors import UserError
from gan_zoo.learning.losses import feature_matching_loss, gan_loss, squared_loss
from gan_zoo.learning.optimizers import FusedAdam
from gan_zoo.models.base import LearningRate
from gan_zoo.models.parts import PartsConfig, build_discriminator, build_generator
from gan_zoo.models.turns import TakesTurns
from gan_zoo.models.two_domains import TwoDomains
from gan_zoo.networks.discriminators.features import with_features
from gan_zoo.networks.discriminators.image_discriminator import image_discriminator
from gan_zoo.networks.encoder_decoder import EXTRA_SIZE, NUM_DOWNS, encoder_decoder


@dataclasses.dataclass(frozen=True, kw_only=True)
class DiscoGANConfig(PartsConfig):
    """The authors' settings."""

    image_size: int = option(64, "side of the square training images, in pixels", 16)
    load_scale: float = option(
        1.0, "images are resized to load_scale * image_size before the random crop (1: no crop)", 1.0
    )
    flip: bool = option(False, "mirror half of the training examples")
    batch_size: int = option(64, "examples a step, over all devices", 1)
    epochs: int = option(5000, "passes over the training data", 1)
    schedule: Literal["linear", "step", "cosine", "constant", "plateau"] = option(
        "constant",
        "learning-rate policy: linear decay to zero, x0.1 every decay_every epochs, cosine, none, or x0.2 when the "
        "validation L1 has not fallen by 1 % for more than 5 epochs",
    )
    weight_decay: float = option(1e-5, "times a weight is added to its gradient", 0.0)
    objective: Literal["discogan", "recongan", "gan"] = option(
        "discogan", "the whole model; only A -> B -> A; or A -> B without a way back (the paper's two baselines)"
    )
    generator_type: Literal["encoder_decoder", "unet", "resnet", "adalin"] = option(
        "encoder_decoder", "the authors', U-Net, residual, or residual with AdaLIN"
    )
    extra_layer: bool = option(
        False, "encoder_decoder: a layer more, down to one pixel at 64 px (theirs for car2car, face2face)"
    )
    norm: Literal["batch", "instance", "layer", "none"] = option("batch", "normalization of all generators but adalin")
    upsampling: Literal["transposed", "bilinear"] = option(
        "transposed", "unet, resnet: transposed convolution, or resize and convolution (no checkerboard)"
    )
    inference_mode: Literal["train", "eval"] = option(
        "eval", "in translation: running statistics and no dropout, or image statistics and dropout drawn from a seed"
    )
    discriminator_type: Literal["patch", "pixel", "image"] = option(
        "image", "what a discriminator judges: overlapping patches, each pixel, or the image as a whole"
    )
    init_type: Literal["normal", "xavier", "kaiming", "orthogonal", "pytorch"] = option(
        "pytorch", "how kernels are drawn; pytorch: as it does by itself"
    )
    init_gain: float = option(0.02, "their scale (kaiming and pytorch have none)", 1e-6)
    gan_mode: Literal["lsgan", "vanilla", "wgangp", "hinge"] = option(
        "vanilla", "least squares, cross-entropy, Wasserstein with gradient penalty, or hinge"
    )
    lambda_gan: float = option(0.1, "weight of the adversarial loss", 0.0)
    lambda_features: float = option(0.9, "weight of the distance of real and fake images' mean features", 0.0)
    start_rate: float = option(0.01, "share of the way back in the generators' loss at first", 0.0, 1.0)
    rate: float = option(0.5, "its share after rate_change_step", 0.0, 1.0)
    rate_change_step: int = option(10_000, "steps with start_rate", 0)
    discriminator_every: int = option(
        3, "the discriminators learn at every n-th step, the generators at all others; 1: both at every step", 1
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.objective == "gan" and self.schedule == "plateau":
            raise UserError("schedule=plateau watches the way back, which objective=gan has not: give another schedule")

    @property
    def idle(self) -> dict[str, str]:
        generator, objective = f"generator_type={self.generator_type}", f"objective={self.objective}"
        idle = {}
        if self.generator_type == "encoder_decoder":
            idle |= dict.fromkeys(("num_blocks", "upsampling", "dropout"), generator)
        else:
            idle["extra_layer"] = generator
        if self.init_type == "pytorch":
            idle["init_gain"] = f"init_type={self.init_type}"
        if self.objective == "gan":
            idle |= dict.fromkeys(("start_rate", "rate", "rate_change_step"), objective)
        elif not self.rate_change_step:
            idle["start_rate"] = f"rate_change_step={self.rate_change_step}"
        return super().idle | idle

    @property
    def size_multiple(self) -> int:
        if self.generator_type != "encoder_decoder":
            return super().size_multiple
        return 2**NUM_DOWNS * (EXTRA_SIZE if self.extra_layer else 1)

    @property
    def turn_length(self) -> int:
        """Steps after which all begins anew."""
        return self.discriminator_every

    @property
    def turns(self) -> Mapping[str, Sequence[int]]:
        """At which of them each kind of network learns."""
        return {"discriminator": (0,), "generator": tuple(range(1, self.discriminator_every)) or (0,)}

    @property
    def domains(self) -> tuple[str, ...]:
        """Those whose images are made, and judged."""
        return ("a", "b") if self.objective == "discogan" else ("b",)


class DiscoGAN(TakesTurns, TwoDomains):
    """Generators there and back, and a discriminator for each domain; A is the input's, B the target's.

    `objective="recongan"` has no `discriminator_a`, `"gan"` no `generator_b_to_a` either.
    """

    config_class: ClassVar[type[DiscoGANConfig]] = DiscoGANConfig

    def __init__(self, config: DiscoGANConfig) -> None:
        super().__init__(config)
        channels = {"a": config.input_channels, "b": config.target_channels}
        ways = ("a_to_b",) if config.objective == "gan" else ("a_to_b", "b_to_a")
        self._names = [f"generator_{way}" for way in ways] + [f"discriminator_{domain}" for domain in config.domains]
        for way in ways:
            generator = _build_generator(config, channels[way[0]], channels[way[-1]], f"generator_{way}")
            setattr(self, f"generator_{way}", generator)
        for domain in config.domains:
            name = f"discriminator_{domain}"
            setattr(self, name, _build_discriminator(config, channels[domain], name))
        self._judges = {domain: with_features(self.networks[f"discriminator_{domain}"]) for domain in config.domains}

    @property
    def networks(self) -> dict[str, keras.Model]:
        return {name: getattr(self, name) for name in self._names}

    def make_optimizer(self, learning_rate: LearningRate) -> keras.optimizers.Optimizer:
        config = self.config
        return FusedAdam(learning_rate, config.beta_1, config.beta_2, l2=config.weight_decay)

    def rate_of_way_back(self) -> tf.Tensor:
        """The share of the way back in the generators' loss at the step that comes, a scalar."""
        config = self.config
        if config.objective == "gan":
            return tf.zeros([], keras.backend.floatx())
        rates = tf.constant([config.start_rate, config.rate], keras.backend.floatx())
        return tf.gather(rates, tf.cast(self.step >= config.rate_change_step, tf.int32))

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One update of those whose turn it is, generators or discriminators; returns all weighted losses by name."""
        index = batch["example_index"]
        images = {"a": batch["input_image"], "b": batch["target_image"]}
        learning = [kind for kind, count in self.updates().items() if count]
        with tf.GradientTape(persistent=len(learning) > 1) as tape:
            # In the authors' order, in which batch norm's running statistics see the images.
            fakes = {"b": self.generated("generator_a_to_b", images["a"], index, 0)}
            if "a" in self.config.domains:
                fakes["a"] = self.generated("generator_b_to_a", images["b"], index, 1)
            cycled = {}
            if self.config.objective != "gan":
                cycled["a"] = self.generated("generator_b_to_a", fakes["b"], index, 2)
            if "a" in fakes:
                cycled["b"] = self.generated("generator_a_to_b", fakes["a"], index, 3)

            generator_losses, discriminator_losses = {}, {}
            for domain in self.config.domains:
                fake = fakes[domain] if "generator" in learning else tf.stop_gradient(fakes[domain])
                real_logits, real_features = self.judged(domain, images[domain])
                fake_logits, fake_features = self.judged(domain, fake)
                generator_losses |= self.deception(domain, fake_logits, real_features, fake_features)
                discriminator_losses |= self.judgement(domain, real_logits, fake_logits)
                discriminator_losses |= self.penalty(domain, images[domain], tf.stop_gradient(fake), index)
            generator_losses |= self.ways_back({domain: images[domain] for domain in cycled}, cycled)
            totals = {
                "generator": self.total(generator_losses),
                "discriminator": self.total(discriminator_losses),
            }
        for kind in learning:
            self.learn(kind, tape, totals[kind])
        self.step.assign_add(1)
        return generator_losses | discriminator_losses

    def judged(self, domain: str, image: tf.Tensor) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
        """The logits of a domain's discriminator in training, a list of scales, and its features, a list of layers."""
        logits, features = self._judges[domain](image, training=True)
        return logits, features

    def deception(
        self,
        domain: str,
        fake_logits: list[tf.Tensor],
        real_features: list[tf.Tensor],
        fake_features: list[tf.Tensor],
    ) -> dict[str, tf.Tensor]:
        """The weighted losses by which a generator is told from its domain, by the judgement and by the features."""
        config, share = self.config, 1.0 - self.rate_of_way_back()
        gan = gan_loss(fake_logits, target_is_real=True, mode=config.gan_mode, for_generator=True)
        features = feature_matching_loss(real_features, fake_features)
        return {
            f"gan_{domain}": share * config.lambda_gan * gan,
            f"features_{domain}": share * config.lambda_features * features,
        }

    def ways_back(self, images: dict[str, tf.Tensor], cycled_images: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """The weighted square distances, by domain, of what came back to where it began; in [0, 1] as the authors'."""
        rate = self.rate_of_way_back()
        return {
            f"cycle_{domain}": rate * squared_loss(cycled_images[domain], image) / 4.0
            for domain, image in images.items()
        }


def _build_generator(config: DiscoGANConfig, input_channels: int, output_channels: int, name: str) -> keras.Model:
    if config.generator_type != "encoder_decoder":
        return build_generator(config, input_channels, output_channels, name)
    return encoder_decoder(
        input_channels=input_channels,
        output_channels=output_channels,
        base_filters=config.base_filters,
        extra_layer=config.extra_layer,
        norm=config.norm,
        inference_mode=config.inference_mode,
        init_type=config.init_type,
        init_gain=config.init_gain,
        name=name,
    )


def _build_discriminator(config: DiscoGANConfig, input_channels: int, name: str) -> keras.Model:
    """As of all models, but that the authors' has no bias, and a range of its own."""
    if config.discriminator_type != "image":
        return build_discriminator(config, input_channels, name)
    return image_discriminator(
        input_channels=input_channels,
        image_size=config.image_size,
        base_filters=config.discriminator_filters,
        norm=config.discriminator_norm,
        init_type=config.init_type,
        init_gain=config.init_gain,
        outer_bias=False,
        unit_range=True,
        name=name,
    )
