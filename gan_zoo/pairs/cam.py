"""Where a classifier sees a class: class activation maps.

Zhou et al. 2016, "Learning deep features for discriminative localization", arXiv 1512.04150. A classifier that ends in
a global average of its feature maps f_k(x, y) and one dense layer w gives a class c the score mean over (x, y) of
M_c(x, y), and its bias, where M_c is the sum over k of w_kc f_k (equation 2): so M_c says what each place adds. With a
global maximum in the place of the average M_c is made alike, but its mean is no score.
"""

import keras
import numpy as np
import tensorflow as tf

from gan_zoo.errors import UserError
from gan_zoo.images import BadImage, to_channels

MAX_SIDE = 512  # of pictures for a classifier that takes any size, so that none asks for more memory than there is
_POOLINGS = {keras.layers.GlobalAveragePooling2D: np.mean, keras.layers.GlobalMaxPooling2D: np.max}
_BEFORE_DENSE = (keras.layers.Dropout, keras.layers.Flatten)  # leave the numbers as they are
_BEHIND_DENSE = (keras.layers.Activation, keras.layers.Softmax)  # leave the order of the scores
_NEEDED = "one that ends in global average or maximum pooling and one dense layer is needed"


class ActivationMaps:
    """The feature maps of a classifier, its scores, and the maps of its classes.

    Args:
        model: takes `[B, H, W, 3]`, or `[B, H, W, 1]` for grey, float32 **in [0, 255]** (a `Rescaling` layer makes of
            it what a network wants).
        name: for messages.

    Attributes:
        num_classes: of the dense layer.

    Raises:
        UserError: for a model that is no such classifier.
    """

    def __init__(self, model: keras.Model, name: str) -> None:
        self._name = name
        shape = tuple(model.inputs[0].shape)
        if len(model.inputs) != 1 or len(model.outputs) != 1 or len(shape) != 4 or shape[3] not in (1, 3):
            raise UserError(f"--classifier: {name} takes no image [B, H, W, 3]: {_NEEDED}")
        self._size, self._channels = shape[1:3], shape[3]
        features, pooling, dense = _taken_apart(model, name)
        self._pool = _POOLINGS[type(pooling)]
        weights = dense.get_weights()
        self._kernel = weights[0].astype(np.float64)  # [K, classes]
        self._bias = weights[1].astype(np.float64) if dense.use_bias else np.zeros(self._kernel.shape[1])
        self.num_classes: int = self._kernel.shape[1]
        self._features = tf.function(lambda image: features(image, training=False), reduce_retracing=True)

    def features(self, image: np.ndarray) -> np.ndarray:
        """The feature maps before the pooling.

        Args:
            image: `[H, W, C]` uint8 of 1, 3 or 4 channels; it is resized bilinearly, antialiased where it shrinks, to
                the model's input size; where that is free, only if its longer side is above 512 px.

        Returns:
            `[h, w, K]` float64.

        Raises:
            BadImage: if the model cannot take images of that size, or gives values that are not finite.
        """
        image = to_channels(image, self._channels)
        shrink = min(1.0, MAX_SIDE / max(image.shape[:2]))
        height, width = (
            fixed or max(1, round(shrink * side)) for fixed, side in zip(self._size, image.shape[:2], strict=True)
        )
        batch = tf.cast(image, tf.float32)[tf.newaxis]
        if (height, width) != image.shape[:2]:
            batch = tf.image.resize(batch, (height, width), antialias=True)
        try:
            features = self._features(batch)[0].numpy().astype(np.float64)
        except (ValueError, tf.errors.InvalidArgumentError):
            raise BadImage(f"the classifier {self._name} cannot take {width}x{height} pixels") from None
        if not np.isfinite(features).all():
            raise BadImage(f"the classifier {self._name} gives values that are not finite")
        return features

    def scores(self, features: np.ndarray) -> np.ndarray:
        """`[classes]` float64: the dense layer's, before its activation, of `features`."""
        return self._pool(features, axis=(0, 1)) @ self._kernel + self._bias

    def map_of(self, features: np.ndarray, class_number: int) -> np.ndarray:
        """`[h, w]` float64: M_c of the `features` `[h, w, K]`."""
        return features @ self._kernel[:, class_number]


def seen_class(scores: np.ndarray, class_number: int | None, top: int) -> int | None:
    """The class to look for in a picture, or None if it is not seen there.

    Args:
        scores: `[classes]`, before the activation.
        class_number: None for that of the highest score.
        top: a class is seen if it is among so many with the highest scores; the only class of a classifier of one is
            if its score is above zero.
    """
    if len(scores) == 1:
        return 0 if scores[0] > 0 else None
    order = np.argsort(-scores, kind="stable")
    if class_number is None:
        return int(order[0])
    return class_number if class_number in order[:top] else None


def mask_of(activation: np.ndarray, height: int, width: int, threshold: float) -> np.ndarray:
    """The pixels in which a map, scaled bilinearly to the picture, is above a share of its maximum.

    Args:
        activation: `[h, w]`.
        height, width: of the picture.
        threshold: in [0, 1); 0.2 in section 3.2 of the paper.

    Returns:
        `[height, width]` bool; nothing of it if no place speaks for the class.
    """
    scaled = tf.image.resize(activation[..., np.newaxis].astype(np.float32), (height, width)).numpy()[..., 0]
    return scaled > max(threshold * float(scaled.max()), 0.0)


def _taken_apart(model: keras.Model, name: str) -> tuple[keras.Model, keras.Layer, keras.layers.Dense]:
    """The model up to its pooling, the pooling, and the dense layer; either may lie in a model within the model."""
    tensor, dense = model.outputs[0], None
    around: list[tuple[keras.Model, keras.KerasTensor]] = []  # models that `tensor` lies in, and what goes into them
    while True:
        layer, source = _origin(tensor)
        if isinstance(layer, keras.Model):
            around.append((layer, source))
            tensor = layer.outputs[0]
        elif isinstance(layer, keras.layers.InputLayer) and around:
            _, tensor = around.pop()
        elif type(layer) in _POOLINGS and dense is not None:
            break
        elif isinstance(layer, keras.layers.Dense) and dense is None:
            dense, tensor = layer, source
        elif isinstance(layer, _BEHIND_DENSE if dense is None else _BEFORE_DENSE):
            tensor = source
        else:
            found = f"the layer {layer.name!r} ({type(layer).__name__})"
            raise UserError(f"--classifier: {name} has {found} where its scores are made: {_NEEDED}")
    features = source
    for inner, outside in reversed(around):
        features = keras.Model(inner.inputs, features)(outside)
    return keras.Model(model.inputs, features), layer, dense


def _origin(tensor: keras.KerasTensor) -> tuple[keras.Layer, keras.KerasTensor | None]:
    """The layer that a tensor of a functional model comes from, and what went into it, if that is one tensor."""
    history = tensor._keras_history
    sources = history.operation._inbound_nodes[history.node_index].input_tensors
    return history.operation, sources[0] if len(sources) == 1 else None
