"""The Inception of FID against features recorded with torch-fidelity's, drawn weights in both; its two resizers."""

import json
import pathlib
import zlib

import keras
import numpy as np
import pytest

from gan_zoo.errors import UserError
from gan_zoo.metrics.features.inception import InceptionFeatures, inception_inputs, resize_clean, resize_legacy
from gan_zoo.networks.inception import fid_inception, load_folded

RECORDED = np.load(pathlib.Path(__file__).parents[1] / "parity" / "fid_inception.npz")
PREFIX = "inception."


def drawn(name: str, shape: list[int]) -> np.ndarray:
    """The weights of the recording, which are a function of their names."""
    numbers = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape).astype(np.float32)
    if name.endswith("running_var"):
        return 1 + 0.1 * np.abs(numbers)
    if name.endswith(("running_mean", "bias")):
        return 0.1 * numbers
    return 1 + 0.1 * numbers if len(shape) == 1 else numbers * np.float32(np.sqrt(2 / np.prod(shape[1:])))


def test_recorded_features_are_met() -> None:
    shapes = json.loads(str(RECORDED["shapes"]))
    state = {name.removeprefix(PREFIX): drawn(name, shape) for name, shape in shapes.items() if ".fc." not in name}
    features = fid_inception(state)(inception_inputs(RECORDED["image"], "legacy"), training=False)
    for name in ("64", "192", "768", "2048"):
        expected = RECORDED[f"features/{name}"]
        error = np.abs(features[name].numpy() - expected).max()
        # 94 convolutions in float32: 6e-7 was seen.
        assert features[name].shape == expected.shape
        assert error < 1e-4 * np.abs(expected).max(), name


def test_a_batch_norm_is_folded_into_its_convolution() -> None:
    layer = keras.layers.Conv2D(1, 1)
    layer.build((None, None, None, 2))
    values = {"conv.weight": [[[[3.0]], [[5.0]]]], "bn.weight": [2.0], "bn.bias": [7.0], "bn.running_mean": [11.0]}
    state = {f"a.{name}": np.array(value, np.float32) for name, value in values.items()}
    with pytest.raises(UserError, match=r"lack 1 of 5 tensors: a\.bn\.running_var$"):
        load_folded({"a": layer}, state)
    with pytest.raises(UserError, match=r"a\.bn\.running_var must have shape \(1,\), not \(2,\)"):
        load_folded({"a": layer}, {**state, "a.bn.running_var": np.ones(2, np.float32)})
    load_folded({"a": layer}, {**state, "a.bn.running_var": np.array([16.0 - 0.001], np.float32)})
    # 2 (3 x + 5 y - 11) / 4 + 7
    np.testing.assert_allclose(layer(np.array([[[[1.0, 2.0]]]])), [[[[8.0]]]], rtol=1e-6)


def test_torchvisions_inception_is_not_the_one() -> None:
    with pytest.raises(UserError, match="another Inception, of 1000 classes"):
        fid_inception({"fc.weight": np.empty((1000, 2048), np.float32)})


def antialiased_bicubic(length: int) -> np.ndarray:
    """Keys' cubic (a = -1/2), stretched to the output's pixels where it makes smaller: `[299, length]`."""
    scale = length / 299
    stretch = max(scale, 1.0)
    centres = (np.arange(299) + 0.5) * scale
    x = np.abs((np.arange(length) + 0.5 - centres[:, None]) / stretch)
    near, far = 1.5 * x**3 - 2.5 * x**2 + 1, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2
    weights = np.where(x < 1, near, np.where(x < 2, far, 0.0))
    return weights / weights.sum(1, keepdims=True)


@pytest.mark.parametrize(("height", "width"), [(40, 31), (700, 90)])
def test_the_clean_resize_is_antialiased_bicubic_clipped_without_rounding(height, width) -> None:
    image = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
    image[: height // 2] = np.where(image[: height // 2] < 128, 0, 255)
    rows, columns = antialiased_bicubic(height), antialiased_bicubic(width)
    expected = np.einsum("yh,hwc,xw->yxc", rows, image.astype(np.float64), columns, optimize=True)
    resized = resize_clean(image)
    # Pillow keeps its intermediate image in float32: 2^-24 of 255 twice, and a little for sums beyond.
    np.testing.assert_allclose(resized, expected.clip(0, 255), atol=1e-4)
    # It overshoots, and what does must no longer get through; what lies inside keeps its fractions.
    assert expected.min() < -1 and expected.max() > 256 and np.abs(resized - np.round(resized)).max() > 0.4
    assert resized.dtype == np.float32 and resized.min() == 0 and resized.max() == 255


def test_the_legacy_resize_puts_pixels_at_their_corners() -> None:
    image = np.random.default_rng(0).integers(0, 256, (598, 299, 3), np.uint8)
    # Half the height: every second row as it is, nothing of the rows between. The same width: nothing happens.
    np.testing.assert_array_equal(resize_legacy(image), image[::2].astype(np.float32))
    small = image[:2, :1]
    place = np.minimum(np.arange(299) * 2 / 299, 1.0)[:, None]
    expected = small[0, 0] * (1 - place) + small[1, 0] * place
    np.testing.assert_allclose(resize_legacy(small)[:, 7], expected, atol=1e-3)  # 255 times float32's places


def test_features_stream_in_batches_and_in_order() -> None:
    image = keras.Input((299, 299, 3))
    network = keras.Model(image, {"2048": keras.layers.GlobalAveragePooling2D()(image)})
    random = np.random.default_rng(0)
    images = [
        random.integers(0, 256, (20 + 7 * i, 30, channels), np.uint8) for i, channels in enumerate([3, 1, 3, 4, 3])
    ]
    extract = InceptionFeatures(network, batch_size=2)
    batches = list(extract(iter(images)))
    assert [len(batch) for batch in batches] == [2, 2, 1]
    expected = inception_inputs(images, "clean").mean((1, 2))
    np.testing.assert_allclose(np.concatenate(batches), expected, rtol=1e-4)
    assert list(extract([])) == []

    def broken():
        yield images[0]
        raise OSError("unreadable")

    with pytest.raises(OSError, match="unreadable"):
        list(extract(broken()))
    with pytest.raises(ValueError, match="uint8 is needed"):
        list(extract([images[0].astype(np.float32)]))
    with pytest.raises(ValueError, match="clean, legacy"):
        InceptionFeatures(network, resize="bilinear")
