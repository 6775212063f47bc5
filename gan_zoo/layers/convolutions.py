"""Convolutions that halve, and those of few pixels or channels as matrix products, faster on a CPU.

Where results, or the gradients of copies, are added up, this is done in float32 at least (`widened`).
"""

import keras
import tensorflow as tf


def sizes(tensor: tf.Tensor) -> list[int | tf.Tensor]:
    """The lengths of all axes: as numbers where they are known, so that results keep their static shapes."""
    if None not in tensor.shape:
        return list(tensor.shape)
    dynamic = tf.shape(tensor)
    return [dynamic[axis] if size is None else size for axis, size in enumerate(tensor.shape)]


def with_bias(layer: keras.layers.Layer, result: tf.Tensor) -> tf.Tensor:
    """The result of a convolution plus the bias of its layer, if that has one: `[B, H, W, C]` in and out."""
    return tf.nn.bias_add(result, tf.cast(layer.bias, result.dtype)) if layer.use_bias else result


def widened(image: tf.Tensor) -> tf.Tensor:
    """Float32 at least, for sums: a sum of numbers that were rounded to bfloat16's 8 bits has the errors of all."""
    return tf.cast(image, tf.float32) if image.dtype.size < 4 else image


class Halving:
    """Makes a layer of 4x4 kernels, of stride 2 and Keras' "same" padding, round odd sides down, as PyTorch does.

    That pads a pixel at each side: `floor((H + 2 - 4) / 2) + 1` results. Keras pads a second one behind an odd side,
    for a result more, which is dropped. Not padded by hand: TensorFlow sums the gradients of an explicitly padded
    convolution in another order, so that even sides, where nothing is dropped, would learn other bits.
    """

    def __init__(self, filters: int, **kwargs) -> None:
        super().__init__(filters, **{**kwargs, "kernel_size": 4, "strides": 2, "padding": "same"})

    def convolution_op(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        result = super().convolution_op(inputs, kernel)
        if all(side is not None and side % 2 == 0 for side in inputs.shape[1:3]):
            return result
        _, height, width, _ = sizes(inputs)
        return result[:, : height // 2, : width // 2]

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        batch, height, width, _ = input_shape
        return (batch, height and height // 2, width and width // 2, self.filters)


@keras.saving.register_keras_serializable("gan_zoo")
class HalvingConv2D(Halving, keras.layers.Conv2D):
    """PyTorch's `Conv2d(4, stride=2, padding=1)`: `[B, H, W, C]` -> `[B, H // 2, W // 2, filters]`."""


@keras.saving.register_keras_serializable("gan_zoo")
class StridedConv1x1(keras.layers.Conv2D):
    """A 1x1 convolution of every second pixel, or fewer: `[B, H, W, C]` -> `[B, h, w, filters]`, sides rounded up.

    For every strided 1x1 convolution, instead of `Conv2D(filters, 1, strides=2)`, which is a trap: in the gradient to
    such a kernel of 8 or fewer channels TensorFlow 2.21's oneDNN writes past its memory on a CPU. It ends the process
    at 64 px, and may do worse elsewhere. Here the pixels are picked first and the convolution has no stride: the same
    numbers.

    Args:
        filters: output channels.
        strides: distance of the pixels that are looked at, one number or two.
    """

    def __init__(self, filters: int, strides: int | tuple[int, int] = 2, **kwargs) -> None:
        super().__init__(filters, **{**kwargs, "kernel_size": 1, "strides": strides, "padding": "valid"})

    def convolution_op(self, inputs: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
        rows, columns = self.strides
        return tf.nn.conv2d(inputs[:, ::rows, ::columns], kernel, strides=1, padding="VALID")


@keras.saving.register_keras_serializable("gan_zoo")
class FewPixelsConv2D(keras.layers.Conv2D):
    """`Conv2D(filters, 4, strides=2, padding="same")` as one matrix product: `[B, H, W, C]` -> half the size.

    Where the image has shrunk to a few pixels and the kernel holds millions of numbers, the convolution kernels spend
    their time on reordering the weights; the product is faster on a CPU, forwards and backwards. It copies each pixel
    four times, so it is for the innermost levels only. Even sides.
    """

    def __init__(self, filters: int, **kwargs) -> None:
        fixed = {"kernel_size": 4, "strides": 2, "padding": "same"}
        super().__init__(filters, **{**kwargs, **fixed})

    def call(self, image: tf.Tensor) -> tf.Tensor:
        batch, height, width, channels = sizes(image)
        padded = tf.pad(widened(image), [[0, 0], [1, 1], [1, 1], [0, 0]])
        window = [
            padded[:, row : row + height : 2, column : column + width : 2] for row in range(4) for column in range(4)
        ]
        columns = tf.reshape(tf.concat(window, axis=-1), [-1, 16 * channels])
        product = tf.matmul(columns, widened(tf.reshape(self.kernel, [16 * channels, self.filters])))
        result = tf.reshape(product, [batch, height // 2, width // 2, self.filters])
        return tf.cast(with_bias(self, result), image.dtype)


@keras.saving.register_keras_serializable("gan_zoo")
class FewPixelsConv2DTranspose(keras.layers.Conv2DTranspose):
    """`Conv2DTranspose(filters, 4, strides=2, padding="same")` as one matrix product: `[B, H, W, C]` -> double size.

    Each pixel is multiplied with the whole kernel, and the 4x4 windows that come out are added up where they overlap.
    For the same reason, and the same few pixels, as `FewPixelsConv2D`.
    """

    def __init__(self, filters: int, **kwargs) -> None:
        fixed = {"kernel_size": 4, "strides": 2, "padding": "same"}
        super().__init__(filters, **{**kwargs, **fixed})

    def call(self, image: tf.Tensor) -> tf.Tensor:
        batch, height, width, channels = sizes(image)
        kernel = widened(tf.reshape(self.kernel, [16 * self.filters, channels]))
        product = _wide_product(widened(tf.reshape(image, [-1, channels])), kernel)
        rows = _overlap(tf.reshape(product, [batch, height, width, 4, 4 * self.filters]), axis=1)
        rows = tf.reshape(rows, [batch, 2 * height, width, 4, self.filters])
        result = tf.reshape(_overlap(rows, axis=2), [batch, 2 * height, 2 * width, self.filters])
        return tf.cast(with_bias(self, result), image.dtype)


@tf.custom_gradient
def _wide_product(rows: tf.Tensor, kernel: tf.Tensor):
    """`[N, C]` and `[M, C]` -> `[N, M]`, where the kernel is much the larger one.

    As a batch of one product, which TensorFlow computes faster on a CPU than the plain one of such sizes; for the
    gradients it is the other way round.
    """

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return tf.matmul(upstream, kernel), tf.matmul(upstream, rows, transpose_a=True)

    return tf.matmul(rows[tf.newaxis], kernel[tf.newaxis], transpose_b=True)[0], gradient


def _overlap(windows: tf.Tensor, axis: int) -> tf.Tensor:
    """Adds up windows of 4 that start at every second place: `[B, H, W, 4, C]` -> `[B, H, 2, W, C]` for axis 1.

    Place 2i gets number 1 of window i and number 3 of the one before, place 2i + 1 number 2 and number 0 of the next.
    """
    zero = tf.zeros_like(tf.gather(windows[:, :, :, 0], [0], axis=axis))
    first, second, third, fourth = tf.unstack(windows, axis=3)
    before = tf.concat([zero, fourth[:, :-1] if axis == 1 else fourth[:, :, :-1]], axis)
    after = tf.concat([first[:, 1:] if axis == 1 else first[:, :, 1:], zero], axis)
    return tf.stack([second + before, third + after], axis=axis + 1)


@keras.saving.register_keras_serializable("gan_zoo")
class OneChannelConv2D(keras.layers.Conv2D):
    """A convolution to one channel, zero-padded by `border` pixels, as a matrix product and shifted sums.

    A product with the kernel's k * k columns, then the sum of the k * k maps, each shifted by its place in the kernel.
    Convolution kernels are slow for a single output channel, backwards above all.

    Args:
        kernel_size: side k of the kernel.
        border: zeros added at each side of the image.
    """

    def __init__(self, kernel_size: int, border: int = 0, **kwargs) -> None:
        kwargs.pop("filters", None)
        super().__init__(1, kernel_size, **kwargs)
        self.border = border

    def call(self, image: tf.Tensor) -> tf.Tensor:
        batch, height, width, channels = sizes(image)
        side = self.kernel_size[0]
        kernel = widened(tf.transpose(tf.reshape(self.kernel, [side * side, channels])))
        product = tf.matmul(widened(tf.reshape(image, [-1, channels])), kernel)
        maps = tf.reshape(product, [batch, height, width, side * side])
        border = [self.border, self.border]
        maps = tf.unstack(tf.pad(maps, [[0, 0], border, border, [0, 0]]), axis=-1)
        out_height, out_width = height + 2 * self.border - side + 1, width + 2 * self.border - side + 1
        shifted = [
            maps[side * row + column][:, row : row + out_height, column : column + out_width]
            for row in range(side)
            for column in range(side)
        ]
        return tf.cast(with_bias(self, tf.add_n(shifted)[..., tf.newaxis]), image.dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        batch, height, width, _ = input_shape
        change = 2 * self.border - self.kernel_size[0] + 1
        return (batch, height and height + change, width and width + change, 1)

    def get_config(self) -> dict:
        return {**super().get_config(), "border": self.border}
