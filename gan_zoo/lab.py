"""RGB and CIE Lab as TensorFlow operations, and how the networks of colorization see Lab.

CIE 1976 L*a*b* of the white D65 (2 degrees, [0.95047, 1, 1.08883]) and the sRGB of IEC 61966-2-1, with scikit-image's
constants. L is in [0, 100]; of colours that sRGB has, a and b are in about [-87, 99] and [-108, 95].

Every function takes batches of any shape whose last axis is the channels, computes in float32 at least, and has finite
gradients everywhere, out of gamut too: each branch of a kinked curve is only ever given arguments that it is meant for.
The 3x3 matrices are written out as sums, since a GPU may round the factors of a matrix product to ten bits.
"""

from collections.abc import Sequence

import tensorflow as tf

XYZ_OF_RGB = (
    (0.412453, 0.357580, 0.180423),
    (0.212671, 0.715160, 0.072169),
    (0.019334, 0.119193, 0.950227),
)
# The inverse of the above.
RGB_OF_XYZ = (
    (3.2404813432005266, -1.5371515162713185, -0.4985363261688878),
    (-0.9692549499965684, 1.8759900014898907, 0.0415559265582928),
    (0.0556466391351772, -0.2040413383665112, 1.0573110696453443),
)
WHITE = (0.95047, 1.0, 1.08883)

LIGHTNESS_SCALE = 50.0  # L / 50 - 1 is in [-1, 1]
AB_SCALE = 110.0


def rgb_to_lab(image: tf.Tensor) -> tf.Tensor:
    """`[..., 3]` sRGB in [-1, 1] -> `[..., 3]` L, a and b. A grey image has a and b of at most 0.01."""
    image = _widened(image)
    linear = _linear((image + 1.0) / 2.0)
    x, y, z = (_curve(value / white) for value, white in zip(_product(XYZ_OF_RGB, linear), WHITE, strict=True))
    return tf.stack([116.0 * y - 16.0, 500.0 * (x - y), 200.0 * (y - z)], axis=-1)


def lab_to_rgb(lab: tf.Tensor) -> tf.Tensor:
    """`[..., 3]` L, a and b -> `[..., 3]` sRGB in [-1, 1]; each channel of a colour that sRGB has not is clipped.

    What is clipped has the gradient zero.
    """
    lightness, a, b = tf.unstack(_widened(lab), axis=-1)
    y = (lightness + 16.0) / 116.0
    # As scikit-image: a yellow so deep that its z would be negative has none.
    curves = (y + a / 500.0, y, tf.maximum(y - b / 200.0, 0.0))
    xyz = tf.stack([white * _inverse_curve(curve) for curve, white in zip(curves, WHITE, strict=True)], axis=-1)
    image = _gamma(tf.stack(_product(RGB_OF_XYZ, xyz), axis=-1))
    return tf.clip_by_value(2.0 * image - 1.0, -1.0, 1.0)


def to_grey(image: tf.Tensor) -> tf.Tensor:
    """`[..., 3]` sRGB in [-1, 1] -> `[..., 1]`, the grey image of the same L: luminance back through sRGB's curve."""
    linear = _linear((_widened(image) + 1.0) / 2.0)
    luminance = _product(XYZ_OF_RGB[1:2], linear)[0]
    return tf.clip_by_value(2.0 * _gamma(luminance) - 1.0, -1.0, 1.0)[..., tf.newaxis]


def grey_to_network(grey: tf.Tensor) -> tf.Tensor:
    """The lightness that `to_network` gives for a grey image `[..., 1]` in [-1, 1], of the same shape."""
    lightness = 116.0 * _curve(_linear((_widened(grey) + 1.0) / 2.0)) - 16.0
    return lightness / LIGHTNESS_SCALE - 1.0


def to_network(lab: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """`[..., 3]` L, a and b -> lightness `[..., 1]`, L / 50 - 1, and ab `[..., 2]`, divided by 110; in [-1, 1]."""
    return lab[..., :1] / LIGHTNESS_SCALE - 1.0, lab[..., 1:] / AB_SCALE


def from_network(lightness: tf.Tensor, ab: tf.Tensor) -> tf.Tensor:
    """The way back: lightness `[..., 1]` and ab `[..., 2]` in [-1, 1] -> `[..., 3]` L, a and b."""
    return tf.concat([(lightness + 1.0) * LIGHTNESS_SCALE, ab * AB_SCALE], axis=-1)


def _widened(image: tf.Tensor) -> tf.Tensor:
    image = tf.convert_to_tensor(image)
    return tf.cast(image, tf.float32) if image.dtype.size < 4 else image


def _product(matrix: Sequence[Sequence[float]], vectors: tf.Tensor) -> list[tf.Tensor]:
    first, second, third = tf.unstack(vectors, axis=-1)
    return [row[0] * first + row[1] * second + row[2] * third for row in matrix]


def _linear(value: tf.Tensor) -> tf.Tensor:
    """sRGB in [0, 1] -> light."""
    power = ((tf.maximum(value, 0.04045) + 0.055) / 1.055) ** 2.4
    return tf.where(value > 0.04045, power, value / 12.92)


def _gamma(light: tf.Tensor) -> tf.Tensor:
    """Light -> sRGB in [0, 1]."""
    root = 1.055 * tf.maximum(light, 0.0031308) ** (1 / 2.4) - 0.055
    return tf.where(light > 0.0031308, root, 12.92 * light)


def _curve(value: tf.Tensor) -> tf.Tensor:
    """The cube root, with a straight line near zero."""
    root = tf.maximum(value, 0.008856) ** (1 / 3)
    return tf.where(value > 0.008856, root, 7.787 * value + 16.0 / 116.0)


def _inverse_curve(value: tf.Tensor) -> tf.Tensor:
    return tf.where(value > 0.2068966, value**3, (value - 16.0 / 116.0) / 7.787)
