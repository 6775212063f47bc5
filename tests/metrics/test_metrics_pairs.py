"""PSNR, SSIM and L1 against recorded figures (computed in float64 by scikit-image) and closed forms."""

import pathlib

import numpy as np
import pytest

from gan_zoo.metrics.l1 import l1
from gan_zoo.metrics.psnr import psnr, psnr_y
from gan_zoo.metrics.ssim import ssim, ssim_y

RECORDED = np.load(pathlib.Path(__file__).parents[1] / "parity" / "image_metrics.npz")
METRICS = {"psnr": psnr, "psnr_y": psnr_y, "ssim": ssim, "ssim_y": ssim_y, "l1": l1}


def constant(*levels: int, size: int = 12, channels: int = 3) -> np.ndarray:
    images = np.zeros((len(levels), size, size, channels), np.uint8)
    return images + np.array(levels, np.uint8).reshape(-1, 1, 1, 1)


@pytest.mark.parametrize("name", ["psnr", "psnr_y", "ssim", "ssim_y"])
def test_recorded_figures_are_met_image_by_image(name) -> None:
    p, q = RECORDED["image_p"], RECORDED["image_q"]
    # Upside down nothing changes: each image of a batch has its own figure, whatever lies beside it.
    batch = METRICS[name](np.stack([p, p[::-1], p]), np.stack([q, q[::-1], p]))
    assert batch[:2] == pytest.approx([float(RECORDED[name])] * 2, rel=1e-9)
    assert batch[2] == (np.inf if name.startswith("psnr") else pytest.approx(1.0, abs=1e-12))


def test_figures_of_constant_images_have_closed_forms() -> None:
    low, high = constant(50, 0), constant(60, 255)
    assert l1(low, high) == pytest.approx([10 / 255, 1.0], rel=1e-12)
    assert psnr(low, high) == pytest.approx([20 * np.log10(255 / 10), 0.0], rel=1e-12, abs=1e-12)
    # Without variance only the luminance term is left. The variance is a difference of squares near 1e5: 1e-9 is left.
    c1 = (0.01 * 255) ** 2
    assert ssim(low, high) == pytest.approx([(2 * 50 * 60 + c1) / (50**2 + 60**2 + c1), c1 / (255**2 + c1)], rel=1e-8)
    # Grey is a colour too: its luma spans 219 levels, with one channel and with three.
    expected = 20 * np.log10(255 / (10 * 219 / 255))
    for channels in (1, 3):
        pair = constant(50, channels=channels), constant(60, channels=channels)
        assert psnr_y(*pair) == pytest.approx([expected], rel=1e-12)


def test_each_channel_of_luma_weighs_as_in_bt601() -> None:
    for channel, weight in enumerate((65.481, 128.553, 24.966)):
        image = constant(0)
        image[..., channel] = 255
        assert psnr_y(image, constant(0)) == pytest.approx([20 * np.log10(255 / weight)], rel=1e-12)


@pytest.mark.parametrize("name", METRICS)
@pytest.mark.parametrize(
    ("first", "second", "what"),
    [
        (constant(1), constant(1, 2), "one shape"),
        (constant(1), constant(1).astype(np.float32), "uint8"),
        (constant(1)[0], constant(1)[0], "B, H, W"),
        (constant(1, channels=4), constant(1, channels=4), "C not 4"),
    ],
)
def test_what_cannot_be_compared_is_refused(name, first, second, what) -> None:
    with pytest.raises(ValueError, match=what):
        METRICS[name](first, second)


def test_ssim_needs_a_window() -> None:
    with pytest.raises(ValueError, match=r"at least 11x11 pixels\. Received: 10x10"):
        ssim(constant(1, size=10), constant(1, size=10))
    assert ssim(constant(1, size=11), constant(1, size=11)) == pytest.approx([1.0], abs=1e-12)
