"""U-GAT-IT: two domains, no pairs, and attention to what tells them apart.

Kim et al. 2020, "U-GAT-IT: Unsupervised Generative Attentional Networks with Adaptive Layer-Instance Normalization for
Image-to-Image Translation" (arXiv 1907.10830), as the authors' PyTorch code has it. A discriminator is named by the
domain that it judges; each domain has a global one and a local one.
"""

import dataclasses
from collections.abc import Mapping
from typing import ClassVar, Literal

import keras
import tensorflow as tf

from gan_zoo.config import Config, option
from gan_zoo.errors import UserError
from gan_zoo.learning.losses import gan_loss, l1_loss
from gan_zoo.learning.optimizers import FusedAdam
from gan_zoo.models.base import LearningRate, Translator
from gan_zoo.models.parts import judge
from gan_zoo.models.two_domains import TwoDomains
from gan_zoo.networks.attention_resnet import attention_resnet
from gan_zoo.networks.discriminators.attention_discriminator import attention_discriminator, smallest_attended_side

REACHES = ("global", "local")
DOMAINS = {"a": "b_to_a", "b": "a_to_b"}  # a domain, and the generator that leads into it


@dataclasses.dataclass(frozen=True, kw_only=True)
class UGATITConfig(Config):
    """The authors' settings."""

    epochs: int = option(294, "passes over the training data; the authors' million steps over 3,400 selfies", 1)
    learning_rate: float = option(1e-4, "of Adam, for all networks", 0.0)
    weight_decay: float = option(1e-4, "how much of each weight Adam adds to its gradient (L2)", 0.0)
    light: bool = option(False, "AdaLIN sees means of channels alone: 11 instead of 279 million weights at 256 px")
    base_filters: int = option(64, "filters of a generator's first convolution", 1)
    num_blocks: int = option(4, "residual blocks of each half of a generator", 1)
    unbiased_variance: bool = option(
        False, "AdaLIN divides variances by n - 1, as the authors' PyTorch code does and no other norm here"
    )
    discriminators: Literal["both", "global", "local"] = option("both", "which discriminators judge a domain")
    discriminator_filters: int = option(64, "filters of a discriminator's first convolution; the last one has most", 1)
    global_layers: int = option(7, "convolutions of a global discriminator; 7 see patches of 286 px", 3, 8)
    local_layers: int = option(5, "convolutions of a local discriminator; 5 see patches of 70 px", 3, 8)
    discriminator_norm: Literal["spectral", "none"] = option("spectral", "normalization of a discriminator's kernels")
    init_type: Literal["pytorch", "normal", "xavier", "kaiming", "orthogonal"] = option(
        "pytorch", "how kernels are drawn (pytorch: as PyTorch does by itself)"
    )
    init_gain: float = option(0.02, "their scale (pytorch and kaiming have none)", 1e-6)
    gan_mode: Literal["lsgan", "vanilla", "hinge"] = option("lsgan", "least squares, cross-entropy, or hinge")
    lambda_gan: float = option(1.0, "weight of the adversarial losses, those of discriminators too", 0.0)
    lambda_cycle: float = option(10.0, "weight of the L1 distance that an image is from itself, there and back", 0.0)
    lambda_identity: float = option(10.0, "weight of the L1 distance that an image of the target domain moves", 0.0)
    lambda_cam: float = option(1000.0, "weight of the generators' telling the domains apart, which attention is", 0.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.image_size % self.size_multiple:
            raise UserError(f"image_size={self.image_size}: this generator needs a multiple of {self.size_multiple}")
        for name in self._layers:
            least = smallest_attended_side(getattr(self, name))
            if self.image_size < least:
                raise UserError(
                    f"image_size={self.image_size}: {name}={getattr(self, name)} needs {least} px; give fewer"
                )
        weights = [name for name in ("lambda_identity", "lambda_cam") if getattr(self, name)]
        if weights and self.input_channels != self.target_channels:
            raise UserError(
                f"{weights[0]}={getattr(self, weights[0])} needs domains of equal channels, not {self.input_channels} "
                f"and {self.target_channels}: give --set lambda_identity=0 --set lambda_cam=0"
            )

    @property
    def reaches(self) -> tuple[str, ...]:
        """Of the discriminators of a domain."""
        return REACHES if self.discriminators == "both" else (self.discriminators,)

    @property
    def _layers(self) -> list[str]:
        return [f"{reach}_layers" for reach in self.reaches]

    @property
    def min_side(self) -> int:
        return max(smallest_attended_side(getattr(self, name)) for name in self._layers)

    @property
    def size_multiple(self) -> int:
        """The generator takes images whose sides are multiples of it."""
        return 4

    @property
    def takes_seed(self) -> bool:
        """No noise is drawn."""
        return False

    @property
    def idle(self) -> dict[str, str]:
        idle = {}
        for reach in set(REACHES) - set(self.reaches):
            idle[f"{reach}_layers"] = f"discriminators={self.discriminators}"
        if self.init_type in ("pytorch", "kaiming"):
            idle["init_gain"] = f"init_type={self.init_type}"
        return super().idle | idle


class UGATIT(TwoDomains):
    """Generators there and back, and for each domain one or two discriminators; A is the input's, B the target's."""

    config_class: ClassVar[type[UGATITConfig]] = UGATITConfig

    def __init__(self, config: UGATITConfig) -> None:
        super().__init__(config)
        channels = {"a": config.input_channels, "b": config.target_channels}
        init = {"init_type": config.init_type, "init_gain": config.init_gain}

        def generator(here: str, there: str) -> keras.Model:
            return attention_resnet(
                input_channels=channels[here],
                output_channels=channels[there],
                image_size=config.image_size,
                num_blocks=config.num_blocks,
                base_filters=config.base_filters,
                light=config.light,
                unbiased=config.unbiased_variance,
                name=f"generator_{here}_to_{there}",
                **init,
            )

        self.generator_a_to_b, self.generator_b_to_a = generator("a", "b"), generator("b", "a")
        self.discriminators = {
            f"discriminator_{reach}_{domain}": attention_discriminator(
                input_channels=channels[domain],
                base_filters=config.discriminator_filters,
                num_layers=getattr(config, f"{reach}_layers"),
                norm=config.discriminator_norm,
                name=f"discriminator_{reach}_{domain}",
                **init,
            )
            for reach in config.reaches
            for domain in DOMAINS
        }

    @property
    def networks(self) -> dict[str, keras.Model]:
        generators = {name: getattr(self, name) for name in ("generator_a_to_b", "generator_b_to_a")}
        return generators | self.discriminators

    @property
    def translators(self) -> dict[str, Translator]:
        return {
            name: dataclasses.replace(translator, attention=self._attention(f"generator_{name}"))
            for name, translator in super().translators.items()
        }

    def translated(self, generator: keras.Model, image: tf.Tensor, seed: tf.Tensor | None = None) -> tf.Tensor:
        return generator(image, training=False)[0]

    def _attention(self, name: str):
        def function(image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
            translation, _, attention = self.networks[name](image, training=False)
            return translation, tf.image.resize(attention, tf.shape(image)[1:3])

        return function

    def make_optimizer(self, learning_rate: LearningRate) -> keras.optimizers.Optimizer:
        config = self.config
        return FusedAdam(learning_rate, config.beta_1, config.beta_2, l2=config.weight_decay)

    def train_step(self, batch: dict[str, tf.Tensor]) -> dict[str, tf.Tensor]:
        """One update of all discriminators, then of both generators; returns the weighted losses by name."""
        images = {"a": batch["input_image"], "b": batch["target_image"]}
        others = {"a": images["b"], "b": images["a"]}
        into = {domain: self.networks[f"generator_{name}"] for domain, name in DOMAINS.items()}
        with tf.GradientTape() as tape:
            # Translate once: both updates use the same fakes.
            fakes, fake_classes = {}, {}
            for domain, generator in into.items():
                fakes[domain], fake_classes[domain], _ = generator(others[domain], training=True)

            # Discriminators: tell the domain's images from fakes, each patch and the image as a whole.
            with tape.stop_recording():
                discriminator_losses = self._teach_discriminators(images, fakes)

            # Generators: deceive the discriminators as they are now, come back, leave alone what is already there, and
            # know which domain an image is of.
            cycled, identity, own_classes = {}, {}, {}
            for domain, generator in into.items():
                back, _, _ = generator(fakes["b" if domain == "a" else "a"], training=True)
                cycled[domain] = back
                if self.config.lambda_identity or self.config.lambda_cam:
                    identity[domain], own_classes[domain], _ = generator(images[domain], training=True)
            generator_losses = self.generator_losses(
                images=images,
                cycled_images=cycled,
                identity_images=identity,
                fake_classes=fake_classes,
                own_classes=own_classes,
                fake_logits={
                    name: judge(discriminator, fakes[name[-1]]) for name, discriminator in self.discriminators.items()
                },
            )
            total = self.total(generator_losses)
        self._descend(tape, total, {generator.name: generator for generator in into.values()})
        return generator_losses | discriminator_losses

    def generator_losses(
        self,
        *,
        images: Mapping[str, tf.Tensor],
        cycled_images: Mapping[str, tf.Tensor],
        identity_images: Mapping[str, tf.Tensor],
        fake_classes: Mapping[str, tf.Tensor],
        own_classes: Mapping[str, tf.Tensor],
        fake_logits: Mapping[str, list[tf.Tensor]],
    ) -> dict[str, tf.Tensor]:
        """The weighted losses of both generators (section 2.2 of the paper), each a scalar, by domain.

        Args:
            images: of the domains "a" and "b", `[B, H, W, C]`.
            cycled_images: what came back from the other domain.
            identity_images: what the generator that leads into a domain made of the domain's own image.
            fake_classes, own_classes: the logits of that generator's classifiers, `[B, 1, 1, 2]`, of the image that it
                translated, which is to be translated, and of the domain's own, which is not.
            fake_logits: what each discriminator says of the translations into its domain, by its name: of patches and
                of the whole.
        """
        config, losses = self.config, {}
        for name, logits in fake_logits.items():
            loss = gan_loss(logits, target_is_real=True, mode=config.gan_mode, for_generator=True)
            losses[name.replace("discriminator", "gan")] = config.lambda_gan * loss
        for domain in DOMAINS:
            losses[f"cycle_{domain}"] = config.lambda_cycle * l1_loss(cycled_images[domain], images[domain])
            if config.lambda_identity:
                distance = l1_loss(identity_images[domain], images[domain])
                losses[f"identity_{domain}"] = config.lambda_identity * distance
            if config.lambda_cam:
                foreign = gan_loss([fake_classes[domain]], target_is_real=True, mode="vanilla")
                own = gan_loss([own_classes[domain]], target_is_real=False, mode="vanilla")
                losses[f"cam_{domain}"] = config.lambda_cam * (foreign + own)
        return losses

    def discriminator_losses(self, name: str, real_image: tf.Tensor, fake_image: tf.Tensor) -> dict[str, tf.Tensor]:
        """The weighted loss of a discriminator: of real and of fake images, of patches and of the whole, all summed."""
        mode = self.config.gan_mode
        real_logits, fake_logits = (judge(self.networks[name], image) for image in (real_image, fake_image))
        loss = gan_loss(real_logits, target_is_real=True, mode=mode)
        loss += gan_loss(fake_logits, target_is_real=False, mode=mode)
        return {name: self.config.lambda_gan * loss}

    def _teach_discriminators(
        self, images: Mapping[str, tf.Tensor], fakes: Mapping[str, tf.Tensor]
    ) -> dict[str, tf.Tensor]:
        losses = {}
        with tf.GradientTape() as tape:
            for name in self.discriminators:
                domain = name[-1]
                losses |= self.discriminator_losses(name, images[domain], tf.stop_gradient(fakes[domain]))
            total = self.total(losses)
        self._descend(tape, total, self.discriminators)
        return losses

    def _descend(self, tape: tf.GradientTape, total: tf.Tensor, networks: Mapping[str, keras.Model]) -> None:
        gradients = tape.gradient(total, [network.trainable_variables for network in networks.values()])
        for name, gradient in zip(networks, gradients, strict=True):
            self.apply_gradients(name, gradient)
