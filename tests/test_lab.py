"""Lab against scikit-image's numbers, and gradients that stay finite where the curves have kinks."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf

from gan_zoo.lab import from_network, grey_to_network, lab_to_rgb, rgb_to_lab, to_grey, to_network

RECORDED = np.load(pathlib.Path(__file__).parent / "parity" / "lab.npz")


def scaled(rgb: np.ndarray) -> np.ndarray:
    """uint8 -> [-1, 1]."""
    return rgb / 127.5 - 1


def random_lab(*shape: int) -> np.ndarray:
    """Colours in and out of gamut."""
    low, high = [0, -128, -128], [100, 128, 128]
    return np.random.default_rng(0).uniform(low, high, [*shape, 3])


@pytest.mark.parametrize(("dtype", "lab_error", "rgb_error"), [(np.float32, 3e-4, 2e-5), (np.float64, 1e-9, 1e-9)])
def test_scikit_images_numbers_are_met(dtype: type, lab_error: float, rgb_error: float) -> None:
    # Wanted are 1e-3 in Lab and 1/255 in RGB (1 here is half of its range). Seen in float32: 8e-5, 6e-6.
    lab = rgb_to_lab(scaled(RECORDED["rgb"]).astype(dtype)).numpy()
    assert lab.dtype == dtype
    np.testing.assert_allclose(lab, RECORDED["lab"], rtol=0, atol=lab_error)
    for given, expected in (("lab", "rgb_back"), ("lab_out_of_gamut", "rgb_of_out_of_gamut")):
        rgb = lab_to_rgb(RECORDED[given].astype(dtype)).numpy()
        assert rgb.dtype == dtype
        np.testing.assert_allclose((rgb + 1) / 2, RECORDED[expected], rtol=0, atol=rgb_error)


def test_every_byte_comes_back() -> None:
    values = np.array([*range(0, 256, 15)], np.uint8)
    cube = np.stack(np.meshgrid(values, values, values), -1)  # any number of axes
    back = lab_to_rgb(rgb_to_lab(scaled(cube).astype(np.float32)))
    np.testing.assert_array_equal(np.round((back + 1) * 127.5), cube)


def test_known_colours() -> None:
    lab = rgb_to_lab(tf.constant([[-1.0, -1, -1], [1, 1, 1], [1, -1, -1], [0, 0, 0]])).numpy()
    # Black, white, red (53.24, 80.09, 67.20 in every table of sRGB) and a grey, which has no colour.
    expected = [[0, 0, 0], [100, 0, 0], [53.24, 80.09, 67.20], [53.39, 0, 0]]
    np.testing.assert_allclose(lab, expected, atol=0.01)


def test_colours_that_the_screen_has_not_are_clipped() -> None:
    rgb = lab_to_rgb(random_lab(1000)).numpy()
    assert rgb.min() == -1 and rgb.max() == 1


def test_the_networks_see_all_between_minus_one_and_one() -> None:
    lab = tf.constant([[[[0.0, -110, 110], [100, 55, 0]]]])
    lightness, ab = to_network(lab)
    np.testing.assert_array_equal(lightness, [[[[-1], [1]]]])
    np.testing.assert_array_equal(ab, [[[[-1, 1], [0.5, 0]]]])
    np.testing.assert_allclose(from_network(lightness, ab), lab, atol=1e-5)


KINK = 2 * 0.04045 - 1


@pytest.mark.parametrize("level", [-1.5, -1.0, KINK - 1e-6, KINK, KINK + 1e-6, 0.0, 1.0, 1.5])
def test_gradients_to_lab_are_finite(level: float) -> None:
    levels = tf.constant(np.stack(np.meshgrid([level, -1.0, 0.3], [level, -1.0, 0.3], [level]), -1), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(levels)
        lab = rgb_to_lab(levels)
    gradient = tape.gradient(lab, levels).numpy()
    assert np.isfinite(gradient).all() and np.abs(gradient).max(initial=0) < 1e5
    assert np.isfinite(lab).all()


@pytest.mark.parametrize("lightness", [-5.0, 0.0, 8.0, 7.9996, 50.0, 100.0, 120.0])
def test_gradients_to_rgb_are_finite(lightness: float) -> None:
    ab = np.linspace(-220, 220, 9)
    lab = tf.constant(np.stack(np.meshgrid([lightness], ab, ab), -1), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(lab)
        rgb = lab_to_rgb(lab)
    gradient = tape.gradient(rgb, lab).numpy()
    assert np.isfinite(gradient).all() and np.isfinite(rgb).all()


@pytest.mark.parametrize("function", [rgb_to_lab, lab_to_rgb])
def test_gradients_are_those_of_the_curves(function) -> None:
    """Against differences of the values, on colours well within the gamut and within each branch."""
    rgb = tf.constant([[0.4, 0.1, 0.2], [-0.93, -0.94, -0.95], [-0.6, 0.3, 0.1]], tf.float64)
    point = rgb if function is rgb_to_lab else rgb_to_lab(rgb)
    with tf.GradientTape() as tape:
        tape.watch(point)
        value = function(point)
    jacobian = tape.batch_jacobian(value, point).numpy()  # [colour, out, in]
    for channel in range(3):
        step = np.eye(3)[channel] * 1e-6
        difference = (function(point + step) - function(point - step)).numpy() / 2e-6
        np.testing.assert_allclose(jacobian[..., channel], difference, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize(("dtype", "error"), [(np.float32, 1e-6), (np.float64, 1e-14)])
def test_grey_has_the_lightness_of_what_it_was(dtype: type, error: float) -> None:
    colours = scaled(RECORDED["rgb"]).astype(dtype)
    grey = to_grey(colours)
    lightness, _ = to_network(rgb_to_lab(colours))
    assert grey.dtype == dtype and grey.shape == (*colours.shape[:-1], 1)
    # In L / 50: float32 keeps seven digits of L, and of the light that it is the root of.
    np.testing.assert_allclose(grey_to_network(grey), lightness, rtol=0, atol=error)
    np.testing.assert_allclose(to_network(rgb_to_lab(tf.repeat(grey, 3, -1)))[0], lightness, rtol=0, atol=error)
    np.testing.assert_allclose(to_grey(tf.repeat(grey, 3, -1)), grey, rtol=0, atol=error)  # grey stays as it is


def test_half_precision_is_widened() -> None:
    grey = tf.constant([[0.0, 0, 0]], tf.bfloat16)
    assert rgb_to_lab(grey).dtype == tf.float32
    assert lab_to_rgb(tf.constant([[50.0, 0, 0]], tf.float16)).dtype == tf.float32


class Colours(tf.Module):
    @tf.function(input_signature=[tf.TensorSpec([None, None, None, 3])])
    def __call__(self, image: tf.Tensor) -> tf.Tensor:
        lightness, ab = to_network(rgb_to_lab(image))
        return lab_to_rgb(from_network(lightness, 0.3 * ab))


def test_graphs_and_exported_models_compute_the_same(tmp_path) -> None:
    image = tf.constant(scaled(RECORDED["rgb"]), tf.float32)[tf.newaxis]
    lightness, ab = to_network(rgb_to_lab(image))
    expected = lab_to_rgb(from_network(lightness, 0.3 * ab))
    tf.saved_model.save(Colours(), str(tmp_path))
    exported = tf.saved_model.load(str(tmp_path))
    # Another order of rounding is all that a graph may bring.
    np.testing.assert_allclose(exported(image), expected, atol=2e-5)
    assert exported(image[:, :5, :7]).shape == (1, 5, 7, 3)
