"""The initializers of the networks' kernels, with PyTorch's meaning of gain and of fans."""

import keras

INIT_TYPES = ("normal", "xavier", "kaiming", "orthogonal")


def make_initializer(init_type: str, gain: float = 0.02) -> keras.initializers.Initializer:
    """A new initializer for one kernel; two kernels must not share one, or they would start with the same numbers.

    PyTorch takes a kernel's second axis for its fan in and the first for its fan out, also for transposed convolutions,
    which store them the other way round. Keras stores the two in reverse, so its own fans are the same numbers.

    Args:
        init_type: `normal`: N(0, gain^2); `xavier` (Glorot and Bengio 2010): N(0, gain^2 * 2 / (fan_in + fan_out));
            `kaiming` (He et al. 2015, arXiv 1502.01852): N(0, 2 / fan_in), without the gain, as in the authors' code;
            `orthogonal` (Saxe et al. 2013, arXiv 1312.6120): gain times a matrix of orthonormal rows or columns.
            None of them is truncated.
        gain: factor of the deviation; the authors' is 0.02.
    """
    if init_type == "normal":
        return keras.initializers.RandomNormal(0.0, gain)
    if init_type == "xavier":
        return keras.initializers.VarianceScaling(gain**2, mode="fan_avg", distribution="untruncated_normal")
    if init_type == "kaiming":
        return keras.initializers.VarianceScaling(2.0, mode="fan_in", distribution="untruncated_normal")
    if init_type == "orthogonal":
        return keras.initializers.Orthogonal(gain)
    raise ValueError(f"init_type must be one of {', '.join(INIT_TYPES)}. Received: init_type={init_type!r}")
