"""Ways to double the size: transposed convolutions of few channels, interpolation, sub-pixel convolutions."""

import keras
import tensorflow as tf

from gan_zoo.layers.convolutions import sizes, widened


@keras.saving.register_keras_serializable("gan_zoo")
class FewChannelsConv2DTranspose(keras.layers.Conv2DTranspose):
    """`Conv2DTranspose(filters, 4, strides=2, padding="same")` for few filters: `[B, H, W, C]` -> double size.

    Forwards a 2x2 convolution to four times the channels, each quarter of which holds every fourth pixel of the result
    (Shi et al. 2016, arXiv 1609.07009, section 3). It has to copy the kernel into another order, which pays off where
    the kernel is small and the image large. Backwards the convolution that a transposed one is the gradient of.
    """

    def __init__(self, filters: int, **kwargs) -> None:
        fixed = {"kernel_size": 4, "strides": 2, "padding": "same"}
        super().__init__(filters, **{**kwargs, **fixed})

    def call(self, image: tf.Tensor) -> tf.Tensor:
        result = _transposed_convolution(image, tf.convert_to_tensor(self.kernel))
        return tf.nn.bias_add(result, tf.cast(self.bias, result.dtype)) if self.use_bias else result


@tf.custom_gradient
def _transposed_convolution(image: tf.Tensor, kernel: tf.Tensor):
    """`[B, H, W, C]` and `[4, 4, filters, C]` -> `[B, 2H, 2W, filters]`."""

    def gradient(upstream: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        of_kernel = tf.raw_ops.Conv2DBackpropFilter(
            input=upstream, filter_sizes=tf.shape(kernel), out_backprop=image, strides=[1, 2, 2, 1], padding="SAME"
        )
        return tf.nn.conv2d(upstream, kernel, 2, "SAME"), of_kernel

    filters, channels = kernel.shape[2:]
    # Result pixels 2p - 1 and 2p see the pixels p - 1 and p of the image: the first through rows 2 and 0 of the kernel,
    # the second through rows 3 and 1; columns likewise.
    windows = tf.reshape(kernel, [2, 2, 2, 2, filters, channels])[::-1, :, ::-1]
    windows = tf.reshape(tf.transpose(windows, [0, 2, 5, 1, 3, 4]), [2, 2, channels, 4 * filters])
    quarters = tf.nn.conv2d(image, windows, 1, [[0, 0], [1, 1], [1, 1], [0, 0]])
    return tf.nn.depth_to_space(quarters, 2)[:, 1:-1, 1:-1], gradient


@keras.saving.register_keras_serializable("gan_zoo")
class BilinearUpsampling(keras.layers.Layer):
    """Interpolates to double size: `[B, H, W, C]` -> `[B, 2 H, 2 W, C]`, H and W known or not.

    As PyTorch's `Upsample(scale_factor=2, mode="bilinear")`: pixels are squares, of which the outermost reach to the
    border. Keras' `UpSampling2D(2, interpolation="bilinear")` gives the same numbers, but that of Keras 3.14 to 3.15.1
    cannot be traced with unknown sizes: not exported, and not run on pictures of a second size.
    """

    def call(self, image: tf.Tensor) -> tf.Tensor:
        _, height, width, _ = sizes(image)
        return tf.cast(tf.image.resize(image, [2 * height, 2 * width], "bilinear"), image.dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        batch, height, width, channels = input_shape
        return (batch, height and 2 * height, width and 2 * width, channels)


@keras.saving.register_keras_serializable("gan_zoo")
class SubPixelConv2D(keras.layers.Conv2D):
    """A convolution to `filters * factor**2` channels, which become pixels: `[B, H, W, C]` -> `[B, fH, fW, filters]`.

    Shi et al. 2016 (arXiv 1609.05158). The channels of kernel and bias are in the order of PyTorch's `PixelShuffle`:
    channel `c * factor**2 + row * factor + column` is the pixel at (row, column) of output channel c. TensorFlow's
    `depth_to_space` has c last; reordering the kernel costs less than reordering the image.

    Args:
        filters: output channels.
        kernel_size: side of the kernel; zeros around the image.
        factor: how many times as large the output is.
    """

    def __init__(self, filters: int, kernel_size: int = 1, factor: int = 2, **kwargs) -> None:
        if factor < 1:
            raise ValueError(f"factor must be at least 1. Received: factor={factor}")
        super().__init__(filters * factor**2, kernel_size, **{**kwargs, "strides": 1, "padding": "same"})
        self.factor = factor

    def call(self, image: tf.Tensor) -> tf.Tensor:
        result = self.convolution_op(image, self._reordered(self.kernel))
        if self.use_bias:
            result = tf.nn.bias_add(result, tf.cast(self._reordered(self.bias), result.dtype))
        return tf.nn.depth_to_space(result, self.factor) if self.factor > 1 else result

    def _reordered(self, variable: keras.Variable) -> tf.Tensor:
        """From PyTorch's order of output channels to TensorFlow's."""
        array = tf.convert_to_tensor(variable)
        apart = tf.reshape(array, [*array.shape[:-1], -1, self.factor**2])
        return tf.reshape(tf.linalg.matrix_transpose(apart), array.shape)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        batch, height, width, _ = input_shape
        factor = self.factor
        return (batch, height and factor * height, width and factor * width, self.filters // factor**2)

    def get_config(self) -> dict:
        own = {"filters": self.filters // self.factor**2, "factor": self.factor}
        return {**super().get_config(), **own}


@keras.saving.register_keras_serializable("gan_zoo")
class PairBlur(keras.layers.Layer):
    """Each pixel becomes the mean of itself, the one above, the one to the left and the one between: `[B, H, W, C]`.

    Against the checkerboard of sub-pixel convolutions (Sugawara et al. 2018, arXiv 1806.02658): every window holds one
    pixel of each of the four places. The first row and column count twice at the border.
    """

    def call(self, image: tf.Tensor) -> tf.Tensor:
        padded = tf.pad(widened(image), [[0, 0], [1, 0], [1, 0], [0, 0]], mode="SYMMETRIC")
        return tf.cast(tf.nn.avg_pool2d(padded, 2, 1, "VALID"), image.dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape
