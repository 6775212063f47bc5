"""BicycleGAN: one input, many answers.

Zhu et al. 2017, "Toward Multimodal Image-to-Image Translation" (arXiv 1711.11586), as the authors' PyTorch code has it.
"""

import dataclasses
import math
from typing import ClassVar, Literal

import keras
import tensorflow as tf

from gan_zoo.config import option
from gan_zoo.errors import UserError
from gan_zoo.learning.losses import gan_loss, kl_loss, l1_loss
from gan_zoo.learning.noise import example_noise
from gan_zoo.models.base import TranslationModel, Translator
from gan_zoo.models.class_maps import ClassMapsConfig, seen
from gan_zoo.networks.discriminators.patch_discriminator import patch_discriminator, smallest_side
from gan_zoo.networks.latent_encoder import plain_encoder, resnet_encoder
from gan_zoo.networks.unet import MIN_DOWNS, most_downs, unet


@dataclasses.dataclass(frozen=True, kw_only=True)
class BicycleGANConfig(ClassMapsConfig):
    """The authors' settings, but for `z_injection`: theirs is `all`, recommended for the data sets of their scripts."""

    batch_size: int = option(2, "examples a step, over all devices; half are encoded, half meet a random z", 1)
    latent_dim: int = option(8, "length of the latent vector z", 1)
    objective: Literal["bicyclegan", "cvae_gan", "clr_gan", "noise"] = option(
        "bicyclegan", "the whole model, one of its halves alone, or pix2pix with a random z (the paper's baseline)"
    )
    z_injection: Literal["input", "all"] = option("input", "z joins the image, or (the authors) all levels down")
    num_downs: int | None = option(None, "halvings in the U-Net; none: as many as the image size takes", MIN_DOWNS)
    base_filters: int = option(64, "filters of the generator's first convolution", 1)
    upsampling: Literal["transposed", "bilinear"] = option("transposed", "how the generator doubles its size")
    init_gain: float = option(0.02, "of the xavier initializer of all networks", 1e-6)
    dropout: bool = option(True, "dropout in the generator's wide blocks, in training only")
    encoder_type: Literal["resnet", "plain"] = option("resnet", "residual blocks or strided convolutions")
    encoder_filters: int = option(64, "filters of the encoder's first convolution", 1)
    discriminator_filters: int = option(64, "filters of the discriminators' first convolution", 1)
    discriminator_layers: int = option(3, "strided convolutions of a discriminator: 3 sees patches of 70 px", 1, 5)
    discriminator_scales: int = option(2, "sizes at which each discriminator looks at the image", 1, 4)
    conditional: bool = option(False, "the discriminators see the input image too")
    shared_discriminator: bool = option(False, "one discriminator for encoded and random translations")
    gan_mode: Literal["lsgan", "vanilla"] = option("lsgan", "least squares or cross-entropy")
    lambda_gan_encoded: float = option(1.0, "weight of the adversarial loss with the encoded z", 0.0)
    lambda_gan_random: float = option(1.0, "weight of the adversarial loss with a random z", 0.0)
    lambda_l1: float = option(10.0, "weight of the L1 distance to the target", 0.0)
    lambda_latent: float = option(0.5, "weight of the L1 distance between z and the encoded random translation", 0.0)
    lambda_kl: float = option(0.01, "weight of the KL divergence, summed over batch and dimensions", 0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.objective == "bicyclegan" and self.batch_size % 2:
            raise UserError(f"batch_size={self.batch_size}: BicycleGAN needs an even batch, half encoded, half random")
        if self.image_size % 2**self.downs:
            raise UserError(
                f"image_size={self.image_size}: a U-Net of {self.downs} halvings needs a multiple of {2**self.downs}"
            )
        if self.image_size < self.min_side:
            raise UserError(
                f"image_size={self.image_size}: discriminator_layers={self.discriminator_layers} and "
                f"discriminator_scales={self.discriminator_scales} need {self.min_side} px; give fewer of them"
            )

    @property
    def batch_parts(self) -> int:
        return 2 if self.objective == "bicyclegan" else 1

    @property
    def downs(self) -> int:
        """Halvings in the U-Net: `num_downs`, or all that the image size takes."""
        return most_downs(self.image_size) if self.num_downs is None else self.num_downs

    @property
    def min_side(self) -> int:
        return smallest_side(self.discriminator_layers, self.discriminator_scales)


class BicycleGAN(TranslationModel):
    """cVAE-GAN (target -> z -> target) and cLR-GAN (z -> image -> z) over one generator and one encoder.

    `generator` [image, z] -> image, `encoder` image -> (mu, logvar), `discriminator_encoded` and `discriminator_random`
    image -> logits (the same object if `shared_discriminator`). An objective that lacks a path lacks its networks.
    """

    config_class: ClassVar[type[BicycleGANConfig]] = BicycleGANConfig

    def __init__(self, config: BicycleGANConfig) -> None:
        super().__init__(config)
        self.has_encoded_path = config.objective in ("bicyclegan", "cvae_gan")
        self.has_random_path = config.objective != "cvae_gan"
        self.has_encoder = config.objective != "noise"
        self.generator = unet(
            input_channels=config.seen_channels,
            output_channels=config.target_channels,
            num_downs=config.downs,
            base_filters=config.base_filters,
            latent_dim=config.latent_dim,
            z_injection=config.z_injection,
            upsampling=config.upsampling,
            dropout=config.dropout,
            init_gain=config.init_gain,
        )
        if self.has_encoder:
            self.encoder = self._build_encoder()
        if self.has_encoded_path:
            self.discriminator_encoded = self._build_discriminator("discriminator_encoded")
        if self.has_random_path:
            shared = config.shared_discriminator and self.has_encoded_path
            self.discriminator_random = (
                self.discriminator_encoded if shared else self._build_discriminator("discriminator_random")
            )

    def _build_encoder(self) -> keras.Model:
        config = self.config
        halvings = int(math.log2(config.image_size))
        shared = {"input_channels": config.target_channels, "latent_dim": config.latent_dim}
        shared |= {"base_filters": config.encoder_filters, "init_gain": config.init_gain}
        # Down to 8 px, as the authors' networks for 128 and 256 px.
        if config.encoder_type == "resnet":
            return resnet_encoder(num_blocks=max(halvings - 4, 1), **shared)
        return plain_encoder(num_layers=max(halvings - 3, 2), **shared)

    def _build_discriminator(self, name: str) -> keras.Model:
        config = self.config
        return patch_discriminator(
            input_channels=config.target_channels + (config.seen_channels if config.conditional else 0),
            base_filters=config.discriminator_filters,
            num_layers=config.discriminator_layers,
            num_scales=config.discriminator_scales,
            init_gain=config.init_gain,
            name=name,
        )

    @property
    def networks(self) -> dict[str, keras.Model]:
        networks = {"generator": self.generator}
        if self.has_encoder:
            networks["encoder"] = self.encoder
        if self.has_encoded_path:
            networks["discriminator_encoded"] = self.discriminator_encoded
        if self.has_random_path and not (self.has_encoded_path and self.config.shared_discriminator):
            networks["discriminator_random"] = self.discriminator_random
        return networks

    @property
    def translators(self) -> dict[str, Translator]:
        used = {"generator": self.generator} | ({"encoder": self.encoder} if self.has_encoder else {})
        translator = Translator(
            function=lambda image, z: self.generator([seen(image, self.config.input_classes), z], training=False),
            encode=(lambda image: self.encoder(image, training=False)) if self.has_encoder else None,
            networks=used,
            input_channels=self.config.input_channels,
            output_channels=self.config.target_channels,
            image_size=self.config.image_size,
            size_multiple=2**self.config.downs,
            latent_dim=self.config.latent_dim,
            input_classes=self.config.input_classes,
        )
        return {"translate": translator}

    def noise(self, purpose: str, example_index: tf.Tensor) -> tf.Tensor:
        """Standard normal `[B, latent_dim]` for the reparameterization (`encoded`) or the prior (`random`)."""
        number = {"encoded": 1, "random": 2}[purpose]
        return example_noise((self.config.seed, number), example_index, self.config.latent_dim)

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One update of all networks; returns the weighted losses by name."""
        parts = self._parts(batch)

        # Translate with the z of the own target (encoded) and with a z from the prior (random): one pass for both.
        with tf.GradientTape() as network_tape:
            posterior, z = {}, {}
            if "encoded" in parts:
                mu, logvar = self.encoder(parts["encoded"]["target_image"], training=True)
                posterior = {"mu": mu, "logvar": logvar}
                z["encoded"] = mu + self.noise("encoded", parts["encoded"]["example_index"]) * tf.exp(0.5 * logvar)
            if "random" in parts:
                z["random"] = self.noise("random", parts["random"]["example_index"])
            conditions = tf.concat([parts[path]["condition"] for path in z], axis=0)
            fakes = self.generator([conditions, tf.concat(list(z.values()), axis=0)], training=True)

        # Judge each image once: no discriminator moves before both sides have taken their gradients from its outputs.
        with tf.GradientTape(persistent=True) as image_tape:
            image_tape.watch([fakes, *posterior.values()])
            fake_images = dict(zip(z, tf.split(fakes, len(z)), strict=True))
            fake_logits = {path: self._judge(path, parts[path]["condition"], fake_images[path]) for path in parts}
            real_logits = {
                path: self._judge(path, part["input_image"], part["target_image"]) for path, part in parts.items()
            }
            recovers = self.has_encoder and self.has_random_path
            recovered = self.encoder(fake_images["random"], training=True)[0] if recovers else None
            generator_losses = self.generator_losses(
                target_images={path: part["target_image"] for path, part in parts.items()},
                fake_images=fake_images,
                fake_logits=fake_logits,
                z_random=z.get("random"),
                recovered_z=recovered,
                **posterior,
            )
            discriminator_losses = self.discriminator_losses(real_logits, fake_logits)
            generator_total = self._total(generator_losses)
            discriminator_total = self._total(discriminator_losses)

        # Generator and encoder: the losses' gradients to the images, carried back through what made them. So
        # the encoder learns from the encoded path alone, never from its own reading of a random translation.
        outputs = [fakes, *posterior.values()]
        output_gradients = image_tape.gradient(generator_total, outputs)
        learners = ["generator", "encoder"] if "encoded" in parts else ["generator"]
        weights = [self.networks[name].trainable_variables for name in learners]
        gradients = network_tape.gradient(outputs, weights, output_gradients)
        gradients = dict(zip(learners, gradients, strict=True))
        if self.config.objective == "clr_gan":
            # Alone, this path is all that could teach the encoder (eq. 8 of the paper minimizes over both).
            # It says nothing about the variance, whose head stays as it is.
            weights = [variable.value for variable in self.encoder.trainable_variables]
            gradients["encoder"] = image_tape.gradient(
                generator_total, weights, unconnected_gradients=tf.UnconnectedGradients.ZERO
            )
        for name, network in self.networks.items():
            if name not in gradients:
                gradients[name] = image_tape.gradient(discriminator_total, network.trainable_variables)

        for name in self.networks:
            self.apply_gradients(name, gradients[name])
        return self._logs(generator_losses | discriminator_losses)

    def generator_losses(
        self,
        *,
        target_images: dict[str, tf.Tensor],
        fake_images: dict[str, tf.Tensor],
        fake_logits: dict[str, list[tf.Tensor]],
        z_random: tf.Tensor | None = None,
        recovered_z: tf.Tensor | None = None,
        mu: tf.Tensor | None = None,
        logvar: tf.Tensor | None = None,
    ) -> dict[str, tf.Tensor]:
        """The weighted losses of generator and encoder (eq. 9 of the paper), each a scalar.

        Args:
            target_images, fake_images: `[B, H, W, C]` for each path, "encoded" and "random".
            fake_logits: what the path's discriminator says of its fakes, a list of scales.
            z_random, recovered_z: `[B, latent_dim]`, the random z and the mean that the encoder reads from its image.
            mu, logvar: `[B, latent_dim]`, the encoded posterior.
        """
        config = self.config
        weights = {"encoded": config.lambda_gan_encoded, "random": config.lambda_gan_random}
        losses = {
            f"gan_{path}": weights[path] * gan_loss(logits, target_is_real=True, mode=config.gan_mode)
            for path, logits in fake_logits.items()
        }
        if config.objective != "clr_gan":
            # A random z has no target of its own, but for the baseline that knows no other path.
            path = "random" if config.objective == "noise" else "encoded"
            losses["l1"] = config.lambda_l1 * l1_loss(fake_images[path], target_images[path])
        if recovered_z is not None:
            losses["latent"] = config.lambda_latent * l1_loss(recovered_z, z_random)
        if mu is not None:
            losses["kl"] = config.lambda_kl * kl_loss(mu, logvar)
        return losses

    def discriminator_losses(
        self, real_logits: dict[str, list[tf.Tensor]], fake_logits: dict[str, list[tf.Tensor]]
    ) -> dict[str, tf.Tensor]:
        """Each path's loss of its discriminator: real plus fake, summed over scales, without pix2pix' factor 0.5."""
        mode = self.config.gan_mode
        return {
            f"discriminator_{path}": gan_loss(real_logits[path], target_is_real=True, mode=mode)
            + gan_loss(fake_logits[path], target_is_real=False, mode=mode)
            for path in real_logits
        }

    def _parts(self, batch: dict[str, tf.Tensor]) -> dict[str, dict[str, tf.Tensor]]:
        """Cuts the batch into paths; `condition` is the input that the path translates."""
        batch = batch | {"input_image": seen(batch["input_image"], self.config.input_classes)}
        if self.config.objective == "bicyclegan":
            encoded, random = ({key: tf.split(value, 2)[half] for key, value in batch.items()} for half in (0, 1))
            # As in the authors' code both paths translate the first half; the second lends its targets as real images.
            random["condition"] = encoded["condition"] = encoded["input_image"]
            return {"encoded": encoded, "random": random}
        path = "encoded" if self.has_encoded_path else "random"
        return {path: {**batch, "condition": batch["input_image"]}}

    def _judge(self, path: str, condition: tf.Tensor, image: tf.Tensor) -> list[tf.Tensor]:
        discriminator = self.discriminator_encoded if path == "encoded" else self.discriminator_random
        image = tf.concat([condition, image], axis=-1) if self.config.conditional else image
        return keras.tree.flatten(discriminator(image, training=True))  # Keras unpacks a list of one scale

    def _total(self, losses: dict[str, tf.Tensor]) -> tf.Tensor:
        """Their sum as one replica's share of the whole: means are divided by the replicas, the KL is a sum."""
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        return tf.add_n([loss if name == "kl" else loss / replicas for name, loss in losses.items()])

    def _logs(self, losses: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """What `fit` averages over the replicas: so the KL, a sum, is multiplied by their number."""
        replicas = tf.distribute.get_strategy().num_replicas_in_sync
        return {name: loss * replicas if name == "kl" else loss for name, loss in losses.items()}
