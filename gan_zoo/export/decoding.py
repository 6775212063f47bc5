"""Bytes to images in a graph: only JPEG and PNG reach a decoder, and only once their header was found modest.

TensorFlow's decoders choose by the first bytes, whatever they are called: `decode_png` of an animated WebP writes past
its memory and ends the process. And they allocate what a header claims: some bytes of PNG are enough for gigabytes.

A decoder that fails does not say which file of a batch it was: here it is named. Grey and RGB JPEG, and PNG of 8 bit
that is grey, RGB or either with alpha, come out as from `gan_zoo.images.decode_image`.
"""

from collections.abc import Callable

import tensorflow as tf

from gan_zoo.export.requests import Limits, first_problem, of_any_shape, refuse

_JPEG = b"\xff\xd8\xff"
_PNG = b"\x89PNG\r\n\x1a\n"
_IHDR = b"\x00\x00\x00\rIHDR"  # the chunk that has to come first, its length before it
_HEAD = 24  # bytes: the signature of a PNG, that, width and height


def translated_files(
    given: tf.Tensor, limits: Limits, channels: int, translate: Callable[[tf.Tensor], tf.Tensor]
) -> tf.Tensor:
    """Decodes, translates and encodes the `image_bytes` of a request, `[B]`, as `[B]` PNG files.

    Args:
        given: what the request brings.
        limits: of each picture.
        channels: that `translate` takes, from `[1, H, W, channels]` uint8 to the same with channels of its own.

    Raises:
        tf.errors.InvalidArgumentError: with the place in the batch of the first one that is no JPEG or PNG file, too
            small, too large or damaged; all headers are read before anything is decoded.
    """
    given = of_any_shape(given)
    shape = tf.shape(given, tf.int64)
    problem = first_problem(
        (tf.rank(given) != 1, tf.strings.format("a shape of {}, where [batch] is needed", (shape,), summarize=-1)),
        (tf.size(given) == 0, "a batch of 0 files"),
    )
    (files,) = refuse(problem, "image_bytes: ", given)
    files = tf.ensure_shape(files, [None])

    problems = tf.map_fn(lambda data: header_problem(data, limits), files)
    place = tf.argmax(problems != "")
    (files,) = refuse(problems[place], _name(place), files)

    def translated(place_and_data: tuple[tf.Tensor, tf.Tensor]) -> tf.Tensor:
        place, data = place_and_data
        image = decode(data, channels)
        (image,) = refuse(first_problem((tf.size(image) == 0, "a truncated or damaged file")), _name(place), image)
        image = tf.ensure_shape(image, [None, None, channels])
        return tf.io.encode_png(translate(image[tf.newaxis])[0])

    # One by one: the pictures of a request may differ in size, and the memory is that of the largest.
    places = tf.range(tf.size(files, tf.int64))
    return tf.map_fn(translated, (places, files), fn_output_signature=tf.string, parallel_iterations=1)


def _name(place: tf.Tensor) -> tf.Tensor:
    return tf.strings.format("image_bytes[{}]: ", (place,))


def header_problem(data: tf.Tensor, limits: Limits) -> tf.Tensor:
    """Why the bytes of a file shall not be decoded, a scalar string; empty for a modest JPEG or PNG."""
    head = tf.strings.substr(data, 0, _HEAD)
    is_png, is_jpeg = _begins(head, _PNG), _begins(head, _JPEG)
    padded = tf.strings.substr(head + b"\0" * _HEAD, 16, 8)
    of_png = tf.cast(tf.io.decode_raw(padded, tf.int32, little_endian=False), tf.int64)  # [2]: width, height
    none = tf.zeros([3], tf.int32)
    of_jpeg = tf.cond(is_jpeg, lambda: _attempt(tf.image.extract_jpeg_shape, data, none), lambda: none)
    height, width = (tf.where(is_png, of_png[1 - axis], tf.cast(of_jpeg[axis], tf.int64)) for axis in (0, 1))
    kinds = {b"GIF8": "a GIF", b"BM": "a BMP", b"RIFF": "a WebP"}
    return first_problem(
        (tf.strings.length(data) == 0, "an empty file"),
        *((_begins(head, magic), f"{kind} file: give JPEG or PNG") for magic, kind in kinds.items()),
        (~(is_png | is_jpeg), "neither a JPEG nor a PNG file"),
        (is_png & ~_begins(head, _PNG + _IHDR), "a damaged PNG file"),
        (tf.minimum(height, width) < 1, "a damaged file: its header has no size"),
        (tf.constant(True), limits.size_problem(1, height, width)),
    )


def decode(data: tf.Tensor, channels: int) -> tf.Tensor:
    """The graph's `to_channels(decode_image(data), channels)`: the bytes of a file to `[H, W, channels]` uint8.

    Args:
        data: of a file in which `header_problem` found nothing.
        channels: 1, 3 or 4.

    Returns:
        The picture, without any pixel where the file is damaged.
    """
    image = _attempt(_decode_as_stored, data, tf.zeros([0, 0, 1], tf.uint8))
    have = tf.shape(image)[-1]  # 1 or 3, and alpha behind them
    highest = tf.fill(tf.shape(image[..., :1]), tf.constant(255, tf.uint8))
    alpha = tf.cond(have % 2 == 0, lambda: image[..., -1:], lambda: highest)
    colour = tf.cond(have < 3, lambda: tf.repeat(image[..., :1], 3, axis=-1), lambda: image[..., :3])
    if channels == 4:
        rgba = tf.concat([colour, alpha], axis=-1)
        return tf.ensure_shape(rgba, [None, None, 4])
    wide, opacity = tf.cast(colour, tf.int32), tf.cast(alpha, tf.int32)
    over_white = (wide * opacity + 255 * (255 - opacity) + 127) // 255
    if channels == 1:
        over_white = (tf.reduce_sum(over_white * [19595, 38470, 7471], axis=-1, keepdims=True) + 32768) // 65536
    return tf.ensure_shape(tf.cast(over_white, tf.uint8), [None, None, channels])


def _decode_as_stored(data: tf.Tensor) -> tf.Tensor:
    return tf.cond(
        _begins(data, _JPEG),
        lambda: tf.io.decode_jpeg(data, dct_method="INTEGER_ACCURATE"),
        lambda: tf.io.decode_png(data),
    )


def _begins(data: tf.Tensor, magic: bytes) -> tf.Tensor:
    return tf.strings.substr(data, 0, len(magic)) == magic


def _attempt(function: Callable[[tf.Tensor], tf.Tensor], data: tf.Tensor, otherwise: tf.Tensor) -> tf.Tensor:
    """What `function` makes of `data`, or `otherwise` where it fails, which in a graph tf.data alone can catch."""
    made = tf.data.Dataset.from_tensors(data).map(function).ignore_errors()
    return made.concatenate(tf.data.Dataset.from_tensors(otherwise)).take(1).get_single_element()
