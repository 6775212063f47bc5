"""What compares patches in CUT: for each feature map a small network from a pixel's features to a point on a sphere."""

from collections.abc import Sequence

import keras

from gan_zoo.layers.initializers import make_initializer
from gan_zoo.layers.unit_length import UnitLength


def projection_heads(
    *,
    channels: Sequence[int],
    width: int | None = 256,
    init_type: str = "xavier",
    init_gain: float = 0.02,
    name: str = "heads",
) -> keras.Model:
    """Builds a network of two layers for each feature map: dense, ReLU, dense, length 1.

    Park et al. 2020 (arXiv 2007.15651, section 3), after Chen et al. 2020 (SimCLR, arXiv 2002.05709).

    Args:
        channels: of each feature map.
        width: of both layers; None for neither: features are brought to length 1 as they are.
        init_type, init_gain: of all kernels, see `make_initializer`.
        name: of the Keras model.

    Returns:
        A model from a list of features `[B, P, channels]` of P pixels, one a map, to a list of vectors of length 1,
        `[B, P, width]`.
    """
    inputs = [keras.Input((None, size), name=f"features_{index}") for index, size in enumerate(channels)]
    vectors = []
    for index, features in enumerate(inputs):
        x = features
        for place in (0, 1) if width else ():
            kernel = make_initializer(init_type, init_gain)
            layer_name = f"head_{index}_dense_{place}"
            x = keras.layers.Dense(width, kernel_initializer=kernel, name=layer_name)(x)
            if place == 0:
                x = keras.layers.ReLU(name=f"head_{index}_activation")(x)
        vectors.append(UnitLength(dtype=keras.backend.floatx(), name=f"head_{index}_vector")(x))
    return keras.Model(inputs, vectors, name=name)
