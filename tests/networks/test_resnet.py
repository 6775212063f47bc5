"""CycleGAN's residual generator: the authors' numbers, and what its options change."""

import functools
import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from authors_weights import assign, recorded_weights

from gan_zoo.layers.mirrored import (
    LARGEST_FILTERED_SIDE,
    ConvFromImage,
    ConvToImage,
    DoubleSizeConv2DTranspose,
    HalfSizeConv2D,
    MirroredConv2D,
    mirrored_convolution,
)
from gan_zoo.networks.resnet import resnet

RECORDED = pathlib.Path(__file__).parents[1] / "parity" / "net_G_resnet_9blocks_instance.npz"


def noise(*shape: int, seed: int = 0) -> tf.Tensor:
    return tf.constant(np.random.default_rng(seed).uniform(-1, 1, shape), keras.backend.floatx())


def test_recorded_output_of_the_authors_code() -> None:
    arrays = np.load(RECORDED)
    network = resnet(input_channels=3, output_channels=3, base_filters=4)
    assign(network, recorded_weights(arrays))
    output = network(tf.constant(arrays["input"].astype(np.float32))).numpy()
    # Recorded in float64 from weights that are exact in float32: what is left is float32's rounding in 23 layers.
    assert np.abs(output - arrays["output"]).max() < 1e-4 * np.abs(arrays["output"]).max()


@pytest.mark.parametrize(("num_blocks", "count"), [(9, 11_378_179), (6, 7_837_699)])
def test_as_many_weights_as_the_authors(num_blocks, count) -> None:
    assert resnet(input_channels=3, output_channels=3, num_blocks=num_blocks).count_params() == count


def plain_mirrored(layer: keras.layers.Layer, image: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    border = [kernel.shape[0] // 2] * 2
    padded = tf.pad(image, [[0, 0], border, border, [0, 0]], mode="REFLECT")
    return tf.nn.conv2d(padded, kernel, 1, "VALID") + layer.bias


def plain_half_size(layer: keras.layers.Layer, image: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    return tf.nn.conv2d(tf.pad(image, [[0, 0], [1, 1], [1, 1], [0, 0]]), kernel, 2, "VALID") + layer.bias


def plain_double_size(layer: keras.layers.Layer, image: tf.Tensor, kernel: tf.Tensor) -> tf.Tensor:
    batch, height, width, _ = image.shape
    size = [batch, 2 * height + 1, 2 * width + 1, kernel.shape[2]]
    return tf.nn.conv2d_transpose(image, kernel, size, 2, "VALID")[:, 1:, 1:] + layer.bias


LAYERS = [
    (ConvFromImage(6, 7), plain_mirrored, (2, 8, 6, 3)),
    (ConvToImage(3, 7), plain_mirrored, (2, 5, 8, 6)),
    (HalfSizeConv2D(6), plain_half_size, (2, 8, 6, 5)),
    (DoubleSizeConv2DTranspose(6), plain_double_size, (2, 4, 3, 5)),
    # Whole tiles of 4x4, tiles that reach over the border, and less than a tile.
    (MirroredConv2D(6), plain_mirrored, (2, 8, 12, 5)),
    (MirroredConv2D(6), plain_mirrored, (2, 7, 9, 5)),
    (MirroredConv2D(6), plain_mirrored, (1, 2, 5, 5)),
    (MirroredConv2D(6), plain_mirrored, (1, 3, 6, 5)),
]


@pytest.mark.parametrize(
    ("layer", "plain", "shape"), LAYERS, ids=[f"{type(layer).__name__}-{shape}" for layer, _, shape in LAYERS]
)
@pytest.mark.parametrize("known_sizes", [True, False])
def test_a_faster_form_of_a_convolution_computes_the_same(layer, plain, shape, known_sizes) -> None:
    layer = type(layer).from_config(layer.get_config())
    layer.build(shape)
    layer.kernel.assign(noise(*layer.kernel.shape, seed=1))
    layer.bias.assign(noise(layer.filters, seed=2))
    weighting = noise(*layer.compute_output_shape(shape), seed=3)

    def output_and_gradients(call, image: tf.Tensor) -> list[tf.Tensor]:
        sources = [image, layer.kernel.value, layer.bias.value]
        with tf.GradientTape() as tape:
            tape.watch(image)
            output = call(image)
            loss = tf.reduce_sum(output * weighting)
        return [output, *tape.gradient(loss, sources)]

    ours = functools.partial(output_and_gradients, layer)
    if not known_sizes:
        ours = tf.function(ours, input_signature=[tf.TensorSpec([None, None, None, shape[3]])], autograph=False)
    theirs = output_and_gradients(lambda image: plain(layer, image, layer.kernel.value), noise(*shape))
    for mine, reference in zip(ours(noise(*shape)), theirs, strict=True):
        # Sums of up to 294 products of size 1 in another order: float32 keeps them to about 1e-5.
        np.testing.assert_allclose(mine, reference, atol=5e-5)


def test_mirrored_convolution_in_float64_and_in_sixteen_bits() -> None:
    image, kernel = (np.random.default_rng(0).standard_normal(shape) for shape in ((1, 9, 8, 5), (3, 3, 5, 6)))
    padded = np.pad(image, [(0, 0), (1, 1), (1, 1), (0, 0)], mode="reflect")
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    exact = np.einsum("bhwcij,ijcf->bhwf", windows, kernel)
    # The matrices of the six points are 1 to 3 in size: little is lost on the way there and back.
    np.testing.assert_allclose(mirrored_convolution(tf.constant(image), tf.constant(kernel)), exact, atol=1e-13)
    layer = MirroredConv2D(6, dtype=keras.DTypePolicy("mixed_bfloat16"))
    layer.build(image.shape)
    layer.kernel.assign(kernel)
    # A bfloat16 has 8 bits: 0.4 % of sums of 45 products of size 1, about 7.
    np.testing.assert_allclose(tf.cast(layer(tf.constant(image)), tf.float64), exact, atol=0.15)


@pytest.mark.parametrize(
    ("height", "width", "filtered"),
    [
        (8, LARGEST_FILTERED_SIDE, True),
        (LARGEST_FILTERED_SIDE, 8, True),
        (8, LARGEST_FILTERED_SIDE + 4, False),
        (LARGEST_FILTERED_SIDE + 4, 8, False),
        (8, None, False),
        (None, 8, False),
    ],
)
def test_minimal_filtering_is_for_small_known_sizes(height, width, filtered) -> None:
    layer = MirroredConv2D(3)
    layer.build((None, height, width, 2))
    layer.kernel.assign(noise(3, 3, 2, 3, seed=1))
    # Whatever the batch is.
    call = tf.function(layer.call, input_signature=[tf.TensorSpec([None, height, width, 2])], autograph=False)
    operations = {operation.type for operation in call.get_concrete_function().graph.get_operations()}
    assert ("Conv2D" not in operations) == filtered
    image = noise(2, height or 8, width or 8, 2)
    # Sums of 18 products of size 1 in another order.
    np.testing.assert_allclose(call(image), plain_mirrored(layer, image, layer.kernel.value), atol=5e-6)


@pytest.mark.parametrize(
    ("norm", "bias_count"), [("instance", 4 + 8 + 16 * 5 + 8 + 4), ("batch", 0), ("layer", 0), ("none", 0)]
)
def test_norms_and_their_biases(norm, bias_count) -> None:
    network = resnet(input_channels=3, output_channels=2, num_blocks=2, base_filters=4, norm=norm)
    kernels = 49 * 4 * (3 + 2) + 2 * 9 * (4 * 8 + 8 * 16) + 4 * 9 * 16 * 16
    normalized = 4 + 8 + 16 * 5 + 8 + 4
    scales = 2 * normalized if norm in ("batch", "layer") else 0
    assert sum(v.value.shape.num_elements() for v in network.trainable_variables) == kernels + bias_count + scales + 2
    with tf.GradientTape() as tape:
        output = network(noise(2, 16, 24, 3), training=True)
        loss = tf.reduce_mean(tf.square(output - 0.5))
    assert output.shape == (2, 16, 24, 2) and np.abs(output).max() <= 1
    for variable, gradient in zip(
        network.trainable_variables, tape.gradient(loss, network.trainable_variables), strict=True
    ):
        assert gradient is not None and np.isfinite(gradient).all(), variable.path
        assert np.any(gradient) or (norm == "instance" and "bias" in variable.path), variable.path


@pytest.mark.parametrize("upsampling", ["transposed", "bilinear"])
@pytest.mark.parametrize("size", [(8, 8), (12, 20)])
def test_any_multiple_of_four(upsampling, size) -> None:
    network = resnet(input_channels=1, output_channels=1, num_blocks=1, base_filters=4, upsampling=upsampling)
    image = noise(2, *size, 1)
    output = network(image)
    assert output.shape == image.shape
    # Neither image depends on the other.
    np.testing.assert_allclose(network(image[1:]), output[1:], atol=1e-5)


def test_a_resized_constant_shows_no_checkerboard() -> None:
    def spread(upsampling: str) -> float:
        keras.utils.set_random_seed(0)  # with four filters and no norm other weights may leave nothing but zeros
        network = resnet(
            input_channels=1,
            output_channels=1,
            num_blocks=0,
            base_filters=4,
            norm="none",
            upsampling=upsampling,
            init_type="kaiming",
        )
        # Far from the border's zeros every pixel of a constant image sees the same.
        inner = network(tf.fill([1, 64, 64, 1], 0.5))[:, 24:40, 24:40]
        return float(tf.reduce_max(inner) - tf.reduce_min(inner)) / float(tf.reduce_max(tf.abs(inner)))

    assert spread("bilinear") < 1e-5
    assert spread("transposed") > 1e-2


def test_dropout_is_a_function_of_the_seed() -> None:
    def network(inference_mode: str) -> keras.Model:
        keras.utils.set_random_seed(0)
        kwargs = {"num_blocks": 2, "base_filters": 4, "dropout": True, "inference_mode": inference_mode}
        return resnet(input_channels=1, output_channels=1, init_type="kaiming", **kwargs)

    image, seeds = noise(1, 16, 16, 1), [tf.constant([seed], tf.int64) for seed in (1, 2)]
    dropping, still = network("train"), network("eval")
    first, second = (dropping([image, seed]).numpy() for seed in seeds)
    np.testing.assert_array_equal(first, dropping([image, seeds[0]]))
    assert np.abs(first - second).max() > 1e-2
    np.testing.assert_array_equal(still([image, seeds[0]]), still([image, seeds[1]]))
    np.testing.assert_array_equal(still([image, seeds[0]], training=True), first)
    both = dropping([tf.repeat(image, 2, axis=0), tf.concat(seeds, axis=0)]).numpy()
    np.testing.assert_allclose(both, np.concatenate([first, second]), atol=1e-5)


@pytest.mark.parametrize(
    "argument",
    [
        {"upsampling": "nearest"},
        {"num_blocks": -1},
        {"norm": "group"},
        {"norm": "spectral"},
        {"inference_mode": "test"},
    ],
)
def test_wrong_arguments_are_named(argument) -> None:
    with pytest.raises(ValueError, match="Received: "):
        resnet(input_channels=3, output_channels=3, **argument)


def test_config_round_trip() -> None:
    for layer, _, _ in LAYERS[:5]:
        assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()
