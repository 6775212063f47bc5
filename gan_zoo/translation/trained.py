"""A trained model in Python: pictures in, pictures out."""

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from gan_zoo.data.memory import SMALL_PIXELS
from gan_zoo.data.reading import AS_COLOURS, Reading
from gan_zoo.data.value_range import narrowed, stretched
from gan_zoo.errors import UserError
from gan_zoo.images import to_channels, to_float, to_uint8, to_uint16
from gan_zoo.translation import memory, translating
from gan_zoo.translation.holders import Held, Opened, opened
from gan_zoo.translation.labels import wanted_labels


@dataclasses.dataclass(frozen=True)
class Way:
    """What can be done with one translator, whatever it was loaded from; images are `[B, H, W, C]` in [-1, 1].

    Attributes:
        translator: has `input_channels` (None: grey or RGB), `output_channels`, `latent_dim`, `takes_seed`
            and `labels`.
        answer: from images, and z `[B, latent_dim]`, seeds `[B]` int64 or labels `[B, num_labels]` if it takes them,
            to translations.
        encode: from images of the output's kind to the mean `[B, latent_dim]` of z; None without an encoder.
        cycle: from the arguments of `answer` to what comes back; None without a way back.
        ranges: white in uint16 images, of what is taken and of what is given; None: 65535.
        readings: how files of what is taken and of what is given are read.
        bytes_per_pixel: how much memory `answer` takes at the most for each pixel; None where that is not known.
        answer_to_uint16: from images `[B, H, W, C]` uint16 in the numbers of the run's files to such translations, with
            the noise of `translating.no_noise`; None where `answer` is as fine.
    """

    translator: Any
    answer: Callable[..., tf.Tensor]
    encode: Callable[[tf.Tensor], tf.Tensor] | None
    cycle: Callable[..., tf.Tensor] | None
    ranges: tuple[int | None, int | None] = (None, None)
    readings: tuple[Reading, Reading] = (AS_COLOURS, AS_COLOURS)
    bytes_per_pixel: Callable[[], float] | None = None
    answer_to_uint16: Callable[[tf.Tensor], tf.Tensor] | None = None

    def check_size(self, count: int, height: int, width: int) -> None:
        """Looks whether there is memory for `count` pictures, before any of it is taken.

        Raises:
            UserError: where there is not; the message says what size there is memory for.
        """
        if self.bytes_per_pixel is None or count * height * width <= SMALL_PIXELS:
            return
        if problem := memory.size_problem(height, width, count * self.bytes_per_pixel()):
            raise UserError(f"{count} pictures of {problem}" if count > 1 else problem)


def way_of(
    translator: Any,
    ranges: tuple[int | None, int | None] = (None, None),
    readings: tuple[Reading, Reading] = (AS_COLOURS, AS_COLOURS),
) -> Way:
    """The way of a translator of a model, each function compiled once for all sizes."""
    # A translator of colours takes grey and RGB.
    channels = translator.input_channels if translator.chroma is None else None
    image = tf.TensorSpec([None, None, None, channels], tf.float32)
    picture = tf.TensorSpec([None, None, None, translator.output_channels], tf.float32)
    noise = []
    if translator.labels:
        noise = [tf.TensorSpec([None, len(translator.labels)], tf.float32)]
    elif translating.takes_noise(translator):
        seeds, z = tf.TensorSpec([None], tf.int64), tf.TensorSpec([None, translator.latent_dim], tf.float32)
        noise = [seeds if translator.takes_seed else z]

    # With labels it would have to know the picture's own.
    way_back = None if translator.labels else translator.cycle

    def compiled(function: Callable[..., tf.Tensor], *specs: tf.TensorSpec) -> Callable[..., tf.Tensor]:
        return tf.function(function, input_signature=specs)

    return Way(
        translator,
        answer=compiled(lambda image, *noise: translating.answer(translator, image, *noise), image, *noise),
        encode=translator.encode and compiled(lambda image: translating.style(translator, image)[0], picture),
        cycle=way_back
        and compiled(lambda image, *noise: translating.there_and_back(translator, image, *noise), image, *noise),
        ranges=ranges,
        readings=readings,
        bytes_per_pixel=functools.cache(lambda: memory.bytes_per_pixel(translator, (True, True))),
    )


class TrainedModel:
    """What `gan_zoo.load` gives. May be called from several threads at once.

    Attributes:
        config: the settings of the run; None for an export.
        step: of the checkpoint, or the version of the export.
        translators: what it can do, by name; the first one is what is done without a name.
    """

    def __init__(self, ways: Mapping[str, Way], config: Any, step: int) -> None:
        self.config, self.step = config, step
        self.translators = {name: way.translator for name, way in ways.items()}
        self._ways = dict(ways)

    def __repr__(self) -> str:
        return f"<{type(self).__name__}: {', '.join(self.translators) or 'no translator'}, step {self.step}>"

    def translate(
        self,
        image: Held | Sequence[Held],
        *,
        num_samples: int | None = None,
        seed: int | None = None,
        z: np.ndarray | None = None,
        label: str | Sequence[str] | None = None,
        translator: str | None = None,
    ) -> Any:
        """Translates pictures of any size; what comes back is of the kind that went in.

        Args:
            image: an array `[H, W, C]`, or `[B, H, W, C]`, uint8 or uint16, with as many channels as the model
                takes, or 1, 3 or 4 of which they can be made; a PIL image; the path of a picture, which comes back as a
                PIL image, or of an array file, as an array; or a list of these. For a run with `input_classes` label
                maps: arrays of one channel, and pictures whose pixels (of a palette the indices) are the numbers.
            num_samples: answers to each picture; None for one, without an axis for it.
            seed: of random z, or of the noise of a model whose noise is its dropout: the i-th picture's samples are a
                function of (seed, i). Without it, and without `num_samples`, the answer is that of z = 0 or seed 0.
            z: `[latent_dim]`; or `[N, latent_dim]`, for one picture N samples, for N pictures one each.
            label: for a model that takes labels, one of its translator's `labels`; several classes, a sample for each;
                or all the attributes that a picture is to have. None: a sample for each label alone.
            translator: which one of `translators`; None for the first.

        Returns:
            For an array `[H', W', C']`, with samples `[N, H', W', C']`, with several pictures B before that, of the
            array's dtype, uint16 in the numbers of the run's files (`input_range`, `target_range`); for a PIL image or
            path a PIL image, or with samples a list of them; for a list a list.

        Raises:
            UserError: for a picture that is none, or too large for the memory that is free, noise or a label that the
                model does not take, or an unknown translator.
        """
        way = self._way(translator)
        several = isinstance(image, list | tuple)
        if several:
            each = [opened(one, way.readings[0]) for one in image]
            if not all(one.alone for one in each):
                raise UserError("a list holds single pictures: give each array as [H, W, C]")
            count = len(each)
        else:
            each = [opened(image, way.readings[0])]
            count = len(each[0].images)
        alone = not several and each[0].alone
        noises, samples = _noises(way.translator, count, alone=alone, num_samples=num_samples, seed=seed, z=z)
        if way.translator.labels:
            noises, samples = _labels(way.translator, count, label)
        elif label is not None:
            raise UserError(f"label={label!r}: this model takes none")
        answers = []
        for number, one in enumerate(each):
            its = noises if noises is None or not several else noises[number : number + 1]
            answers.append(one.back(_painted(way.answer, way, one, its, way.ranges[1]), samples))
        return answers if several else answers[0]

    def cycle(self, image: Held, *, translator: str | None = None) -> Any:
        """Translates pictures there and back, as `translate` takes and returns them, with z = 0 or seed 0.

        Raises:
            UserError: also where the model knows no way back.
        """
        way = self._way(translator)
        if way.cycle is None:
            raise UserError("this model knows no way back")
        one = opened(image, way.readings[0])
        count = len(one.images)
        noises, _ = _noises(way.translator, count, alone=one.alone, num_samples=None, seed=None, z=None)
        return one.back(_painted(way.cycle, way, one, noises, way.ranges[0]), samples=False)

    def encode(self, picture: Held, *, translator: str | None = None) -> np.ndarray:
        """Reads the style of a picture of the output's kind, as the z that `translate` takes.

        Args:
            picture: as of `translate`.
            translator: whose encoder; None for the first.

        Returns:
            The mean of the posterior, `[latent_dim]` float32, of several pictures `[B, latent_dim]`.

        Raises:
            UserError: for a model without an encoder, or a picture that is none.
        """
        way = self._way(translator)
        if way.encode is None:
            raise UserError("this model has no encoder")
        one = opened(picture, way.readings[1])
        mu = way.encode(
            to_float(_channelled(stretched(one.images, way.ranges[1]), way.translator.output_channels))
        ).numpy()
        return mu[0] if one.alone else mu

    def _way(self, name: str | None) -> Way:
        if name is None and self._ways:
            return next(iter(self._ways.values()))
        if name not in self._ways:
            raise UserError(f"translator={name!r}: this model has {', '.join(self._ways) or 'none'}")
        return self._ways[name]


def _noises(
    translator: Any, count: int, *, alone: bool, num_samples: int | None, seed: int | None, z: np.ndarray | None
) -> tuple[np.ndarray | None, bool]:
    """Noise of `count` pictures, `[count, N, ...]` or None where none is taken; whether N is an axis of the answer."""
    if num_samples is not None and num_samples < 1:
        raise UserError(f"num_samples={num_samples}: give at least 1")
    if not translating.takes_noise(translator):
        if num_samples is not None or seed is not None or z is not None:
            raise UserError("this model has one answer to a picture: leave out num_samples, seed and z")
        return None, False
    if z is not None:
        if num_samples is not None or seed is not None:
            raise UserError("z says which samples there are: leave out num_samples and seed")
        return _of_z(np.asarray(z, np.float32), translator.latent_dim, count, alone)
    if num_samples is None and seed is None:
        return translating.no_noise(translator, count).numpy()[:, np.newaxis], False
    seeds = translating.sample_seeds(tf.constant(seed or 0, tf.int64), count).numpy()
    drawn = [translating.sample_noise(translator, each, num_samples or 1).numpy() for each in seeds]
    return np.stack(drawn), num_samples is not None


def _labels(translator: Any, count: int, label: str | Sequence[str] | None) -> tuple[np.ndarray, bool]:
    """The labels of `count` pictures, `[count, N, num_labels]`, and whether N is an axis of the answer."""
    one_name = isinstance(label, str)
    vectors = wanted_labels(translator, [label] if one_name else label, "label")
    several = label is None or (translator.one_label and not one_name)
    return np.tile(np.stack(list(vectors.values())), [count, 1, 1]), several


def _of_z(z: np.ndarray, latent_dim: int, count: int, alone: bool) -> tuple[np.ndarray, bool]:
    if not latent_dim:
        raise UserError("this model's noise is its dropout: give a seed instead of z")
    if z.ndim not in (1, 2) or z.shape[-1] != latent_dim or (z.ndim == 2 and not alone and len(z) != count):
        several = "N samples" if alone else f"one for each of the {count} pictures"
        raise UserError(f"z is [{latent_dim}], or [N, {latent_dim}] for {several}. Received: {list(z.shape)}")
    if z.ndim == 1:
        return np.tile(z, [count, 1, 1]), False
    return (z[np.newaxis], True) if alone else (z[:, np.newaxis], False)


def _painted(
    function: Callable[..., tf.Tensor], way: Way, one: Opened, noises: np.ndarray | None, white: int | None
) -> np.ndarray:
    """The answers `[B, N, H', W', C']` to pictures, of their dtype; of uint16, the highest is `white`."""
    translator = way.translator
    way.check_size(len(one.images), *one.images.shape[1:3])
    channels = translator.input_channels
    if one.images.dtype == np.uint16 and function is way.answer and noises is None and way.answer_to_uint16:
        made = way.answer_to_uint16(_channelled(one.images, channels)).numpy()[:, np.newaxis]
        return stretched(made, white) if one.as_pil and made.shape[-1] > 1 else made
    if getattr(translator, "chroma", None) is not None and one.images.shape[-1] > 1:
        channels = 3
    image = to_float(_channelled(stretched(one.images, way.ranges[0]), channels))
    rounded = to_uint16 if one.images.dtype == np.uint16 else to_uint8
    # One sample at a time: memory is bounded by the pictures, and no sample depends on how many there are.
    each = [()] if noises is None else [(tf.constant(noises[:, number]),) for number in range(noises.shape[1])]
    made = np.stack([rounded(function(image, *noise)).numpy() for noise in each], axis=1)
    # PIL shows grey of 16 bit alone.
    return made if one.as_pil and made.shape[-1] > 1 else narrowed(made, white)


def _channelled(images: np.ndarray, channels: int) -> np.ndarray:
    if images.shape[-1] == channels:
        return images
    try:
        return np.stack([to_channels(image, channels) for image in images])
    except ValueError:
        raise UserError(f"the model takes images of {channels} channels. Received: {images.shape[-1]}") from None
