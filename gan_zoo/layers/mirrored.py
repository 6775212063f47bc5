"""The convolutions of the residual generators, arranged so that a CPU is fast at them, forwards and backwards."""

import functools
import math

import keras
import numpy as np
import tensorflow as tf

from gan_zoo.layers.convolutions import sizes, widened, with_bias

# Up to this side, in pixels, the minimal filtering is the faster form: its cost a pixel grows with the side, the plain
# convolution's does not. Found by timing both, forwards and backwards through 256 channels, on two cores of a CPU.
LARGEST_FILTERED_SIDE = 96
PIXEL_AROUND = [[0, 0], [1, 1], [1, 1], [0, 0]]  # TensorFlow's padding: a pixel of zeros at each side of the images


def in_16_bits(image: tf.Tensor) -> bool:
    """Whether a convolution must not pad by itself.

    On a CPU TensorFlow adds up the gradients of a convolution with explicit padding, and what a transposed one gives,
    in the type of the image: in bfloat16 a kernel's gradient is 16 times as far from the truth as it needs to be.
    """
    return image.dtype.size < 4


class _SameSizeConv2D(keras.layers.Conv2D):
    """A convolution that keeps the size of its image: mirrored at the border, the border pixel itself not repeated."""

    def __init__(self, filters: int, kernel_size: int, **kwargs) -> None:
        super().__init__(filters, kernel_size, **{**kwargs, "strides": 1, "padding": "valid"})

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape[:-1], self.filters)

    def _padded(self, image: tf.Tensor) -> tf.Tensor:
        border = [self.kernel_size[0] // 2] * 2
        return tf.pad(image, [[0, 0], border, border, [0, 0]], mode="REFLECT")


@keras.saving.register_keras_serializable("gan_zoo")
class ConvFromImage(_SameSizeConv2D):
    """A mirrored convolution of few channels: `[B, H, W, C]` -> `[B, H, W, filters]`, H and W more than k / 2.

    The k columns that a kernel sees become channels, and the kernel k x 1: convolutions of three channels are slow.

    Args:
        filters: output channels.
        kernel_size: side k of the kernel, odd.
    """

    def call(self, image: tf.Tensor) -> tf.Tensor:
        side, channels = self.kernel_size[0], image.shape[-1]
        width = sizes(image)[2]
        padded = self._padded(widened(image))
        columns = tf.concat([padded[:, :, shift : shift + width] for shift in range(side)], axis=-1)
        kernel = widened(tf.reshape(self.kernel, [side, 1, side * channels, self.filters]))
        return tf.cast(with_bias(self, tf.nn.conv2d(columns, kernel, strides=1, padding="VALID")), image.dtype)


@keras.saving.register_keras_serializable("gan_zoo")
class ConvToImage(_SameSizeConv2D):
    """A mirrored convolution to few channels: `[B, H, W, C]` -> `[B, H, W, filters]`, H and W more than k / 2.

    A 1 x k convolution to as many maps as the kernel has rows, which are then shifted by their row and added up.

    Args:
        filters: output channels.
        kernel_size: side k of the kernel, odd.
    """

    def call(self, image: tf.Tensor) -> tf.Tensor:
        side, channels = self.kernel_size[0], image.shape[-1]
        height = sizes(image)[1]
        kernel = tf.transpose(tf.convert_to_tensor(self.kernel), [1, 2, 0, 3])  # [column, C, row, filters]
        kernel = widened(tf.reshape(kernel, [1, side, channels, side * self.filters]))
        maps = tf.nn.conv2d(self._padded(widened(image)), kernel, strides=1, padding="VALID")
        maps = tf.split(maps, side, axis=-1)
        result = with_bias(self, tf.add_n([maps[row][:, row : row + height] for row in range(side)]))
        return tf.cast(result, image.dtype)


@keras.saving.register_keras_serializable("gan_zoo")
class HalfSizeConv2D(keras.layers.Conv2D):
    """A strided 3x3 convolution with a pixel of zeros all around: `[B, H, W, C]` -> `[B, H / 2, W / 2, filters]`.

    PyTorch's `Conv2d(3, stride=2, padding=1)`: Keras' "same" has no zeros before even sides and one pixel behind.
    """

    def __init__(self, filters: int, **kwargs) -> None:
        super().__init__(filters, **{**kwargs, "kernel_size": 3, "strides": 2, "padding": "same"})

    def call(self, image: tf.Tensor) -> tf.Tensor:
        kernel = tf.convert_to_tensor(self.kernel)
        if in_16_bits(image):
            return with_bias(self, tf.nn.conv2d(tf.pad(image, PIXEL_AROUND), kernel, strides=2, padding="VALID"))
        return with_bias(self, tf.nn.conv2d(image, kernel, strides=2, padding=PIXEL_AROUND))


@keras.saving.register_keras_serializable("gan_zoo")
class DoubleSizeConv2DTranspose(keras.layers.Conv2DTranspose):
    """A 3x3 transposed convolution to exactly double size: `[B, H, W, C]` -> `[B, 2 H, 2 W, filters]`.

    PyTorch's `ConvTranspose2d(3, stride=2, padding=1, output_padding=1)`: Keras' "same" drops the last row and column
    of the 2 H + 1, PyTorch the first.
    """

    def __init__(self, filters: int, **kwargs) -> None:
        super().__init__(filters, **{**kwargs, "kernel_size": 3, "strides": 2, "padding": "same"})

    def call(self, image: tf.Tensor) -> tf.Tensor:
        batch, height, width, _ = sizes(image)
        kernel = tf.convert_to_tensor(self.kernel)
        if in_16_bits(image):
            size = [batch, 2 * height + 1, 2 * width + 1, self.filters]
            result = tf.nn.conv2d_transpose(image, kernel, size, strides=2, padding="VALID")[:, 1:, 1:]
            return with_bias(self, result)
        size = [batch, 2 * height, 2 * width, self.filters]
        # Without the row and column that slicing would drop: half the time of "valid" and a slice.
        return with_bias(self, tf.nn.conv2d_transpose(image, kernel, size, strides=2, padding=PIXEL_AROUND))


@keras.saving.register_keras_serializable("gan_zoo")
class MirroredConv2D(_SameSizeConv2D):
    """A 3x3 convolution over a mirrored border: `[B, H, W, C]` -> `[B, H, W, filters]`, H and W at least 2.

    Computed by Winograd's minimal filtering (Lavin and Gray 2015, arXiv 1509.09308, F(4x4, 3x3)) in a quarter of the
    products: both sides are taken to a space of 6x6 frequencies a tile of 4x4 pixels, where a convolution is a matrix
    product of the channels. Results differ from the plain convolution's by 4e-6 of the largest in float32. The plain
    one is taken on GPUs, which choose such algorithms themselves, in 16-bit types, which have no digits to spare, and
    for sides above `LARGEST_FILTERED_SIDE` or unknown while the graph is made.

    Args:
        filters: output channels.
    """

    def __init__(self, filters: int, **kwargs) -> None:
        super().__init__(filters, **{**kwargs, "kernel_size": 3})

    def call(self, image: tf.Tensor) -> tf.Tensor:
        kernel = tf.convert_to_tensor(self.kernel)
        small = all(side is not None and side <= LARGEST_FILTERED_SIDE for side in image.shape[1:3])
        if small and image.dtype.size >= 4 and not tf.config.list_logical_devices("GPU"):
            return with_bias(self, mirrored_convolution(image, kernel))
        return with_bias(self, tf.nn.conv2d(self._padded(image), kernel, strides=1, padding="VALID"))


@tf.custom_gradient
def mirrored_convolution(image: tf.Tensor, kernel: tf.Tensor) -> tuple:
    """The convolution of `[B, H, W, C]`, mirrored at its border, with `[3, 3, C, F]`: `[B, H, W, F]`; known H and W.

    Every step is linear in the image and in the kernel, so the gradients are the transposed steps in reverse. They
    start from image and kernel again: keeping their frequencies would take four times the memory of the image.
    """
    dtype = image.dtype
    _, height, width, channels = image.shape
    filters = kernel.shape[-1]
    to_rows, from_rows = (tf.constant(matrix, dtype) for matrix in _tile_matrices(height))
    to_columns, from_columns = (tf.constant(matrix, dtype) for matrix in _tile_matrices(width))
    of_kernel = tf.constant(KERNEL_TO_36, dtype)

    def image_frequencies(image: tf.Tensor) -> tf.Tensor:
        return _into_tiles(image, to_rows, to_columns)  # [B, 36, tiles, C]

    def kernel_frequencies(kernel: tf.Tensor) -> tf.Tensor:
        return tf.reshape(tf.matmul(of_kernel, tf.reshape(kernel, [9, -1])), [36, channels, filters])

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        # Not before the gradient is there: the graph would else compute them on the way forward, and keep them.
        with tf.control_dependencies([upstream]):
            late_image, late_kernel = tf.identity(image), tf.identity(kernel)
        upstream = _into_tiles(upstream, from_rows, from_columns, transpose=True)  # [B, 36, tiles, F]
        of_image = tf.matmul(upstream, kernel_frequencies(late_kernel), transpose_b=True)
        of_image = _out_of_tiles(of_image, to_rows, to_columns, transpose=True)
        of_frequencies = tf.matmul(image_frequencies(late_image), upstream, transpose_a=True)
        of_frequencies = tf.reduce_sum(of_frequencies, axis=0)  # [36, C, F]
        of_nine = tf.matmul(of_kernel, tf.reshape(of_frequencies, [36, -1]), transpose_a=True)
        return of_image, tf.reshape(of_nine, [3, 3, channels, filters])

    product = tf.matmul(image_frequencies(image), kernel_frequencies(kernel))  # [B, 36, tiles, F]
    return _out_of_tiles(product, from_rows, from_columns), gradient


def _minimal_filter() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The matrices of F(4, 3) in one dimension: `[6, 3]` of a kernel, `[6, 6]` of six pixels, `[4, 6]` of the result.

    A polynomial of degree 5 is known by its values at five points and its leading coefficient. These five points lose
    the fewest digits of those that we tried (0, +-1, +-2 lose four times as much).
    """
    points = np.array([0, 1 / math.sqrt(2), -1 / math.sqrt(2), math.sqrt(2), -math.sqrt(2)])

    def values_of_degree(degree: int) -> np.ndarray:
        return np.vstack([points[:, np.newaxis] ** np.arange(degree + 1), np.eye(degree + 1)[degree]])

    return values_of_degree(2), np.linalg.inv(values_of_degree(5)).T, values_of_degree(3).T


KERNEL_TO_6, PIXELS_TO_6, PIXELS_FROM_6 = _minimal_filter()
# In two dimensions: [36, 9], the columns' frequencies before the rows'.
KERNEL_TO_36 = np.einsum("ri,cj->crij", KERNEL_TO_6, KERNEL_TO_6).reshape(36, 9)


@functools.lru_cache(maxsize=16)  # of at most 220 kB each
def _tile_matrices(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Along one side: `[6 * tiles, size]` from pixels, mirroring included, and `[size, 6 * tiles]` back to pixels."""
    tiles = (size + 3) // 4
    place = np.abs(np.arange(-1, 4 * tiles + 1))
    place = size - 1 - np.abs(size - 1 - place)
    mirrored = (place[:, np.newaxis] == np.arange(size)).astype(float)  # [4 * tiles + 2, size]; zero farther out.
    six = np.stack([mirrored[first : first + 4 * tiles - 3 : 4] for first in range(6)])  # [6, tiles, size]
    into = np.tensordot(PIXELS_TO_6, six, 1)
    out_of = np.einsum("pf,st->spft", PIXELS_FROM_6, np.eye(tiles))
    return into.reshape(6 * tiles, size), out_of.reshape(4 * tiles, 6 * tiles)[:size]


def _into_tiles(image: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor, transpose: bool = False) -> tf.Tensor:
    """Takes the columns, then the rows of `[B, H, W, C]` to frequencies: `[B, 36, tiles, C]`.

    rows `[6 * tiles, H]` and columns `[6 * tiles, W]`, or, if `transpose`, what `_out_of_tiles` takes.
    """
    batch, height, width, channels = sizes(image)
    x = tf.matmul(columns, tf.reshape(image, [batch * height, width, channels]), transpose_a=transpose)
    x = tf.transpose(tf.reshape(x, [batch, height, 6, -1]), [0, 2, 1, 3])
    x = tf.matmul(rows, tf.reshape(x, [batch * 6, height, -1]), transpose_a=transpose)
    return tf.reshape(x, [batch, 36, -1, channels])


def _out_of_tiles(tiles: tf.Tensor, rows: tf.Tensor, columns: tf.Tensor, transpose: bool = False) -> tf.Tensor:
    """Takes the rows, then the columns of `[B, 36, tiles, C]` back to pixels: `[B, H, W, C]`.

    rows `[H, 6 * tiles]` and columns `[W, 6 * tiles]`, or, if `transpose`, what `_into_tiles` takes.
    """
    batch, _, _, channels = sizes(tiles)
    height, width = (sizes(matrix)[1 if transpose else 0] for matrix in (rows, columns))
    many = sizes(rows)[0 if transpose else 1]
    x = tf.matmul(rows, tf.reshape(tiles, [batch * 6, many, -1]), transpose_a=transpose)
    x = tf.transpose(tf.reshape(x, [batch, 6, height, -1]), [0, 2, 1, 3])
    x = tf.matmul(columns, tf.reshape(x, [batch * height, -1, channels]), transpose_a=transpose)
    return tf.reshape(x, [batch, height, width, channels])
