"""LPIPS against figures of its authors' code, with their linear weights on trunks whose weights are drawn by a recipe.

The recording's weights: a standard normal draw, seeded by the name; a bias is a tenth of it, a kernel is brought to
He's variance.
"""

import functools
import hashlib
import json
import math
import pathlib
import zlib

import numpy as np
import pytest
import tensorflow as tf

from gan_zoo.errors import UserError
from gan_zoo.metrics.lpips import LINEAR_WEIGHTS, LPIPS, NAMES, TRUNKS, load_lpips
from gan_zoo.networks.classifiers import load_torchvision, squeezenet

RECORDED = np.load(pathlib.Path(__file__).parents[1] / "parity" / "lpips.npz")


@functools.cache
def drawn(trunk: str) -> dict[str, np.ndarray]:
    """By torchvision's names; the recording's have the trunk in front."""
    arrays = {}
    for name, shape in json.loads(str(RECORDED[f"{trunk}/shapes"])).items():
        normal = np.random.default_rng(zlib.crc32(name.encode())).standard_normal(shape).astype(np.float32)
        scale = 0.1 if name.endswith("bias") else math.sqrt(2 / math.prod(shape[1:]))
        arrays[name.removeprefix(f"{trunk}.")] = normal * np.float32(scale)
    return arrays


@pytest.fixture(scope="module")
def squeeze() -> LPIPS:
    return LPIPS("lpips_squeeze_v0.1", drawn("squeeze"))


@pytest.mark.parametrize("name", NAMES)
def test_the_authors_figures_are_met(name: str) -> None:
    _, trunk, version = name.split("_")
    distances = LPIPS(name, drawn(trunk))(RECORDED["image_a"], RECORDED["image_b"])
    # Seen: 3e-7. The recording promises 1e-4; another order of sums moves the last digits only.
    np.testing.assert_allclose(distances, RECORDED[f"{trunk}/{version}"], rtol=1e-5)


def test_bytes_and_floats_are_the_same_images_in_any_batch(squeeze: LPIPS) -> None:
    images = np.random.default_rng(0).integers(0, 256, [18, 17, 20, 3], np.uint8)  # more than one batch
    other = images[::-1]
    distances = squeeze(images, other)
    assert distances.shape == (18,) and distances.dtype == np.float32
    np.testing.assert_allclose(distances, distances[::-1], rtol=1e-5)  # it is symmetric
    np.testing.assert_allclose(squeeze(images[:1] / 127.5 - 1, tf.constant(other[:1] / 127.5 - 1)), distances[:1], 1e-5)
    assert squeeze(images[:2], images[:2]) == pytest.approx([0, 0], abs=1e-7)
    assert squeeze(images[:0], images[:0]).shape == (0,)


@pytest.mark.parametrize("trunk", TRUNKS)
def test_images_may_be_as_small_as_the_trunk_allows(trunk: str) -> None:
    least = TRUNKS[trunk].min_size
    network = TRUNKS[trunk].build()
    assert network.compute_output_shape((1, least, least, 3))[-1][1:3] == (1, 1)
    with pytest.raises(ValueError):
        network.compute_output_shape((1, least - 1, least, 3))


def test_other_images_are_refused(squeeze: LPIPS) -> None:
    def images(*shape: int, dtype: type = np.uint8) -> np.ndarray:
        return np.zeros(shape, dtype)

    with pytest.raises(UserError, match=r"lpips_squeeze_v0.1 needs images of at least 17x17 pixels: 40x16 given"):
        squeeze(images(1, 16, 40, 3), images(1, 16, 40, 3))
    for wrong in (images(1, 32, 32, 1), images(32, 32, 3), images(2, 32, 32, 3)):
        with pytest.raises(ValueError, match="Received: "):
            squeeze(wrong, images(1, 32, 32, 3))
    with pytest.raises(ValueError, match="Received: int64"):
        squeeze(images(1, 32, 32, 3, dtype=np.int64), images(1, 32, 32, 3, dtype=np.int64))


def test_the_name_says_trunk_and_version(tmp_path) -> None:
    for name in ("lpips", "lpips_alex", "lpips_alex_v0.2"):
        with pytest.raises(UserError, match=r"lpips_alex_v0\.1"):
            load_lpips(name, tmp_path)


def test_weights_that_do_not_fit_are_named_and_none_is_loaded() -> None:
    arrays = dict(drawn("squeeze"))
    del arrays["features.3.squeeze.bias"]
    arrays["features.0.weight"] = arrays["features.0.weight"][:, :1]
    network = squeezenet()
    message = r"features\.0\.weight has the shape \[64, 1, 3, 3\] instead of \[64, 3, 3, 3\].*squeeze\.bias is missing"
    with pytest.raises(UserError, match=message):
        load_torchvision(network, arrays)
    assert not any(np.any(variable) for variable in network.variables)
    with pytest.raises(UserError, match="and 46 more"):
        load_torchvision(network, {})


def test_the_linear_weights_are_the_authors_files(squeeze: LPIPS) -> None:
    expected = {
        "v0.0/alex": "18720f55913d0af89042f13faa7e536a6ce1444a0914e6db9461355ece1e8cd5",
        "v0.0/squeeze": "c27abd3a0145541baa50990817df58d3759c3f8154949f42af3b59b4e042d0bf",
        "v0.0/vgg": "b9e4236260c3dd988fc79d2a48d645d885afcbb21f9fd595e6744cf7419b582c",
        "v0.1/alex": "df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
        "v0.1/squeeze": "4a5350f23600cb79923ce65bb07cbf57dca461329894153e05a1346bd531cf76",
        "v0.1/vgg": "a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
    }
    for name, sha256 in expected.items():
        assert hashlib.sha256((LINEAR_WEIGHTS / f"{name}.pth").read_bytes()).hexdigest() == sha256
    assert squeeze.linear_sha256 == expected["v0.1/squeeze"]
    assert "Redistribution" in (LINEAR_WEIGHTS / "LICENSE").read_text()
