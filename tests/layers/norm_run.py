"""Norms and an encoder on one device and on two logical CPUs; prints what differs; run by test_normalization."""

import json

import keras
import numpy as np
import tensorflow as tf
from narrow_backbones import tiny_classifier

from gan_zoo.layers.normalization import BatchNorm, SpectralConv2D
from gan_zoo.learning.losses import gradient_penalty
from gan_zoo.networks import backbones

CHANNELS = 3
RESULTS = ("output", "to_image", "to_gamma", "to_beta", "penalty_to_image", "penalty_to_gamma", "penalty_to_beta")
RESULTS += ("feature", "to_kernel")
SUMS = ("to_gamma", "to_beta", "penalty_to_gamma", "penalty_to_beta", "to_kernel")
backbones._BACKBONES["tiny"] = backbones._Backbone(tiny_classifier)


def build() -> list[keras.layers.Layer]:
    keras.utils.set_random_seed(0)
    layers = [BatchNorm(gamma_gain=0.5, name="norm"), SpectralConv2D(4, 3, name="conv")]
    for layer in layers:
        layer.build((None, None, None, CHANNELS))
    return [*layers, backbones.encoder("tiny", input_channels=CHANNELS, image_size=32)]


def step(layers: list[keras.layers.Layer], image: tf.Tensor, weighting: tf.Tensor) -> list[tf.Tensor]:
    """The output and the gradients of a weighting of it, which knows each value from the others."""
    norm, conv, encoder = layers
    with tf.GradientTape() as tape:
        tape.watch(image)
        output = norm(image, training=True)
        conv(output, training=True)
        loss = tf.reduce_sum(weighting * tf.square(output))
    gradients = tape.gradient(loss, [image, norm.gamma.value, norm.beta.value])
    with tf.GradientTape() as tape:
        feature = encoder(image, training=True)[1]
        loss = tf.reduce_sum(tf.square(feature))
    to_kernel = tape.gradient(loss, encoder.layers[-1].get_layer("first").kernel.value)
    return [output, *gradients, *penalty(norm, image, weighting), feature, to_kernel]


def penalty(norm: BatchNorm, image: tf.Tensor, weighting: tf.Tensor) -> list[tf.Tensor]:
    """Of each image the penalty's gradients: the second derivatives of the statistics of all images."""

    def critic(mixture: tf.Tensor) -> tf.Tensor:
        return weighting * tf.tanh(norm(mixture, training=True))

    with tf.GradientTape() as tape:
        tape.watch(image)
        # A sum over the images, of which the replicas have different ones.
        images = image.shape[0]
        loss = images * gradient_penalty(critic, image, 1.0 - image, tf.fill([images], 0.75))
    return tape.gradient(loss, [image, norm.gamma.value, norm.beta.value])


def main() -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    random = np.random.default_rng(0)
    # The halves differ in mean and size: statistics of one half are far from those of both.
    halves = np.array([1.0, 1.0, 4.0, 4.0])[:, None, None, None]
    image = tf.constant(halves * (random.standard_normal((4, 5, 6, CHANNELS)) + halves), tf.float32)
    weighting = tf.constant(random.standard_normal(image.shape), tf.float32)

    one = build()
    expected = [array.numpy() for array in step(one, image, weighting)]

    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        layers = build()

    def share(context) -> tuple[tf.Tensor, tf.Tensor]:
        part = slice(2 * context.replica_id_in_sync_group, 2 * context.replica_id_in_sync_group + 2)
        return image[part], weighting[part]

    shares = strategy.experimental_distribute_values_from_function(share)
    results = tf.function(lambda given: strategy.run(lambda *part: step(layers, *part), given))(shares)
    differences = {}
    for name, result, theirs in zip(RESULTS, results, expected, strict=True):
        parts = [part.numpy() for part in strategy.experimental_local_results(result)]
        ours = sum(parts) if name in SUMS else np.concatenate(parts)
        differences[name] = float(abs(ours - theirs).max() / abs(theirs).max())
    replicas_equal = True
    for layer, single in zip(layers, one, strict=True):
        for variable, theirs in zip(layer.non_trainable_variables, single.non_trainable_variables, strict=True):
            first, second = (copy.numpy() for copy in variable.value.values)
            replicas_equal &= np.array_equal(first, second)
            name = variable.name if layer is not layers[-1] else f"encoder_{variable.name}"
            differences[name] = float(abs(first - theirs.numpy()).max() / abs(theirs.numpy()).max())
    print(json.dumps({"differences": differences, "replicas_equal": bool(replicas_equal)}))


if __name__ == "__main__":
    main()
