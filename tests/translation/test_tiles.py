"""Large pictures in parts: the same as the whole, however they are cut."""

import functools

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_run import small, with_large_weights

from gan_zoo.images import to_float, to_uint8
from gan_zoo.models.base import Translator
from gan_zoo.translation import memory, tiles, translating
from gan_zoo.translation.borders import crop_back, pad_to_multiple
from gan_zoo.translation.tiles import tiled, tiled_picture

RANDOM = np.random.default_rng(0)


def picture(*shape: int) -> np.ndarray:
    return RANDOM.integers(0, 256, shape, np.uint8)


def local_network(radius: int) -> keras.Model:
    """Sees `radius` pixels to each side, with zeros around the picture, and counts them differently."""
    image = keras.Input((None, None, 3))
    kernel = keras.initializers.RandomNormal(stddev=0.3 / radius, seed=1)
    x = keras.layers.Conv2D(2, 2 * radius + 1, padding="same", kernel_initializer=kernel)(image)
    return keras.Model(image, keras.ops.tanh(x))


@pytest.mark.parametrize("size", [(40, 40), (41, 67), (20, 90), (12, 12), (23, 24), (24, 25), (200, 9)])
def test_parts_make_up_the_whole(size) -> None:
    network = local_network(3)
    image = tf.constant(RANDOM.uniform(-1, 1, (2, *size, 3)), tf.float32)
    sizes = set()

    def noted(part: tf.Tensor) -> tf.Tensor:
        if part.shape[1] is not None:
            sizes.add(tuple(part.shape[1:3]))
        return network(part)

    made = tiled(noted, image, overlap=3, window=24)
    np.testing.assert_allclose(made, network(image), atol=1e-6)  # float32, sums in another order
    assert sizes == {(min(size[0], 24), min(size[1], 24))}  # one size: a network is prepared for it once
    assert made.dtype == tf.float32 and made.shape == (2, *size, 2)


def test_with_too_small_an_overlap_they_would_not() -> None:
    network = local_network(3)
    image = tf.constant(RANDOM.uniform(-1, 1, (1, 60, 60, 3)), tf.float32)
    difference = np.abs(tiled(network, image, overlap=2, window=24) - network(image)).max((0, 3))
    assert difference.max() > 0.01 and (difference > 1e-6).mean() < 0.5


def test_a_narrow_window_grows_with_what_is_looked_at() -> None:
    network = local_network(9)
    image = tf.constant(RANDOM.uniform(-1, 1, (1, 50, 120, 3)), tf.float32)
    np.testing.assert_allclose(
        tiled(network, image, overlap=9, window=8), network(image), atol=1e-5
    )  # of a thousand terms


def test_parts_begin_at_multiples() -> None:
    """A network that halves its image sees other pixels together when a part begins at an odd one."""
    image = keras.Input((None, None, 3))
    x = keras.layers.Conv2D(4, 4, strides=4, kernel_initializer="random_normal")(image)
    x = keras.layers.Conv2DTranspose(2, 4, strides=4, kernel_initializer="random_normal")(x)
    network = keras.Model(image, x)
    pictures = tf.constant(RANDOM.uniform(-1, 1, (1, 44, 92, 3)), tf.float32)
    made = tiled(network, pictures, overlap=3, size_multiple=4, window=22)
    np.testing.assert_allclose(made, network(pictures), atol=1e-6)


def srgan(norm: str, scale: int) -> Translator:
    """A translator with weights so large that neighbours far away count."""
    model = with_large_weights(small("srgan", norm=norm, scale=scale))
    for variable in model.generator.variables:
        if "variance" in variable.path:
            variable.assign(0.5 + tf.random.stateless_uniform(variable.shape, [1, 2], dtype=variable.dtype))
    return model.translators["translate"]


@pytest.mark.parametrize(("norm", "scale"), [("batch", 2), ("none", 4)])
def test_a_large_photo_comes_out_of_srgan_the_same(norm, scale, float64) -> None:
    translator = srgan(norm, scale)
    image = tf.cast(to_float(picture(1, 70, 101, 3)), tf.float64)
    whole = translator.function(image)
    made = tiled(translator.function, image, overlap=translator.tile_overlap, scale=scale, window=48 * scale)
    assert whole.shape == made.shape == (1, 70 * scale, 101 * scale, 3) and np.std(whole) > 0.1
    np.testing.assert_allclose(made, whole, rtol=0, atol=1e-12)
    # And no sooner: the overlap is not larger than it has to be, but for what a whole pixel has to be rounded up to.
    nearer = tiled(translator.function, image, overlap=translator.tile_overlap - 2, scale=scale, window=48 * scale)
    assert np.abs(nearer - whole).max() > 1e-9


def test_photos_are_translated_in_parts_to_the_last_level(monkeypatch) -> None:
    translator, image, parts = srgan("batch", 4), picture(1, 70, 101, 3), []
    whole = to_uint8(translator.function(to_float(image))).numpy()
    monkeypatch.setattr(translating, "tiled", functools.partial(tiled, window=48 * 4))
    monkeypatch.setattr(tiles._Cuts, "of", _noting(parts, tiles._Cuts.of))
    compiled = tf.function(lambda image: translating.translate(translator, image))
    for translate in (functools.partial(translating.translate, translator), compiled):
        difference = np.abs(translate(tf.constant(image)).numpy().astype(int) - whole)
        # In float32, of 340,000 numbers those that lay within 1e-5 or so of the middle between two levels.
        assert difference.max() <= 1 and np.count_nonzero(difference) <= 20
    assert len(parts) >= 12


def test_a_photo_that_would_not_fit_as_a_whole_is_not_refused() -> None:
    """4000x3000 px at four times the size, through 64 filters: features at full size would take 49 GB."""
    (translator,) = small("srgan", scale=4, base_filters=64).translators.values()
    need = 4000 * 3000 * memory.bytes_per_pixel(translator)
    assert 16 * 3 * 4000 * 3000 < need < 1e9


@pytest.mark.parametrize(("size", "multiple"), [((40, 67), 1), ((12, 90), 1), ((41, 66), 4), ((13, 9), 4)])
def test_one_picture_in_python_is_put_together_as_in_a_graph(size, multiple) -> None:
    network, image = local_network(3), picture(*size, 3)

    def translate(part: np.ndarray) -> np.ndarray:
        assert part.shape[0] % multiple == part.shape[1] % multiple == 0 and max(part.shape[:2]) <= 24
        return np.repeat(np.repeat(network(to_float(part[np.newaxis])).numpy()[0], 2, 0), 2, 1)

    padded, padding = pad_to_multiple(to_float(image[np.newaxis]), multiple)
    whole = crop_back(network(padded), padding)[0].numpy()
    made = tiled_picture(translate, image, overlap=3, size_multiple=multiple, scale=2, window=48)
    np.testing.assert_allclose(made, np.repeat(np.repeat(whole, 2, 0), 2, 1), atol=1e-6)


def _noting(calls: list, method):
    def noted(self, index):
        calls.append(index)
        return method(self, index)

    return noted


def test_a_picture_that_fits_is_one_part_and_other_translators_see_all_of_it(monkeypatch) -> None:
    seen = []

    def function(image: tf.Tensor) -> tf.Tensor:
        seen.append(tuple(image.shape[1:3]))
        return image

    sizes = {"input_channels": 3, "output_channels": 3, "image_size": 16, "size_multiple": 8}
    whole = Translator(function=function, networks={}, **sizes)
    image = tf.constant(picture(1, 13, 30, 3))
    monkeypatch.setattr(translating, "tiled", functools.partial(tiled, window=16))
    np.testing.assert_array_equal(translating.translate(whole, image), image)
    assert seen == [(16, 32)]
    seen.clear()
    local = Translator(function=function, networks={}, tile_overlap=4, **sizes)
    np.testing.assert_array_equal(translating.translate(local, image), image)
    assert seen[1:] == [(16, 32)]  # with an overlap of 8 on each side a part has 32; the first only asks for the type
