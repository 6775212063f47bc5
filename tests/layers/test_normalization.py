"""The norms against Keras' layers, arrays recorded from PyTorch, and closed forms in numpy."""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from own_process import run_script

from gan_zoo.layers.normalization import (
    DISCRIMINATOR_NORMS,
    NORMS,
    BatchNorm,
    InstanceNorm,
    LayerNorm,
    SpectralConv2D,
    make_norm,
    norm_has_bias,
)
from gan_zoo.pretrained.torch_layout import to_keras_layout

TESTS = pathlib.Path(__file__).parents[1]


def noise(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def built(layer: keras.layers.Layer, channels: int) -> keras.layers.Layer:
    """With a scale and an offset that tell the channels apart."""
    layer.build((None, None, None, channels))
    layer.gamma.assign(np.linspace(0.5, 2.0, channels))
    layer.beta.assign(np.linspace(-1.0, 1.0, channels))
    return layer


def normalized(image: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    return (image - image.mean(axes, keepdims=True)) / np.sqrt(image.var(axes, keepdims=True) + 1e-5)


def with_scale(image: np.ndarray) -> np.ndarray:
    channels = image.shape[-1]
    return image * np.linspace(0.5, 2.0, channels) + np.linspace(-1.0, 1.0, channels)


def test_batch_norm_in_training_is_kerass_with_pytorchs_epsilon() -> None:
    ours = built(BatchNorm(dtype="float64"), 3)
    keras_own = built(keras.layers.BatchNormalization(epsilon=1e-5, momentum=0.9, dtype="float64"), 3)
    image, weighting = tf.constant(2.0 + 3.0 * noise(4, 5, 6, 3)), tf.constant(noise(4, 5, 6, 3, seed=1))
    results = []
    for layer in (ours, keras_own):
        with tf.GradientTape() as tape:
            tape.watch(image)
            output = layer(image, training=True)
            loss = tf.reduce_sum(weighting * tf.square(output))
        results.append([output, *tape.gradient(loss, [image, layer.gamma.value, layer.beta.value])])
    for mine, theirs in zip(*results, strict=True):
        assert mine.dtype == tf.float64
        np.testing.assert_allclose(mine, theirs, rtol=1e-10, atol=1e-10)  # float64's rounding


def test_running_statistics_are_pytorchs() -> None:
    layer = built(BatchNorm(dtype="float64"), 3)
    mean, variance = np.zeros(3), np.ones(3)
    for step in range(2):
        image = 2.0 + 3.0 * noise(2, 3, 2, 3, seed=step)
        layer(tf.constant(image), training=True)
        mean = 0.9 * mean + 0.1 * image.mean((0, 1, 2))
        variance = 0.9 * variance + 0.1 * image.var((0, 1, 2), ddof=1)  # unbiased: 12 values, a difference of 9 %
    np.testing.assert_allclose(layer.moving_mean, mean, rtol=1e-12)
    np.testing.assert_allclose(layer.moving_variance, variance, rtol=1e-12)
    expected = with_scale((image - mean) / np.sqrt(variance + 1e-5))
    np.testing.assert_allclose(layer(tf.constant(image)), expected, rtol=1e-10)
    np.testing.assert_allclose(layer.moving_mean, mean, rtol=1e-12)


def test_by_its_own_statistics_an_image_is_normalized_as_a_batch_of_one() -> None:
    layer = built(BatchNorm(inference="image", dtype="float64"), 3)
    image = np.arange(1.0, 4.0)[:, None, None, None] * (noise(3, 4, 5, 3) + 1.0)
    outside = layer(tf.constant(image)).numpy()
    np.testing.assert_allclose(outside, with_scale(normalized(image, (1, 2))), rtol=1e-10, atol=1e-12)
    np.testing.assert_array_equal(layer.moving_mean, np.zeros(3))
    for index in range(3):
        alone = layer(tf.constant(image[index : index + 1]), training=True)
        np.testing.assert_allclose(outside[index : index + 1], alone, rtol=1e-10, atol=1e-12)


def test_batch_norm_of_one_value_is_finite() -> None:
    layer = built(BatchNorm(), 2)
    np.testing.assert_allclose(layer(tf.constant([[[[3.0, 4.0]]]]), training=True), [[[[-1.0, 1.0]]]], atol=1e-5)
    assert np.isfinite(layer.moving_variance).all()


def test_gamma_starts_around_one() -> None:
    keras.utils.set_random_seed(0)
    layer = BatchNorm(gamma_gain=0.02)
    layer.build((None, None, None, 4096))
    # The deviation of 4,096 draws is known to 1.1 %, their mean to 0.0003.
    assert layer.gamma.numpy().mean() == pytest.approx(1.0, abs=0.0012)
    assert layer.gamma.numpy().std() == pytest.approx(0.02, rel=0.05)
    assert not layer.beta.numpy().any()


@pytest.fixture(scope="module")
def two_devices() -> dict:
    """What `norm_run.py` prints."""
    return run_script("layers/norm_run.py")


def test_two_devices_normalize_as_one(two_devices) -> None:
    names = {"output", "to_image", "to_gamma", "to_beta", "moving_mean", "moving_variance", "u", "v"}
    names |= {"penalty_to_image", "penalty_to_gamma", "penalty_to_beta"}
    names |= {"feature", "to_kernel", "encoder_moving_mean", "encoder_moving_variance"}
    assert set(two_devices["differences"]) == names
    for name, difference in two_devices["differences"].items():
        # Sums of 120 values in another order; statistics of half the batch would differ by more than a half.
        assert difference < 2e-5, name
    assert two_devices["replicas_equal"]


def test_layer_norm_is_group_norm_of_one_group() -> None:
    layer = built(LayerNorm(dtype="float64"), 3)
    image = 2.0 + 3.0 * noise(2, 4, 5, 3)
    output = layer(tf.constant(image))
    np.testing.assert_allclose(output, with_scale(normalized(image, (1, 2, 3))), rtol=1e-10, atol=1e-12)
    group_norm = built(keras.layers.GroupNormalization(groups=1, epsilon=1e-5, dtype="float64"), 3)
    np.testing.assert_allclose(output, group_norm(tf.constant(image)), rtol=1e-10, atol=1e-10)


def test_instance_norm_may_scale_and_shift() -> None:
    layer = built(InstanceNorm(1e-6, affine=True, dtype="float64"), 3)
    image = 2.0 + 3.0 * noise(2, 4, 5, 3)
    centered = image - image.mean((1, 2), keepdims=True)
    expected = with_scale(centered / np.sqrt((centered**2).mean((1, 2), keepdims=True) + 1e-6))
    np.testing.assert_allclose(layer(tf.constant(image)), expected, rtol=1e-10, atol=1e-12)
    plain = InstanceNorm()
    plain.build((None, None, None, 3))
    assert not plain.variables
    start = InstanceNorm(affine=True, gamma_deviation=0.0)
    np.testing.assert_array_equal(start(tf.constant(image, tf.float32)), plain(tf.constant(image, tf.float32)))


@pytest.mark.parametrize(
    "make",
    [BatchNorm, lambda **kwargs: BatchNorm(inference="image", **kwargs), LayerNorm],
    ids=["batch", "image", "layer"],
)
def test_statistics_stay_in_float32(make) -> None:
    # In bfloat16 the variance of such an image would drown in its mean.
    image = tf.cast(noise(1, 16, 16, 2) + 100.0, tf.bfloat16)
    half = built(make(dtype=keras.dtype_policies.DTypePolicy("mixed_bfloat16")), 2)
    training = {"training": half.inference == "running"} if isinstance(half, BatchNorm) else {}
    output = half(image, **training)
    assert output.dtype == tf.bfloat16 and all(variable.dtype == "float32" for variable in half.variables)
    expected = with_scale(
        normalized(tf.cast(image, tf.float64).numpy(), (1, 2, 3) if type(half) is LayerNorm else (1, 2))
    )
    # bfloat16 holds 8 bits of the result.
    np.testing.assert_allclose(tf.cast(output, tf.float64), expected, rtol=2**-8, atol=1e-4)


@pytest.mark.parametrize(
    "layer", [BatchNorm(dtype="float64"), InstanceNorm(dtype="float64"), LayerNorm(dtype="float64")]
)
def test_second_derivatives(layer) -> None:
    # A gradient penalty is differentiated again; of `tf.nn.moments` only the first derivative is right.
    image, weighting, along, direction = (tf.constant(noise(2, 4, 4, 3, seed=seed) + 0.5) for seed in range(4))
    training = {"training": True} if isinstance(layer, BatchNorm) else {}

    def slope(at: tf.Tensor) -> tf.Tensor:
        with tf.GradientTape() as tape:
            tape.watch(at)
            loss = tf.reduce_sum(weighting * tf.tanh(layer(at, **training)))
        return tf.reduce_sum(along * tape.gradient(loss, at))

    with tf.GradientTape() as tape:
        tape.watch(image)
        value = slope(image)
    second = float(tf.reduce_sum(tape.gradient(value, image) * direction))
    step = 1e-5 * direction
    # Central differences in float64: an error of step^2 and of 1e-16 / step.
    assert second == pytest.approx(float(slope(image + step) - slope(image - step)) / 2e-5, rel=1e-6)


class Recorded:
    """`torch.nn.utils.spectral_norm(torch.nn.Conv2d(3, 5, 4, stride=2, padding=1)).double()`, PyTorch 2.15.

    From `weight`, `bias`, `u` and `input`: two forward and backward passes in training on sum(output * `weighting`),
    then the weight was set to `changed_weight` and an output computed in evaluation mode.
    """

    def __init__(self) -> None:
        self.arrays = np.load(TESTS / "parity" / "spectral_norm.npz")
        self.layer = SpectralConv2D(5, 4, strides=2, padding="same", dtype="float64")
        self.layer.build((None, 8, 8, 3))
        self.set_kernel("weight")
        self.layer.bias.assign(self["bias"])
        self.layer.u.assign(self["u"])

    def __getitem__(self, key: str) -> np.ndarray:
        return self.arrays[key].astype(np.float64)

    def set_kernel(self, key: str) -> None:
        self.layer.kernel.assign(to_keras_layout(self[key]))


def test_spectral_norm_is_pytorchs() -> None:
    recorded = Recorded()
    layer, image = recorded.layer, tf.constant(recorded["input"])
    for step in (0, 1):
        with tf.GradientTape() as tape:
            tape.watch(image)
            output = layer(image, training=True)
            loss = tf.reduce_sum(output * recorded["weighting"])
        to_kernel, to_image = tape.gradient(loss, [layer.kernel.value, image])
        # float64 on both sides.
        np.testing.assert_allclose(output, recorded[f"output/{step}"], atol=1e-10)
        np.testing.assert_allclose(
            to_kernel, to_keras_layout(recorded[f"grad_weight/{step}"]), atol=1e-10, err_msg=str(step)
        )
        np.testing.assert_allclose(to_image, recorded[f"grad_input/{step}"], atol=1e-10)
        np.testing.assert_allclose(layer.u, recorded[f"u/{step}"], atol=1e-10)
    np.testing.assert_array_equal(layer.kernel, to_keras_layout(recorded["weight"]))
    recorded.set_kernel("changed_weight")
    np.testing.assert_allclose(layer(image), recorded["output/eval"], atol=1e-10)
    np.testing.assert_allclose(layer.u, recorded["u/1"], atol=1e-10)


def test_spectral_norm_finds_the_largest_singular_value() -> None:
    layer = SpectralConv2D(6, 3, use_bias=False)
    image = tf.constant(noise(1, 3, 3, 4), tf.float32)
    for _ in range(100):
        layer(image, training=True)
    largest = np.linalg.norm(layer.kernel.numpy().reshape(-1, 6), ord=2)
    plain = tf.nn.conv2d(image, layer.kernel, 1, "VALID") / largest
    np.testing.assert_allclose(layer(image), plain, rtol=1e-3, atol=1e-4)


def test_spectral_norm_before_any_training_divides_by_about_that_value() -> None:
    layer = SpectralConv2D(16, 4)
    layer.build((None, 8, 8, 8))
    matrix = layer.kernel.numpy().reshape(-1, 16)
    sigma = float(layer.v.numpy() @ matrix @ layer.u.numpy())
    assert 0.3 < sigma / np.linalg.norm(matrix, ord=2) <= 1.0 + 1e-5
    image = tf.cast(noise(1, 8, 8, 8), tf.bfloat16)
    half = SpectralConv2D(16, 4, dtype=keras.dtype_policies.DTypePolicy("mixed_bfloat16"))
    assert half(image, training=True).dtype == tf.bfloat16 and half.u.dtype == half.kernel.dtype == "float32"


@pytest.mark.parametrize(
    ("norm", "layer_class", "has_bias"),
    [
        ("batch", BatchNorm, False),
        ("instance", InstanceNorm, True),
        ("layer", LayerNorm, False),
        ("none", type(None), False),
        ("spectral", type(None), True),
    ],
)
def test_norms_by_name(norm, layer_class, has_bias) -> None:
    layer = make_norm(norm, name="norm_1", gamma_gain=0.1, inference="image")
    assert type(layer) is layer_class and norm_has_bias(norm) == has_bias
    assert norm in DISCRIMINATOR_NORMS and (norm in NORMS) == (norm != "spectral")
    if layer is not None:
        assert layer.name == "norm_1" and layer.epsilon == 1e-5
    if norm == "batch":
        assert (layer.gamma_gain, layer.inference, layer.momentum) == (0.1, "image", 0.1)


@pytest.mark.parametrize(
    "layer",
    [
        BatchNorm(1e-3, 0.2, 0.5, "image"),
        LayerNorm(1e-3),
        InstanceNorm(1e-3, affine=True, gamma_deviation=0.5),
        SpectralConv2D(4, 3, strides=2, use_bias=False),
    ],
)
def test_config_round_trip(layer) -> None:
    assert type(layer).from_config(layer.get_config()).get_config() == layer.get_config()


@pytest.mark.parametrize(
    "build",
    [
        lambda: BatchNorm(momentum=0.0),
        lambda: BatchNorm(inference="batch"),
        lambda: LayerNorm(epsilon=0.0),
        lambda: make_norm("group", name="norm"),
    ],
)
def test_wrong_arguments_are_named(build) -> None:
    with pytest.raises(ValueError, match="Received: "):
        build()
