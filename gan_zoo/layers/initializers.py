"""The initializers of the networks' kernels, with PyTorch's meaning of gain and of fans."""

import keras
import tensorflow as tf

INIT_TYPES = ("normal", "truncated", "xavier", "kaiming", "orthogonal", "pytorch")


def make_initializer(init_type: str, gain: float = 0.02) -> keras.initializers.Initializer:
    """A new initializer for one kernel; two kernels must not share one, or they would start with the same numbers.

    PyTorch takes a kernel's second axis for its fan in and the first for its fan out, also for transposed convolutions,
    which store them the other way round. Keras stores the two in reverse, so its own fans are the same numbers.

    Args:
        init_type: `normal`: N(0, gain^2); `truncated`: the same without what lies beyond two deviations;
            `xavier` (Glorot and Bengio 2010): N(0, gain^2 * 2 / (fan_in + fan_out));
            `kaiming` (He et al. 2015, arXiv 1502.01852): N(0, 2 / fan_in), without the gain, as in the authors' code;
            `orthogonal` (Saxe et al. 2013, arXiv 1312.6120): gain times a matrix of orthonormal rows or columns;
            `pytorch`: what PyTorch draws by itself, uniform up to 1 / sqrt(fan_in), without the gain.
        gain: factor of the deviation; the authors' is 0.02.
    """
    if init_type == "normal":
        return keras.initializers.RandomNormal(0.0, gain)
    if init_type == "truncated":
        return keras.initializers.TruncatedNormal(0.0, gain)
    if init_type == "xavier":
        return keras.initializers.VarianceScaling(gain**2, mode="fan_avg", distribution="untruncated_normal")
    if init_type == "kaiming":
        return keras.initializers.VarianceScaling(2.0, mode="fan_in", distribution="untruncated_normal")
    if init_type == "orthogonal":
        return keras.initializers.Orthogonal(gain)
    if init_type == "pytorch":
        return keras.initializers.VarianceScaling(1 / 3, mode="fan_in", distribution="uniform")
    raise ValueError(f"init_type must be one of {', '.join(INIT_TYPES)}. Received: init_type={init_type!r}")


def pytorch_default() -> keras.initializers.Initializer:
    """PyTorch's own for kernels: uniform, a third of the variance that keeps that of the image."""
    return keras.initializers.VarianceScaling(1 / 3, mode="fan_in", distribution="uniform")


@keras.saving.register_keras_serializable("gan_zoo")
class ICNR(keras.initializers.Initializer):
    """Draws one kernel for all pixels that a channel of a sub-pixel convolution becomes.

    Aitken et al. 2017 (arXiv 1707.02937): the layer starts as a convolution with nearest-neighbour upsampling behind
    it, without a checkerboard. For kernels in PyTorch's order of channels, see `upsampling.SubPixelConv2D`.

    Args:
        initializer: of the kernel that is repeated.
        factor: how many times as large the layer's output is.
    """

    def __init__(self, initializer: keras.initializers.Initializer, factor: int = 2) -> None:
        self.initializer = keras.initializers.get(initializer)
        self.factor = factor

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None) -> tf.Tensor:
        """A kernel `[h, w, C, filters * factor**2]`."""
        repeats = self.factor**2
        if shape[-1] % repeats:
            raise ValueError(f"the last axis must be a multiple of {repeats}. Received: shape={tuple(shape)}")
        return tf.repeat(self.initializer((*shape[:-1], shape[-1] // repeats), dtype), repeats, axis=-1)

    def get_config(self) -> dict:
        return {"initializer": keras.initializers.serialize(self.initializer), "factor": self.factor}
