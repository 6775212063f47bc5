"""ImageNet classifiers with few filters, and weights for them."""

import json
import pathlib
import zlib

import keras
import numpy as np

SHAPES = json.loads(str(np.load(pathlib.Path(__file__).parent / "parity" / "resnet18.npz")["resnet18/shapes"]))


def narrow_state(filters: int = 4) -> dict[str, np.ndarray]:
    """A state_dict of a ResNet-18 with fewer filters; variances are positive."""
    arrays = {}
    for name, shape in SHAPES.items():
        ours = [side * filters // 64 if side >= 64 else side for side in shape]
        random = np.random.default_rng(zlib.crc32(name.encode()))
        arrays[name] = random.uniform(0.1, 0.9, ours).astype(np.float32) - 0.45 * (len(ours) > 1)
    return arrays


def tiny_classifier(include_top: bool, weights: None, input_shape: tuple) -> keras.Model:
    """As those of `keras.applications`: a convolution, a batch norm, a padding, and what the classifier alone needs."""
    assert not include_top and weights is None
    image = keras.Input(input_shape)
    x = keras.layers.Conv2D(4, 3, strides=2, padding="same", bias_initializer="glorot_uniform", name="first")(image)
    x = keras.layers.BatchNormalization(name="norm")(x)
    x = keras.layers.Conv2D(5, 3, strides=2, name="second")(keras.layers.ZeroPadding2D(name="padding")(x))
    return keras.Model(image, keras.layers.Conv2D(64, 1, name="last")(x))
