"""The features by which perceptual losses compare images."""

from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from gan_zoo.networks.classifiers import load_torchvision, vgg19

# Feature map -> the stage of VGG19 that ends with it: phi_i,j is the j-th convolution before the i-th pooling.
STAGES = {"vgg22": 2, "vgg54": 5}
# Of ImageNet's pictures in [0, 1].
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SCALE = 12.75


class VGGFeatures:
    """phi_2,2 or phi_5,4 of VGG19, rectified, over 12.75: `[B, H, W, 3]` -> `[B, h, w, C]`.

    Ledig et al. 2017 (arXiv 1609.04802, section 2.2.1; the scale is that of section 3.2, which makes the losses
    comparable to those of pixels). Images in [-1, 1] are normalized as those that torchvision's VGG19 was trained on.
    Not a Keras layer: whoever holds it neither trains nor saves it.

    Args:
        name: `vgg22`, `[B, H / 2, W / 2, 128]`, or `vgg54`, `[B, H / 16, W / 16, 512]`.
        arrays: torchvision's weights, by its names.

    Raises:
        UserError: for weights of another network.
    """

    def __init__(self, name: str, arrays: Mapping[str, np.ndarray]) -> None:
        trunk = vgg19(STAGES[name])
        trunk.trainable = False
        load_torchvision(trunk, arrays)
        self._network = keras.Model(trunk.input, trunk.outputs[-1], trainable=False)

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        unit = (tf.cast(images, keras.backend.floatx()) + 1.0) / 2.0
        return self._network((unit - MEAN) / DEVIATION, training=False) / SCALE
