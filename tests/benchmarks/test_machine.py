"""The yardstick of the benchmarks: FLOP of networks small enough to count by hand."""

import keras
import tensorflow as tf

from benchmarks.machine import forward_flops, graph_flops

# 8x8 pixels of 3 channels -> 4x4 of 5, by a window of 4x4 -> 4x4 of 2, by a window of 3x3: two FLOP a product.
FIRST = 2 * (4 * 4 * 5) * (4 * 4 * 3)
SECOND = 2 * (4 * 4 * 2) * (3 * 3 * 5)
IMAGE = tf.TensorSpec([1, 8, 8, 3])


def first(image: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    return tf.nn.conv2d(image, kernel, 2, [[0, 0], [1, 1], [1, 1], [0, 0]])


def second(image: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    return tf.nn.conv2d(image, kernel, 1, "SAME")


def step_flops(learning: slice) -> float:
    """Of a step in which those of the two kernels learn, while a tape watches both."""
    kernels = [tf.Variable(tf.ones([4, 4, 3, 5])), tf.Variable(tf.ones([3, 3, 5, 2]))]

    @tf.function
    def step(image: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            loss = tf.reduce_sum(tf.square(second(first(image, kernels[0]), kernels[1])))
        for kernel, gradient in zip(kernels[learning], tape.gradient(loss, kernels)[learning], strict=True):
            kernel.assign_sub(gradient)
        return loss

    return graph_flops(step.get_concrete_function(IMAGE).graph)


def test_a_step_counts_forward_and_back_to_what_learns() -> None:
    # Forward; both kernels' gradients; and the one to what lies between them, which the first kernel's stands on.
    assert step_flops(slice(0, 2)) == FIRST + SECOND + FIRST + 2 * SECOND
    assert step_flops(slice(0, 1)) == FIRST + SECOND + FIRST + SECOND


def test_a_gradient_that_nobody_needs_does_not_count() -> None:
    """The first kernel's, and the one to what lies between: both are traced, and TensorFlow prunes them."""
    assert step_flops(slice(1, 2)) == FIRST + SECOND + SECOND


def test_the_forward_pass_counts_each_kind_of_layer() -> None:
    image = keras.Input((8, 8, 3))
    features = keras.layers.Conv2D(5, 4, 2, padding="same")(image)
    wider = keras.layers.Conv2DTranspose(2, 4, 2, padding="same")(features)
    scores = keras.layers.Dense(7)(keras.layers.Flatten()(features))
    network = keras.Model(image, [wider, scores])
    # A transposed convolution: each of 4x4 pixels of 5 channels spreads over a window of 4x4 pixels of 2.
    expected = FIRST + 2 * (4 * 4 * 5) * (4 * 4 * 2) + 2 * (4 * 4 * 5) * 7
    assert forward_flops(network, (1, 8, 8, 3)) == expected
    assert forward_flops(keras.Model(image, scores), (3, 8, 8, 3)) == 3 * (expected - 2 * (4 * 4 * 5) * (4 * 4 * 2))
