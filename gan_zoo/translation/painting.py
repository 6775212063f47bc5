"""What trained translators make of a picture: samples, borrowed styles, interpolations, the way back."""

import hashlib
import itertools
import math
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from gan_zoo.data.label_maps import label_picture
from gan_zoo.data.memory import SMALL_PIXELS
from gan_zoo.data.picture_files import ANSWER
from gan_zoo.data.reading import AS_COLOURS, Reading
from gan_zoo.data.value_range import narrowed, stretched
from gan_zoo.errors import UserError
from gan_zoo.grids import heat_map
from gan_zoo.images import BadImage, to_8_bit, to_channels, to_uint8, to_uint16
from gan_zoo.translation import memory, translating
from gan_zoo.translation.labels import wanted_labels
from gan_zoo.translation.tiles import tiled_picture


def pick_translator(translators: Mapping[str, Any], name: str | None) -> tuple[str, Any]:
    """The translator called `name`, or the model's first, with its name.

    Raises:
        UserError: for a name that the model does not know, or a model that translates nothing.
    """
    if name is None and translators:
        return next(iter(translators.items()))
    if name not in translators:
        raise UserError(f"--translator={name}: this model has {', '.join(translators) or 'none'}")
    return name, translators[name]


def titles(workdirs: Sequence[str | os.PathLike[str]]) -> list[str]:
    """The folders' names, numbered where two would be the same."""
    names = [Path(workdir).resolve().name for workdir in workdirs]
    chosen = list(names)
    for place, name in enumerate(names):
        if names.count(name) > 1:
            numbered = (f"{name}_{number}" for number in itertools.count(place + 1))
            chosen[place] = next(title for title in numbered if title not in chosen)
    return chosen


def interpolate(start: np.ndarray, end: np.ndarray, count: int) -> np.ndarray:
    """`[count, latent_dim]` from `start` to `end`, both included, on the arc between them.

    The straight line would pass nearer to the origin than z from the prior ever lie.
    """
    share = np.linspace(0.0, 1.0, count)[:, np.newaxis]
    cosine = np.dot(start, end) / (np.linalg.norm(start) * np.linalg.norm(end))
    angle = np.arccos(np.clip(cosine, -1.0, 1.0))
    if np.sin(angle) < 1e-4:  # (anti)parallel, as numbers always are: there is no arc
        return ((1.0 - share) * start + share * end).astype(np.float32)
    return ((np.sin((1.0 - share) * angle) * start + np.sin(share * angle) * end) / np.sin(angle)).astype(np.float32)


def _labels(title: str, translator: Any, names: Sequence[str] | None, cycle: bool) -> dict[str, np.ndarray]:
    """The labels to give the pictures, by title; none for a translator that takes none."""
    if translator.labels:
        if cycle:
            raise UserError(f"--cycle: the model of {title} would have to know the label that a picture has now")
        return wanted_labels(translator, names)
    if names is not None:
        raise UserError(f"--label: the model of {title} takes none")
    return {}


class Painter:
    """What one trained translator makes of a picture.

    Args:
        title: names the run in the contact sheet and, if there are several, the folder of its pictures.
        translator: a `gan_zoo.models.base.Translator`.
        direction: of a model that has several, so that one's pictures do not take the place of another's.
        num_samples: translations with random z, or with different seeds; None for 4 with z, whose answers differ
            widely, and 1 with seeds.
        seed: of the random z, or of the seeds.
        sync: the same noise for all pictures; else a picture's noise depends on its file name.
        style: `[H, W, C]` uint8 or uint16, a picture of the output's kind whose z is used too; None for none.
        num_frames: steps of an interpolation from the first random z to the second; 0 for none.
        cycle: whether to show too what comes back when the picture is translated there and back.
        attention: whether to show too where the translation comes from.
        saturation: a factor for the ab of a translator of `chroma`.
        hints: whether a user's hints come with pictures.
        labels: the names of the labels to give the pictures, see `gan_zoo.translation.labels`; None for each in turn.
        ranges: white in files of 16 bit, of what the translator takes and of what it gives; what has one is answered
            with 16 bit.
        reading: how the run reads the files that the translator takes.

    Raises:
        UserError: for wishes that the translator cannot fulfil.
    """

    def __init__(
        self,
        title: str,
        translator: Any,
        *,
        direction: str | None = None,
        num_samples: int | None = None,
        seed: int = 0,
        sync: bool = False,
        style: np.ndarray | None = None,
        num_frames: int = 0,
        cycle: bool = False,
        attention: bool = False,
        saturation: float = 1.0,
        hints: bool = False,
        labels: Sequence[str] | None = None,
        ranges: tuple[int | None, int | None] = (None, None),
        reading: Reading = AS_COLOURS,
    ) -> None:
        if style is not None and translator.encode is None:
            raise UserError(f"--encode: the model of {title} has no encoder")
        if num_frames and not translator.latent_dim:
            raise UserError(f"--interpolate: the model of {title} has no z to walk through")
        if cycle and translator.cycle is None:
            raise UserError(f"--cycle: the model of {title} knows no way back")
        if attention and translator.attention is None:
            raise UserError(f"--attention: the model of {title} has none; ugatit has")
        self.labels = _labels(title, translator, labels, cycle)
        if saturation != 1.0 and translator.chroma is None:
            raise UserError(f"--saturation: the model of {title} has no colours that could be scaled")
        if not 0.0 <= saturation < math.inf:
            raise UserError(f"--saturation={saturation}: give a number of 0 or more")
        if hints and not translator.takes_hints:
            raise UserError(f"--hints: the model of {title} takes none; colorization does if trained with hints=true")
        if num_samples is not None and not translating.takes_noise(translator):
            raise UserError(f"--num_samples: the model of {title} has one answer to a picture")
        if num_samples is None:
            num_samples = 4 if translator.latent_dim else 1
        if translating.takes_noise(translator) and not (
            num_samples or num_frames or cycle or attention or style is not None
        ):
            raise UserError("--num_samples=0 without --encode, --interpolate or --cycle leaves nothing to do")
        self.title, self.translator, self.style = title, translator, style
        self.direction, self.ranges, self.reading = direction, ranges, reading
        taken, given = ({"rounded": to_uint8 if white is None else to_uint16} for white in ranges)
        self.num_samples, self.seed, self.sync, self.num_frames = num_samples, seed, sync, num_frames
        if style is not None:
            try:
                style = to_channels(stretched(style, ranges[1]), translator.output_channels)
            except BadImage as error:
                raise UserError(f"--encode: the picture is of {error}") from None
            self.style_z = translating.encode(translator, style[np.newaxis])[0].numpy()[0]
        # Compiled once for all sizes.
        self._translate = tf.function(
            lambda image, noise=None, hints=None: translating.translate(
                translator, image, noise, saturation, hints, **given
            ),
            reduce_retracing=True,
        )
        self._cycle = tf.function(
            lambda *inputs: translating.cycle(translator, *inputs, **taken), reduce_retracing=True
        )
        self._attention = tf.function(
            lambda *inputs: translating.attended(translator, *inputs)[1], reduce_retracing=True
        )
        self.cycle, self.attention = cycle, attention
        self._bytes_per_pixel: float | None = None  # found when a picture is large enough to ask

    def translations(self, image: np.ndarray, name: str, hints: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """The translations `[H, W, C]` uint8, or uint16 that fills its type, of `image` `[H, W, C]`, by title.

        Args:
            image: uint8 or uint16.
            name: the picture's file name.
            hints: `[H, W, 4]` uint8, or None.
        """
        noises = {}
        if translating.takes_noise(self.translator):
            noises = {} if self.style is None else {"encoded": self.style_z}
            noises |= dict(zip(self._sample_titles(), self._random_noise(name, self.num_samples), strict=True))
            painted = {title: self._painted(self._translate, image, noise, hints) for title, noise in noises.items()}
        elif self.labels:
            painted = {title: self._painted(self._translate, image, each) for title, each in self.labels.items()}
        else:
            painted = {self._one_answer: self._painted(self._translate, image, None, hints)}
        of_first = list(noises.values())[:1]
        if self.cycle:
            painted[self._cycled] = self._painted(self._cycle, image, *of_first)
        if self.attention:
            painted[self._attended] = heat_map(self._painted(self._attention, image, *of_first))
        return painted

    def as_in_files(self, title: str, image: np.ndarray) -> np.ndarray:
        """The translation called `title` in the numbers of the files that the run learnt from."""
        if title == self._attended:
            return image
        return narrowed(image, self.ranges[0 if title == self._cycled else 1])

    def filled(self, image: np.ndarray) -> np.ndarray:
        """A picture as the translator sees it: of 16 bit those that there are to fill."""
        return stretched(image, self.ranges[0])

    def shown(self, image: np.ndarray) -> np.ndarray:
        """A picture as people see it: `filled`, or of numbers of classes a colour for each."""
        return self.filled(image) if self.reading.classes is None else label_picture(image[..., 0])

    @property
    def _cycled(self) -> str:
        return f"{self.direction} cycled" if self.direction else "cycled"

    @property
    def _attended(self) -> str:
        return f"{self.direction} attention" if self.direction else "attention"

    @property
    def _one_answer(self) -> str:
        return self.direction or ANSWER

    def _sample_titles(self) -> list[str]:
        # One answer to a seed is what a translator without noise gives: the translation.
        if self.translator.takes_seed and self.num_samples == 1:
            return [self._one_answer]
        return [f"sample {number}" for number in range(1, self.num_samples + 1)]

    def frames(self, image: np.ndarray, name: str) -> list[np.ndarray]:
        """The translations along the way from the z of `sample 1` to that of `sample 2`."""
        if not self.num_frames:
            return []
        way = interpolate(*self._random_noise(name, 2), self.num_frames)
        return [to_8_bit(self._painted(self._translate, image, z)) for z in way]

    def check_size(self, height: int, width: int) -> None:
        """Looks whether there is memory for a picture, before any of it is taken.

        Raises:
            BadImage: where there is not; the message says what size there is memory for.
        """
        if height * width <= SMALL_PIXELS:
            return
        if self._bytes_per_pixel is None:
            taken, given = self.ranges
            self._bytes_per_pixel = memory.bytes_per_pixel(self.translator, (taken is not None, given is not None))
        if problem := memory.size_problem(height, width, self._bytes_per_pixel):
            raise BadImage(problem)

    def _random_noise(self, name: str, count: int) -> np.ndarray:
        seed = self.seed
        if not self.sync:
            digest = hashlib.blake2b(f"{self.seed}/{name}".encode(errors="surrogateescape"), digest_size=8)
            seed = int.from_bytes(digest.digest(), signed=True)
        return translating.sample_noise(self.translator, tf.constant(seed, tf.int64), count).numpy()

    def fitted(self, image: np.ndarray) -> np.ndarray:
        """`[H, W, C]` in the channels that the translator takes.

        Raises:
            BadImage: for an image of which they cannot be made.
        """
        channels = self.translator.input_channels
        if self.translator.chroma is not None and image.shape[-1] > 1:
            channels = 3
        return to_channels(self.filled(image), channels)

    def _painted(self, paint: Callable[..., tf.Tensor], image: np.ndarray, *more: np.ndarray | None) -> np.ndarray:
        # One at a time: memory is bounded by the largest picture, and no sample depends on how many there are.
        noise = [None if value is None else tf.constant(value)[tf.newaxis] for value in more]
        translator = self.translator
        if translator.tile_overlap is None or paint is not self._translate:
            return paint(tf.constant(self.fitted(image))[tf.newaxis], *noise).numpy()[0]
        return tiled_picture(
            lambda part: paint(tf.constant(part)[tf.newaxis], *noise).numpy()[0],
            self.fitted(image),
            overlap=translator.tile_overlap,
            size_multiple=translator.size_multiple,
            scale=translator.scale,
        )
