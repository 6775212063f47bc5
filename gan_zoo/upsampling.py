"""Upsampling by transposed convolutions, in the forms that are fast where the usual kernels are not."""

import keras
import tensorflow as tf


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
