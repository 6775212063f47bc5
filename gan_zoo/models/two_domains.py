"""Two domains with a way there and back: what CycleGAN and its relatives are to the rest of the library."""

import functools
from collections.abc import Callable
from typing import ClassVar

import keras
import tensorflow as tf

from gan_zoo.learning.losses import gan_loss, gradient_penalty, l1_loss
from gan_zoo.learning.noise import example_noise, example_seeds
from gan_zoo.models.base import TranslationModel, Translator
from gan_zoo.models.parts import generate, judge

_DROPOUT, _PENALTY = 10, 20  # purposes of noise, with room for several uses of each; a model's own begin at 30


class TwoDomains(TranslationModel):
    """A model with `generator_a_to_b` and `generator_b_to_a` among its networks, or another `way`.

    A is the input's domain. The configuration says `size_multiple`, and with `takes_seed` whether the trained
    generators draw noise from a seed. A discriminator is named by the domain that it judges, `discriminator_b`.

    Class attributes:
        judgement_weight: of a discriminator's losses on real and on fake images, and of its gradient penalty.
    """

    data_kind = "unpaired"
    judgement_weight: ClassVar[float] = 0.5

    @property
    def translators(self) -> dict[str, Translator]:
        """Both directions; or one without a way back, where there is no other generator."""
        config = self.config
        channels = {"a": config.input_channels, "b": config.target_channels}

        def translator(here: str, there: str, input_key: str) -> Translator:
            forth, names = self.way(here, there)
            back, names_back = self.way(there, here) or (None, [])
            return Translator(
                function=forth,
                cycle=back and (lambda image, seed=None: back(forth(image, seed), seed)),
                networks={name: self.networks[name] for name in (*names, *names_back)},
                input_channels=channels[here],
                output_channels=channels[there],
                image_size=config.image_size,
                size_multiple=config.size_multiple,
                takes_seed=config.takes_seed,
                input_key=input_key,
                target_key=None,
            )

        directions = {"a_to_b": ("a", "b", "input_image"), "b_to_a": ("b", "a", "target_image")}
        return {name: translator(*way) for name, way in directions.items() if self.way(*way[:2])}

    def way(self, here: str, there: str) -> tuple[Callable[..., tf.Tensor], list[str]] | None:
        """From an image of the domain `here`, and a seed or None, to one of `there`; and the networks on the way.

        None where the model learns no such way.
        """
        name = f"generator_{here}_to_{there}"
        if name not in self.networks:
            return None
        return functools.partial(self.translated, self.networks[name]), [name]

    def translated(self, generator: keras.Model, image: tf.Tensor, seed: tf.Tensor | None = None) -> tf.Tensor:
        """What a trained generator makes of `[B, H, W, C]`, with the seed `[B]` int64 (none: zeros) if it takes one."""
        return generate(generator, image, seed)

    def validation_l1(self, batch: dict[str, tf.Tensor]) -> tf.Tensor:
        """There is no truth for a translation: the mean distance of both cycles to where they began."""
        ways = [translator for translator in self.translators.values() if translator.cycle is not None]
        images = [(translator, batch[translator.input_key]) for translator in ways]
        return tf.add_n([l1_loss(translator.cycle(image), image) for translator, image in images]) / 2

    def generated(self, name: str, image: tf.Tensor, example_index: tf.Tensor, use: int) -> tf.Tensor:
        """What the generator called `name` makes in training, its dropout a function of example and use (0 to 9)."""
        seed = example_seeds((self.config.seed, _DROPOUT + use), example_index)
        return generate(self.networks[name], image, seed, training=True)

    def discriminator_losses(
        self, domain: str, real_image: tf.Tensor, fake_image: tf.Tensor, example_index: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """The loss of a domain's discriminator on real and fake images, and its gradient penalty if it has one."""
        discriminator = self.networks[f"discriminator_{domain}"]
        fake_image = tf.stop_gradient(fake_image)
        losses = self.judgement(domain, judge(discriminator, real_image), judge(discriminator, fake_image))
        return losses | self.penalty(domain, real_image, fake_image, example_index)

    def judgement(
        self, domain: str, real_logits: list[tf.Tensor], fake_logits: list[tf.Tensor]
    ) -> dict[str, tf.Tensor]:
        """The loss of a domain's discriminator by its logits, lists of scales."""
        mode = self.config.gan_mode
        real = gan_loss(real_logits, target_is_real=True, mode=mode)
        fake = gan_loss(fake_logits, target_is_real=False, mode=mode)
        return {f"discriminator_{domain}": self.judgement_weight * (real + fake)}

    def penalty(
        self, domain: str, real_image: tf.Tensor, fake_image: tf.Tensor, example_index: tf.Tensor
    ) -> dict[str, tf.Tensor]:
        """The gradient penalty of a domain's discriminator, where the GAN mode has one."""
        if self.config.gan_mode != "wgangp":
            return {}
        discriminator = self.networks[f"discriminator_{domain}"]
        seed = (self.config.seed, _PENALTY + "ab".index(domain))
        alpha = example_noise(seed, example_index, 1, uniform=True)
        penalty = gradient_penalty(lambda image: judge(discriminator, image), real_image, fake_image, alpha)
        return {f"gradient_penalty_{domain}": self.judgement_weight * self.config.lambda_gradient_penalty * penalty}

    def learn(self, kind: str, tape: tf.GradientTape, total: tf.Tensor) -> None:
        """One update of all networks of a kind, "generator" or "discriminator", by the sum of their losses."""
        names = [name for name in self.networks if name.startswith(kind)]
        gradients = tape.gradient(total, [self.networks[name].trainable_variables for name in names])
        for name, gradient in zip(names, gradients, strict=True):
            self.apply_gradients(name, gradient)
