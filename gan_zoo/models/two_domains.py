"""Two domains with a way there and back: what CycleGAN and its relatives are to the rest of the library."""

import functools

import keras
import tensorflow as tf

from gan_zoo.learning.losses import l1_loss
from gan_zoo.models.base import TranslationModel, Translator
from gan_zoo.models.parts import generate


class TwoDomains(TranslationModel):
    """A model with `generator_a_to_b` and `generator_b_to_a` among its networks; A is the input's domain.

    Its configuration says `size_multiple`, and with `takes_seed` whether the trained generators draw noise from a seed.
    """

    data_kind = "unpaired"

    @property
    def translators(self) -> dict[str, Translator]:
        config = self.config
        channels = {"a": config.input_channels, "b": config.target_channels}

        def translator(here: str, there: str, input_key: str) -> Translator:
            names = [f"generator_{here}_to_{there}", f"generator_{there}_to_{here}"]
            forth, back = (functools.partial(self.translated, self.networks[name]) for name in names)
            return Translator(
                function=forth,
                cycle=lambda image, seed=None: back(forth(image, seed), seed),
                networks={name: self.networks[name] for name in names},
                input_channels=channels[here],
                output_channels=channels[there],
                image_size=config.image_size,
                size_multiple=config.size_multiple,
                takes_seed=config.takes_seed,
                input_key=input_key,
                target_key=None,
            )

        return {"a_to_b": translator("a", "b", "input_image"), "b_to_a": translator("b", "a", "target_image")}

    def translated(self, generator: keras.Model, image: tf.Tensor, seed: tf.Tensor | None = None) -> tf.Tensor:
        """What a trained generator makes of `[B, H, W, C]`, with the seed `[B]` int64 (none: zeros) if it takes one."""
        return generate(generator, image, seed)

    def validation_l1(self, batch: dict[str, tf.Tensor]) -> tf.Tensor:
        """There is no truth for a translation: the mean distance of both cycles to where they began."""
        images = [(translator, batch[translator.input_key]) for translator in self.translators.values()]
        return tf.add_n([l1_loss(translator.cycle(image), image) for translator, image in images]) / 2
