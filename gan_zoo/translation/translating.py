"""Trained translators on images of any size, and the noise that they take; all of it graph-safe."""

from collections.abc import Callable
from typing import Any

import tensorflow as tf

from gan_zoo.images import to_float, to_uint8
from gan_zoo.translation.borders import crop_back, pad_to_multiple
from gan_zoo.translation.chroma import colorized
from gan_zoo.translation.labels import first_label
from gan_zoo.translation.tiles import tiled


def translate(
    translator: Any,
    image: tf.Tensor,
    noise: tf.Tensor | None = None,
    saturation: float = 1.0,
    hints: tf.Tensor | None = None,
    *,
    rounded: Callable[[tf.Tensor], tf.Tensor] = to_uint8,
) -> tf.Tensor:
    """Translates images of any size, padded by reflection to what the network takes and cropped back; graph-safe.

    Where the translator says how far it looks, in parts, so that memory does not grow with the picture.

    Args:
        translator: a `gan_zoo.models.base.Translator`.
        image: `[B, H, W, input_channels]` uint8 or uint16; for `chroma` grey or RGB.
        noise: what the translator takes beside the image: z `[B, latent_dim]` float32, or a seed `[B]` int64; None for
            zeros. Or a label `[B, num_labels]` float32; None for the first one.
        saturation: a factor for the ab of `chroma`.
        hints: `[B, H, W, 4]` uint8 for a translator that takes them, see `gan_zoo.translation.chroma`; None for none.
        rounded: `gan_zoo.images.to_uint8` or `to_uint16`.

    Returns:
        `[B, H * scale, W * scale, output_channels]` uint8 or uint16.
    """
    if translator.chroma is None and translator.tile_overlap is not None:
        # A large picture stays in whole numbers but for the part at work.
        kinds = {"before": to_float, "after": rounded}
        return _padded(translator, translator.function, translator.scale, image, noise, **kinds)
    return rounded(answer(translator, to_float(image), noise, saturation, hints))


def answer(
    translator: Any,
    image: tf.Tensor,
    noise: tf.Tensor | None = None,
    saturation: float = 1.0,
    hints: tf.Tensor | None = None,
) -> tf.Tensor:
    """`translate` before it rounds: from `[B, H, W, input_channels]` in [-1, 1] to the same range."""
    if translator.chroma is None:
        return _padded(translator, translator.function, translator.scale, image, noise)
    more = _noise(translator, image, noise)
    return colorized(
        lambda lightness, **hints: translator.chroma(lightness, *more, **hints),
        image,
        working_size=translator.image_size,
        size_multiple=translator.size_multiple,
        saturation=saturation,
        hints=hints,
    )


def attended(
    translator: Any,
    image: tf.Tensor,
    noise: tf.Tensor | None = None,
    *,
    rounded: Callable[[tf.Tensor], tf.Tensor] = to_uint8,
) -> tuple[tf.Tensor, tf.Tensor]:
    """`translate`, and where the translation comes from; graph-safe.

    Args:
        translator: one with `attention`.
        image: `[B, H, W, input_channels]` uint8 or uint16.
        noise, rounded: as of `translate`.

    Returns:
        The translation, and `[B, H, W, 1]` uint8: of each image by itself 0 where the network attends least and 255
        where it attends most; 0 everywhere where it attends to all alike.
    """
    padded, padding = pad_to_multiple(to_float(image), translator.size_multiple)
    made, strength = translator.attention(padded, *_noise(translator, image, noise))
    return rounded(crop_back(made, padding, translator.scale)), to_levels(crop_back(strength, padding))


def to_levels(strength: tf.Tensor) -> tf.Tensor:
    """Attention of a measure of its own, `[B, H, W, 1]`, as uint8 from 0 to 255, each image by itself."""
    least, most = (reduce(strength, (1, 2, 3), keepdims=True) for reduce in (tf.reduce_min, tf.reduce_max))
    return to_uint8(2.0 * tf.math.divide_no_nan(strength - least, most - least) - 1.0)


def takes_noise(translator: Any) -> bool:
    """Whether the translator's function has noise as its second argument."""
    return bool(translator.latent_dim) or translator.takes_seed


def no_noise(translator: Any, count: tf.Tensor | int) -> tf.Tensor:
    """The noise of `serving_default` for `count` images: z = 0, or seed 0 for each of them."""
    return tf.zeros([count], tf.int64) if translator.takes_seed else tf.zeros([count, translator.latent_dim])


def cycle(
    translator: Any,
    image: tf.Tensor,
    noise: tf.Tensor | None = None,
    *,
    rounded: Callable[[tf.Tensor], tf.Tensor] = to_uint8,
) -> tf.Tensor:
    """Translates images of any size there and back; graph-safe.

    Args:
        translator: one with `cycle`.
        image: `[B, H, W, input_channels]` uint8 or uint16.
        noise, rounded: as of `translate`.

    Returns:
        uint8 or uint16 of the same shape.
    """
    return rounded(there_and_back(translator, to_float(image), noise))


def there_and_back(translator: Any, image: tf.Tensor, noise: tf.Tensor | None = None) -> tf.Tensor:
    """`cycle` before it rounds: from `[B, H, W, input_channels]` in [-1, 1] to the same range and shape."""
    return _padded(translator, translator.cycle, 1, image, noise)


def _padded(
    translator: Any,
    function: Callable[..., tf.Tensor],
    scale: int,
    image: tf.Tensor,
    noise: tf.Tensor | None,
    *,
    before: Callable[[tf.Tensor], tf.Tensor] = tf.identity,
    after: Callable[[tf.Tensor], tf.Tensor] = tf.identity,
) -> tf.Tensor:
    """`function` on images of any size, in parts where the translator says how far it looks.

    Args:
        before, after: what becomes of the images, or of each part of them, before and after `function`.
    """
    more = _noise(translator, image, noise)

    def whole(part: tf.Tensor) -> tf.Tensor:
        return after(function(before(part), *more))

    multiple = translator.size_multiple
    if translator.tile_overlap is None or function is not translator.function:
        padded, padding = pad_to_multiple(image, multiple)
        return crop_back(whole(padded), padding, scale)
    # What is large enough to be cut is not copied for a padding that it does not need.
    padded, padding = pad_to_multiple(image, multiple) if multiple > 1 else (image, None)
    overlap = translator.tile_overlap
    made = tiled(whole, padded, overlap=overlap, size_multiple=multiple, scale=scale)
    return made if padding is None else crop_back(made, padding, scale)


def _noise(translator: Any, image: tf.Tensor, noise: tf.Tensor | None) -> list[tf.Tensor]:
    """The second argument of the translator's functions, if they have one."""
    if translator.labels:
        return [first_label(translator, tf.shape(image)[0]) if noise is None else tf.convert_to_tensor(noise)]
    if not takes_noise(translator):
        return []
    return [no_noise(translator, tf.shape(image)[0]) if noise is None else tf.convert_to_tensor(noise)]


def encode(translator: Any, image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Reads the style of images of the output's kind, squeezed to the square training size; graph-safe.

    Args:
        translator: one with `encode`.
        image: `[B, H, W, output_channels]` uint8 or uint16.

    Returns:
        mu and logvar, both `[B, latent_dim]`.
    """
    return style(translator, to_float(image))


def style(translator: Any, image: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """`encode` of images `[B, H, W, output_channels]` in [-1, 1]."""
    side = [translator.image_size, translator.image_size]
    resized = tf.image.resize(image, side, "bicubic", antialias=True)
    return translator.encode(tf.clip_by_value(resized, -1.0, 1.0))


def sample_noise(translator: Any, seed: tf.Tensor | int, count: tf.Tensor | int) -> tf.Tensor:
    """Noise for `count` images, of the kind that the translator takes, as `sample_z` or `sample_seeds` draw it."""
    if translator.takes_seed:
        return sample_seeds(seed, count)
    return sample_z(seed, count, translator.latent_dim)


def sample_z(seed: tf.Tensor | int, count: tf.Tensor | int, latent_dim: int) -> tf.Tensor:
    """Standard normal `[count, latent_dim]` that nothing but `seed` and the row decides; graph-safe.

    Args:
        seed: int64, a scalar, from which row i is made with its position i, or `[count]`: then row i is what the
            scalar `seed[i]` gives for row 0, wherever it stands in a batch.
    """

    def row(key: tf.Tensor) -> tf.Tensor:
        return tf.random.stateless_normal([latent_dim], key, alg="philox")

    return tf.map_fn(row, _keys(seed, count), fn_output_signature=tf.TensorSpec([latent_dim], tf.float32))


def sample_seeds(seed: tf.Tensor | int, count: tf.Tensor | int) -> tf.Tensor:
    """A seed for each image, int64 `[count]`, by the rule of `sample_z`: row 0 is `seed` itself; graph-safe.

    Args:
        seed: int64, a scalar, from which row i is made with its position i, or `[count]`, which stay as they are.
    """

    def row(key: tf.Tensor) -> tf.Tensor:
        return tf.random.stateless_uniform([], key, minval=None, maxval=None, dtype=tf.int64, alg="philox")

    keys = _keys(seed, count)
    drawn = tf.map_fn(row, keys, fn_output_signature=tf.TensorSpec([], tf.int64))
    return tf.where(keys[:, 1] == 0, keys[:, 0], drawn)


def _keys(seed: tf.Tensor | int, count: tf.Tensor | int) -> tf.Tensor:
    """int64 `[count, 2]`: each row's seed, and its position under a seed that it shares with other rows."""
    seed = tf.cast(seed, tf.int64)
    positions = tf.range(tf.cast(count, tf.int64)) * tf.cast(tf.rank(seed) == 0, tf.int64)
    return tf.stack([tf.broadcast_to(seed, [count]), positions], axis=1)
