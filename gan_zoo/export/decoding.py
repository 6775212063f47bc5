"""Bytes to images in a graph: only JPEG and PNG reach a decoder, and only once their header was found modest.

TensorFlow's decoders choose by the first bytes, whatever they are called: `decode_png` of an animated WebP writes past
its memory and ends the process. And they allocate what a header claims: some bytes of PNG are enough for gigabytes.

A decoder that fails does not say which file of a batch it was: here it is named. Grey and RGB JPEG, and PNG of 8 or 16
bit that is grey, RGB or either with alpha, come out as from `gan_zoo.images.decode_image`; label maps as from
`gan_zoo.data.label_maps.decode_label_map`.
"""

import zlib
from collections.abc import Callable

import tensorflow as tf

from gan_zoo.data.value_range import stretched_in_graph
from gan_zoo.export.requests import Limits, first_problem, of_any_shape, refuse

_JPEG = b"\xff\xd8\xff"
_PNG = b"\x89PNG\r\n\x1a\n"
_IHDR = b"\x00\x00\x00\rIHDR"  # the chunk that has to come first, its length before it
_GREY, _PALETTE = 0, 3  # kinds of PNG
_BYTES = [bytes([number]) for number in range(256)]
_OTHER_CRC = (zlib.crc32(b"IHDR" + b"\0" * 9 + bytes([_PALETTE, 0, 0, 0])) ^ zlib.crc32(b"IHDR" + b"\0" * 13)).to_bytes(
    4, "big"
)  # what the checksums of two headers differ by that differ in the kind
_HEAD = 24  # bytes: the signature of a PNG, that, width and height


def translated_files(
    given: tf.Tensor,
    limits: Limits,
    channels: int,
    translate: Callable[[tf.Tensor], tf.Tensor],
    white: int | None = None,
) -> tf.Tensor:
    """Decodes, translates and encodes the `image_bytes` of a request, `[B]`, as `[B]` PNG files.

    Args:
        given: what the request brings.
        limits: of each picture.
        channels: that `translate` takes, from `[1, H, W, channels]` uint8, or uint16 for a PNG of 16 bit, to either of
            them with channels of its own.
        white: in files of 16 bit, which `translate` takes as 65535; None: 65535.

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

        def written(image: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
            damaged = tf.size(image) == 0, "a truncated or damaged file"
            problem = first_problem(damaged, (tf.constant(True), limits.class_problem(image)))
            (image,) = refuse(problem, _name(place), image)
            image = tf.ensure_shape(tf.cast(image, dtype), [None, None, channels])
            return tf.io.encode_png(translate(image[tf.newaxis])[0])

        if limits.classes is not None:
            return written(decode_classes(data), tf.uint8)
        return tf.cond(
            _has_16_bits(data),
            lambda: written(decode(data, channels, tf.uint16, white), tf.uint16),
            lambda: written(decode(data, channels), tf.uint8),
        )

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
        *(_class_problems(data, is_jpeg) if limits.classes is not None else ()),
        (tf.constant(True), limits.size_problem(1, height, width)),
    )


def _class_problems(data: tf.Tensor, is_jpeg: tf.Tensor) -> tuple[tuple[tf.Tensor, str], ...]:
    """Why a file can be no label map."""
    colour_type = _byte(data, 25)
    in_colour = (colour_type != _GREY) & (colour_type != _PALETTE)
    return (
        (is_jpeg, "a JPEG file: a label map is a PNG, which keeps its numbers as they are"),
        (in_colour, "has colours or alpha: a label map has one channel, or a palette"),
    )


def _has_16_bits(data: tf.Tensor) -> tf.Tensor:
    return _begins(data, _PNG) & (_byte(data, 24) == 16)


def _byte(data: tf.Tensor, place: int) -> tf.Tensor:
    """A byte of a file, int32; 0 behind its end."""
    return tf.cast(tf.io.decode_raw(tf.strings.substr(data + b"\0" * (place + 1), place, 1), tf.uint8)[0], tf.int32)


def decode_classes(data: tf.Tensor) -> tf.Tensor:
    """The numbers in a PNG of grey, or of a palette the indices: `[H, W, 1]` int32, no pixel where it is damaged.

    TensorFlow's decoder looks a palette up. So its file is made one of grey, which its pixels are as well: in the
    header the kind is another, and with it the checksum, by bits that are the same for every header.
    """
    crc = tf.cast(tf.io.decode_raw(tf.strings.substr(data, 29, 4), tf.uint8), tf.int32)
    crc = tf.strings.reduce_join(tf.gather(_BYTES, tf.bitwise.bitwise_xor(crc, list(_OTHER_CRC))))
    rest = tf.strings.substr(data, 33, tf.strings.length(data))
    as_grey = tf.strings.join([tf.strings.substr(data, 0, 25), b"\0", tf.strings.substr(data, 26, 3), crc, rest])
    grey = tf.where(_byte(data, 25) == _PALETTE, as_grey, data)
    decoded = _attempt(
        lambda data: tf.io.decode_png(data, channels=1, dtype=tf.uint16), grey, tf.zeros([0, 0, 1], tf.uint16)
    )
    bits = tf.clip_by_value(_byte(data, 24), 1, 16)
    # Of fewer bits, white becomes 65535.
    return tf.cast(decoded, tf.int32) // (65535 // (tf.bitwise.left_shift(1, bits) - 1))


def decode(data: tf.Tensor, channels: int, dtype: tf.DType = tf.uint8, white: int | None = None) -> tf.Tensor:
    """The graph's `to_channels(decode_image(data), channels)`: the bytes of a file to `[H, W, channels]`.

    Args:
        data: of a file in which `header_problem` found nothing.
        channels: 1, 3 or 4.
        dtype: uint8, or for a PNG of 16 bit uint16.
        white: in the file, if it is of 16 bit; None: 65535. It is `dtype.max` in the picture.

    Returns:
        The picture, without any pixel where the file is damaged.
    """
    image = _attempt(lambda data: _decode_as_stored(data, dtype), data, tf.zeros([0, 0, 1], dtype))
    have = tf.shape(image)[-1]  # 1 or 3, and alpha behind them
    most = dtype.max
    highest = tf.fill(tf.shape(image[..., :1]), tf.constant(most, dtype))
    alpha = tf.cond(have % 2 == 0, lambda: image[..., -1:], lambda: highest)
    colour = tf.cond(have < 3, lambda: tf.concat([image[..., :1]] * 3, -1), lambda: image[..., :3])
    colour = stretched_in_graph(colour, white)
    if channels == 4:
        rgba = tf.concat([colour, alpha], axis=-1)
        return tf.ensure_shape(rgba, [None, None, 4])
    wide, opacity = tf.cast(colour, tf.int64), tf.cast(alpha, tf.int64)
    over_white = (wide * opacity + most * (most - opacity) + most // 2) // most
    if channels == 1:
        over_white = (tf.reduce_sum(over_white * [19595, 38470, 7471], axis=-1, keepdims=True) + 32768) // 65536
    return tf.ensure_shape(tf.cast(tf.cast(over_white, tf.int32), dtype), [None, None, channels])


def _decode_as_stored(data: tf.Tensor, dtype: tf.DType) -> tf.Tensor:
    if dtype == tf.uint16:
        return tf.io.decode_png(data, dtype=dtype)
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
