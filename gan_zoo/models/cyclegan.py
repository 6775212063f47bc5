"""CycleGAN: two domains, no pairs.

Zhu et al. 2017, "Unpaired Image-to-Image Translation using Cycle-Consistent Adversarial Networks" (arXiv 1703.10593),
as the authors' PyTorch code has it. A discriminator is named by the domain that it judges.
"""

import dataclasses
from typing import ClassVar, Literal

import keras
import tensorflow as tf

from gan_zoo.config import option
from gan_zoo.errors import UserError
from gan_zoo.learning.image_pool import ImagePool
from gan_zoo.learning.losses import gan_loss, l1_loss
from gan_zoo.models.parts import PartsConfig, build_discriminator, build_generator, judge
from gan_zoo.models.two_domains import TwoDomains

_POOL = 30  # purpose of noise, with room for several uses


@dataclasses.dataclass(frozen=True, kw_only=True)
class CycleGANConfig(PartsConfig):
    """The authors' settings."""

    generator_type: Literal["unet", "resnet", "adalin"] = option("resnet", "U-Net, residual, or residual with AdaLIN")
    norm: Literal["batch", "instance", "layer", "none"] = option("instance", "unet, resnet: normalization")
    discriminator_norm: Literal["batch", "instance", "layer", "none", "spectral"] = option(
        "instance", "normalization of the discriminators"
    )
    lambda_cycle_a: float = option(10.0, "weight of the L1 distance of A -> B -> A to where it began", 0.0)
    lambda_cycle_b: float = option(10.0, "weight of the L1 distance of B -> A -> B to where it began", 0.0)
    lambda_identity: float = option(
        0.5, "weight, relative to that of the cycle, of the L1 distance that an image of the target domain moves", 0.0
    )
    pool_size: int = option(50, "fakes kept for the discriminators, which half the time see an older one; 0: none", 0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.lambda_identity and self.input_channels != self.target_channels:
            raise UserError(
                f"lambda_identity={self.lambda_identity} needs domains of equal channels, not {self.input_channels} "
                f"and {self.target_channels}: give --set lambda_identity=0"
            )
        if self.pool_size and self.preprocess in ("scale_width", "none"):
            raise UserError(
                f"preprocess={self.preprocess} gives images of differing sizes, which the pool cannot keep: give "
                "--set pool_size=0"
            )


class CycleGAN(TwoDomains):
    """Generators there and back, and a discriminator for each domain; A is the input's, B the target's."""

    config_class: ClassVar[type[CycleGANConfig]] = CycleGANConfig

    def __init__(self, config: CycleGANConfig) -> None:
        super().__init__(config)
        channels_a, channels_b = config.input_channels, config.target_channels
        self.generator_a_to_b = build_generator(config, channels_a, channels_b, "generator_a_to_b")
        self.generator_b_to_a = build_generator(config, channels_b, channels_a, "generator_b_to_a")
        self.discriminator_a = build_discriminator(config, channels_a, "discriminator_a")
        self.discriminator_b = build_discriminator(config, channels_b, "discriminator_b")
        self.pools = {}
        for number, (domain, channels) in enumerate({"a": channels_a, "b": channels_b}.items()):
            shape = (config.image_size, config.image_size, channels)
            seed = (config.seed, _POOL + number)
            self.pools[domain] = ImagePool(config.pool_size, shape, seed, f"pool_{domain}")

    @property
    def networks(self) -> dict[str, keras.Model]:
        names = ("generator_a_to_b", "generator_b_to_a", "discriminator_a", "discriminator_b")
        return {name: getattr(self, name) for name in names}

    @property
    def extra_state(self) -> dict[str, tf.Variable]:
        return {
            f"pool_{domain}_{name}": variable
            for domain, pool in self.pools.items()
            for name, variable in pool.variables.items()
        }

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One update of both generators, and of both discriminators; returns the weighted losses by name."""
        image_a, image_b, index = batch["input_image"], batch["target_image"], batch["example_index"]

        # Generators: deceive the discriminators, come back, and leave alone what is already there.
        with tf.GradientTape() as generator_tape:
            # In the authors' order, in which batch norm's running statistics see the images.
            fake_b = self.generated("generator_a_to_b", image_a, index, 0)
            cycled_a = self.generated("generator_b_to_a", fake_b, index, 2)
            fake_a = self.generated("generator_b_to_a", image_b, index, 1)
            cycled_b = self.generated("generator_a_to_b", fake_a, index, 3)
            identity_a = identity_b = None
            if self.config.lambda_identity:
                identity_a = self.generated("generator_b_to_a", image_a, index, 4)
                identity_b = self.generated("generator_a_to_b", image_b, index, 5)
            generator_losses = self.generator_losses(
                images={"a": image_a, "b": image_b},
                cycled_images={"a": cycled_a, "b": cycled_b},
                identity_images={"a": identity_a, "b": identity_b},
                fake_logits={"a": judge(self.discriminator_a, fake_a), "b": judge(self.discriminator_b, fake_b)},
            )
            generator_total = self.total(generator_losses)

        # Discriminators: tell the domain's images from fakes, half of them older ones.
        with tf.GradientTape() as discriminator_tape:
            losses_a = self.discriminator_losses("a", image_a, self.pools["a"].query(fake_a, index), index)
            losses_b = self.discriminator_losses("b", image_b, self.pools["b"].query(fake_b, index), index)
            discriminator_losses = losses_a | losses_b
            discriminator_total = self.total(discriminator_losses)

        self.learn("generator", generator_tape, generator_total)
        self.learn("discriminator", discriminator_tape, discriminator_total)
        return generator_losses | discriminator_losses

    def generator_losses(
        self,
        *,
        images: dict[str, tf.Tensor],
        cycled_images: dict[str, tf.Tensor],
        identity_images: dict[str, tf.Tensor | None],
        fake_logits: dict[str, list[tf.Tensor]],
    ) -> dict[str, tf.Tensor]:
        """The weighted losses of both generators (eq. 3 and section 5.2 of the paper), each a scalar, by domain.

        Args:
            images: of the domains "a" and "b", `[B, H, W, C]`.
            cycled_images: what came back from the other domain.
            identity_images: what the generator that leads into a domain made of the domain's own image.
            fake_logits: what the domain's discriminator says of the translations into it, a list of scales.
        """
        config, losses = self.config, {}
        cycle_weights = {"a": config.lambda_cycle_a, "b": config.lambda_cycle_b}
        for domain, logits in fake_logits.items():
            losses[f"gan_{domain}"] = gan_loss(logits, target_is_real=True, mode=config.gan_mode, for_generator=True)
        for domain, weight in cycle_weights.items():
            losses[f"cycle_{domain}"] = weight * l1_loss(cycled_images[domain], images[domain])
        if config.lambda_identity:
            for domain, weight in cycle_weights.items():
                distance = l1_loss(identity_images[domain], images[domain])
                losses[f"identity_{domain}"] = config.lambda_identity * weight * distance
        return losses
