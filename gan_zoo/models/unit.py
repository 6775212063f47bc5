"""UNIT: two domains over one latent space, no pairs.

Liu, Breuel and Kautz 2017, "Unsupervised Image-to-Image Translation Networks" (arXiv 1703.00848), as the authors' later
code has it: a variational autoencoder for each domain, whose codes mean the same, and a discriminator for each. There
the variance of a code is 1 whatever the image, so that the KL divergence is the mean of its squares. The perceptual
term that they use for street scenes is left out.
"""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar, Literal

import keras
import tensorflow as tf

from gan_zoo.config import Config, option
from gan_zoo.errors import UserError
from gan_zoo.learning.losses import gan_loss, l1_loss
from gan_zoo.learning.noise import noise_like
from gan_zoo.learning.optimizers import FusedAdam
from gan_zoo.models.base import LearningRate, Translator
from gan_zoo.models.parts import judge
from gan_zoo.models.two_domains import TwoDomains
from gan_zoo.networks.discriminators.multi_scale_discriminator import multi_scale_discriminator, smallest_side
from gan_zoo.networks.residual_autoencoder import Style, residual_decoder, residual_encoder, residual_trunk

_NOISES = {"discriminator": 10, "forth": 12, "back": 14}  # purposes, of each the first of two domains'
_SAMPLE = 16
OTHER = {"a": "b", "b": "a"}
DISCRIMINATOR_GAIN = 0.02  # of its normal kernels
_DISCRIMINATORS = ("discriminator_a", "discriminator_b")


@dataclasses.dataclass(frozen=True, kw_only=True)
class UNITConfig(Config):
    """The authors' settings. Their million steps are up to the data set's `epochs` and `decay_every`."""

    load_scale: float = option(
        1.0, "images are resized to load_scale * image_size before the random crop (1: no crop)", 1.0
    )
    epochs: int = option(1000, "passes over the training data", 1)
    learning_rate: float = option(1e-4, "of Adam, for all networks", 0.0)
    weight_decay: float = option(1e-4, "of all weights, added to their gradients (an L2 loss)", 0.0)
    schedule: Literal["linear", "step", "cosine", "constant", "plateau"] = option(
        "step",
        "learning-rate policy: linear decay to zero, x decay_factor every decay_every epochs, cosine, none, or x0.2 "
        "when the validation L1 has not fallen by 1 % for more than 5 epochs",
    )
    decay_every: int = option(100, "step: epochs between two decays", 1)
    decay_factor: float = option(0.5, "step: what the rate is multiplied by", 0.0, 1.0)
    base_filters: int = option(64, "filters of an encoder's first convolution", 1)
    num_downs: int = option(2, "halvings between an image and its code", 1, 4)
    num_blocks: int = option(4, "residual blocks of each encoder and of each decoder", 1)
    shared_blocks: int = option(
        0,
        "of these, how many both domains have in common, the encoders' last and the decoders' first ones: 1 in the "
        "paper, none in the authors' later code, where the way there and back keeps the codes alike",
        0,
    )
    activation: Literal["relu", "leaky_relu"] = option("relu", "of encoders and decoders")
    padding: Literal["reflect", "zero"] = option("reflect", "what lies around images: themselves, mirrored, or zeros")
    init_type: Literal["normal", "xavier", "kaiming", "orthogonal"] = option(
        "kaiming", "how kernels of encoders and decoders are drawn"
    )
    init_gain: float = option(0.02, "normal, xavier, orthogonal: their scale", 1e-6)
    discriminator_filters: int = option(64, "filters of a discriminator's first convolution", 1)
    discriminator_layers: int = option(4, "strided convolutions of a discriminator", 1, 6)
    discriminator_scales: int = option(3, "sizes at which a discriminator looks at the image", 1, 4)
    discriminator_norm: Literal["none", "instance"] = option("none", "normalization of the discriminators")
    gan_mode: Literal["lsgan", "vanilla"] = option("lsgan", "least squares or cross-entropy")
    lambda_gan: float = option(1.0, "weight of the adversarial losses, on both sides", 1e-9)
    lambda_recon: float = option(10.0, "weight of the L1 distance of an image to what its own decoder makes", 0.0)
    lambda_cycle: float = option(10.0, "weight of the L1 distance of an image to what comes back", 0.0)
    lambda_kl: float = option(0.01, "weight of the KL divergence of the images' codes, a mean", 0.0)
    lambda_kl_cycle: float = option(0.01, "weight of the KL divergence of the translations' codes", 0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.shared_blocks > self.num_blocks:
            raise UserError(f"shared_blocks={self.shared_blocks}: there are num_blocks={self.num_blocks} to share")
        if self.image_size % self.size_multiple:
            raise UserError(
                f"image_size={self.image_size}: num_downs={self.num_downs} needs a multiple of {self.size_multiple}"
            )
        if self.image_size < self.min_side:
            raise UserError(
                f"image_size={self.image_size}: discriminator_layers={self.discriminator_layers} and "
                f"discriminator_scales={self.discriminator_scales} need {self.min_side} px; give fewer of them"
            )

    @property
    def min_side(self) -> int:
        return max(smallest_side(self.discriminator_layers, self.discriminator_scales), 2 * 2**self.num_downs)

    @property
    def size_multiple(self) -> int:
        """Of images; with many halvings twice what these need, since a code of one pixel cannot be mirrored."""
        return 2 ** (self.num_downs + (self.num_downs > 2))

    @property
    def takes_seed(self) -> bool:
        """A translation is that of the code itself; samples are a translator of their own."""
        return False

    @property
    def idle(self) -> dict[str, str]:
        idle = {"init_gain": f"init_type={self.init_type}"} if self.init_type == "kaiming" else {}
        return super().idle | idle


class UNIT(TwoDomains):
    """`encoder_a` and `encoder_b` image -> code, `decoder_a` and `decoder_b` code -> image, `discriminator_a` and `_b`.

    With `shared_blocks` the codes of both encoders go through `shared_encoder`, and to both decoders through
    `shared_decoder`. A is the input's domain, B the target's.
    """

    config_class: ClassVar[type[UNITConfig]] = UNITConfig

    def __init__(self, config: UNITConfig) -> None:
        super().__init__(config)
        style = Style(
            activation=config.activation,
            padding=config.padding,
            init_type=config.init_type,
            init_gain=config.init_gain,
        )
        own = {"num_downs": config.num_downs, "num_blocks": config.num_blocks - config.shared_blocks, "style": style}
        own["base_filters"] = config.base_filters
        of_discriminator = {
            "base_filters": config.discriminator_filters,
            "num_layers": config.discriminator_layers,
            "num_scales": config.discriminator_scales,
            "norm": config.discriminator_norm,
            "padding": config.padding,
            "init_gain": DISCRIMINATOR_GAIN,
        }
        channels_a, channels_b = config.input_channels, config.target_channels
        self.encoder_a = residual_encoder(input_channels=channels_a, name="encoder_a", **own)
        self.encoder_b = residual_encoder(input_channels=channels_b, name="encoder_b", **own)
        if config.shared_blocks:
            width = config.base_filters * 2**config.num_downs
            shared = {"channels": width, "num_blocks": config.shared_blocks, "style": style}
            self.shared_encoder = residual_trunk(name="shared_encoder", **shared)
            self.shared_decoder = residual_trunk(name="shared_decoder", **shared)
        self.decoder_a = residual_decoder(output_channels=channels_a, name="decoder_a", **own)
        self.decoder_b = residual_decoder(output_channels=channels_b, name="decoder_b", **own)
        self.discriminator_a = multi_scale_discriminator(
            input_channels=channels_a, name="discriminator_a", **of_discriminator
        )
        self.discriminator_b = multi_scale_discriminator(
            input_channels=channels_b, name="discriminator_b", **of_discriminator
        )

    @property
    def networks(self) -> dict[str, keras.Model]:
        names = [*_DISCRIMINATORS, *self._names("encoder", "a", "b"), *self._names("decoder", "a", "b")]
        return {name: getattr(self, name) for name in names}

    def _names(self, kind: str, *domains: str) -> list[str]:
        """The networks that are the encoders, or the decoders, of these domains."""
        shared = [f"shared_{kind}"] if self.config.shared_blocks else []
        return [f"{kind}_{domain}" for domain in domains] + shared

    @property
    def translators(self) -> dict[str, Translator]:
        """Both translations, each image as its own decoder makes it, and translations of codes with noise."""
        translators = super().translators

        def one_way(here: str, there: str, like: str, **changes: Any) -> Translator:
            names = self.way(here, there)[1]
            networks = {name: self.networks[name] for name in names}
            return dataclasses.replace(translators[like], networks=networks, cycle=None, **changes)

        for domain, other in OTHER.items():
            like = f"{domain}_to_{other}"
            own = {"output_channels": translators[like].input_channels, "target_key": translators[like].input_key}
            function = self.way(domain, domain)[0]
            translators[f"reconstruct_{domain}"] = one_way(domain, domain, like, function=function, **own)
        for domain, other in OTHER.items():
            like, function = f"{domain}_to_{other}", functools.partial(self.sample, domain, other)
            translators[f"sample_{like}"] = one_way(domain, other, like, function=function, takes_seed=True)
        return translators

    def way(self, here: str, there: str) -> tuple[Callable[..., tf.Tensor], list[str]]:
        def function(image: tf.Tensor, seed: tf.Tensor | None = None) -> tf.Tensor:
            return self.decode(there, self.encode(here, image))

        return function, [*self._names("encoder", here), *self._names("decoder", there)]

    def sample(self, here: str, there: str, image: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        """A translation of `[B, H, W, C]` with the noise around its code that was there in training, of `[B]` int64."""
        code = self.encode(here, image)
        return self.decode(there, code + noise_like((_SAMPLE, 0), seed, code))

    def encode(self, domain: str, image: tf.Tensor) -> tf.Tensor:
        """The code, `[B, h, w, C]`, of an image of a domain."""
        code = getattr(self, f"encoder_{domain}")(image)
        return self.shared_encoder(code) if self.config.shared_blocks else code

    def decode(self, domain: str, code: tf.Tensor) -> tf.Tensor:
        """The image of a code in a domain."""
        code = self.shared_decoder(code) if self.config.shared_blocks else code
        return getattr(self, f"decoder_{domain}")(code)

    def noise(self, purpose: str, domain: str, code: tf.Tensor, example_index: tf.Tensor) -> tf.Tensor:
        """Standard normal, for a code of an image of a domain."""
        seed = (self.config.seed, _NOISES[purpose] + "ab".index(domain))
        return noise_like(seed, example_index, code)

    def make_optimizer(self, learning_rate: LearningRate) -> keras.optimizers.Optimizer:
        config = self.config
        return FusedAdam(learning_rate, config.beta_1, config.beta_2, l2=config.weight_decay)

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One update of the discriminators, then of encoders and decoders; returns the weighted losses by name."""
        images = {"a": batch["input_image"], "b": batch["target_image"]}
        index = batch["example_index"]

        # Of each image's code the image itself and its translation; of the translation's code what comes back.
        with tf.GradientTape() as network_tape:
            codes = {domain: self.encode(domain, image) for domain, image in images.items()}
            noisy = {domain: code + self.noise("forth", domain, code, index) for domain, code in codes.items()}
            made = {"codes": codes, "recon_images": {}, "fake_images": {}, "back_codes": {}, "cycled_images": {}}
            for domain, other in OTHER.items():
                made["recon_images"][domain] = self.decode(domain, noisy[domain])
                made["fake_images"][domain] = self.decode(domain, noisy[other])
            for domain, other in OTHER.items():
                code = self.encode(other, made["fake_images"][other])
                made["back_codes"][domain] = code
                made["cycled_images"][domain] = self.decode(domain, code + self.noise("back", domain, code, index))

        # Discriminators: tell the domain's images from fakes, of the same codes with other noise.
        fake_images = {
            domain: self.decode(domain, codes[other] + self.noise("discriminator", other, codes[other], index))
            for domain, other in OTHER.items()
        }
        with tf.GradientTape() as tape:
            discriminator_losses = self.discriminator_losses(images, fake_images)
            total = self.total(discriminator_losses)
        self._update(_DISCRIMINATORS, tape, total)

        # Encoders and decoders: deceive the discriminators as they are now, keep the images, and the codes near zero.
        # The losses' gradients to what was made are carried back through what made it.
        with tf.GradientTape() as made_tape:
            made_tape.watch(made)
            generator_losses = self.generator_losses(images, **made)
            total = self.total(generator_losses)
        others = [name for name in self.networks if name not in _DISCRIMINATORS]
        self._update(others, network_tape, made, made_tape.gradient(total, made))
        return generator_losses | discriminator_losses

    def _update(self, names: Sequence[str], tape: tf.GradientTape, of: Any, output_gradients: Any = None) -> None:
        weights = [self.networks[name].trainable_variables for name in names]
        for name, gradients in zip(names, tape.gradient(of, weights, output_gradients), strict=True):
            self.apply_gradients(name, gradients)

    def generator_losses(
        self,
        images: Mapping[str, tf.Tensor],
        *,
        codes: Mapping[str, tf.Tensor],
        recon_images: Mapping[str, tf.Tensor],
        fake_images: Mapping[str, tf.Tensor],
        back_codes: Mapping[str, tf.Tensor],
        cycled_images: Mapping[str, tf.Tensor],
    ) -> dict[str, tf.Tensor]:
        """The weighted losses of encoders and decoders (eq. 8 of the paper), each a scalar, by domain.

        Args:
            images: of the domains "a" and "b", `[B, H, W, C]`.
            codes: theirs, without noise, `[B, h, w, C]`.
            recon_images: what the domain's own decoder made of the code.
            fake_images: what it made of the other domain's.
            back_codes: of the translation of the domain's image, without noise.
            cycled_images: what the domain's own decoder made of that.
        """
        config, losses = self.config, {}
        for domain, image in images.items():
            logits = judge(self.networks[f"discriminator_{domain}"], fake_images[domain])
            gan = gan_loss(logits, target_is_real=True, mode=config.gan_mode, for_generator=True)
            losses[f"gan_{domain}"] = config.lambda_gan * gan
            losses[f"recon_{domain}"] = config.lambda_recon * l1_loss(recon_images[domain], image)
            losses[f"kl_{domain}"] = config.lambda_kl * tf.reduce_mean(tf.square(codes[domain]))
            losses[f"cycle_{domain}"] = config.lambda_cycle * l1_loss(cycled_images[domain], image)
            losses[f"kl_cycle_{domain}"] = config.lambda_kl_cycle * tf.reduce_mean(tf.square(back_codes[domain]))
        return losses

    def discriminator_losses(
        self, images: Mapping[str, tf.Tensor], fake_images: Mapping[str, tf.Tensor]
    ) -> dict[str, tf.Tensor]:
        """Of each domain's discriminator: real plus fake, summed over scales, without a factor 0.5."""
        config, losses = self.config, {}
        for domain, image in images.items():
            discriminator = self.networks[f"discriminator_{domain}"]
            real = gan_loss(judge(discriminator, image), target_is_real=True, mode=config.gan_mode)
            fake = gan_loss(judge(discriminator, fake_images[domain]), target_is_real=False, mode=config.gan_mode)
            losses[f"discriminator_{domain}"] = config.lambda_gan * (real + fake)
        return losses
