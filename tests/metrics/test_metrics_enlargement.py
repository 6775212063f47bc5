"""What super-resolution is measured by: luma without a border, beside interpolation."""

import numpy as np
import pytest
from set5 import needs_set5, set5

from gan_zoo.bicubic import enlarged
from gan_zoo.metrics import build
from gan_zoo.metrics.base import Context, EvaluationBatch, Figure
from gan_zoo.metrics.enlargement import scale_of
from gan_zoo.metrics.psnr import psnr_y
from gan_zoo.metrics.ssim import ssim_y

NAMES = ("psnr_y_border", "ssim_y_border")
RANDOM = np.random.default_rng(0)


def batch(inputs: np.ndarray, outputs: np.ndarray, targets: np.ndarray) -> EvaluationBatch:
    return EvaluationBatch(names=list(map(str, range(len(inputs)))), inputs=inputs, outputs=outputs, targets=targets)


def measured(name: str, *batches: EvaluationBatch) -> dict[str, Figure]:
    metric = build(name, Context())
    for each in batches:
        metric.update(each)
    return {figure.name: figure for figure in metric.figures()}


def noise(*shape: int) -> np.ndarray:
    return RANDOM.integers(0, 256, shape, np.uint8)


def test_the_border_does_not_count_and_all_else_does() -> None:
    inputs, targets = noise(2, 8, 9, 3), noise(2, 32, 36, 3)
    outputs = targets.copy()
    outputs[:, 4:-4, 4:-4] += np.uint8(1)  # wraps round at 255, far away
    scribbled = outputs.copy()
    scribbled[:, :4] = scribbled[:, -4:] = 0
    scribbled[:, :, :4] = scribbled[:, :, -4:] = 0
    for name, measure in zip(NAMES, (psnr_y, ssim_y), strict=True):
        values = measure(outputs[:, 4:-4, 4:-4], targets[:, 4:-4, 4:-4])
        for made in (outputs, scribbled):
            figures = measured(name, batch(inputs, made, targets))
            assert figures[name].value == pytest.approx(values.mean(), rel=1e-12) and figures[name].better == "higher"
            assert "without 4 pixels" in figures[name].protocol and "{" not in figures[name].protocol
        inner = scribbled.copy()
        inner[:, 4] = 0
        assert measured(name, batch(inputs, inner, targets))[name].value < values.mean()


def test_the_floor_is_interpolation_by_the_scale_that_the_images_show() -> None:
    for scale in (2, 4):
        inputs, targets = noise(2, 16, 12, 3), noise(2, 16 * scale, 12 * scale, 3)
        interpolated = np.stack([enlarged(image, scale) for image in inputs])
        for name in NAMES:
            figures = measured(name, batch(inputs, targets, targets), batch(inputs, targets, targets))
            of_itself = measured(name, batch(inputs, interpolated, targets))
            assert figures[f"{name}/bicubic"].value == pytest.approx(of_itself[name].value, rel=1e-12)
            assert figures[f"{name}/bicubic"].num_images == 4 and figures[f"{name}/bicubic"].better == "none"


def test_images_that_were_not_enlarged_are_refused() -> None:
    assert scale_of(noise(1, 8, 9, 3), noise(1, 24, 27, 3)) == 3
    for size in ((8, 9), (16, 9), (17, 18)):
        with pytest.raises(ValueError, match="as large as the input"):
            scale_of(noise(1, 8, 9, 3), noise(1, *size, 3))
    with pytest.raises(ValueError, match="11 pixels must be left between borders of 4 pixels"):
        measured("ssim_y_border", batch(noise(1, 4, 8, 3), noise(1, 16, 32, 3), noise(1, 16, 32, 3)))


@needs_set5
def test_set5_four_times_as_large_by_interpolation() -> None:
    metric = build("psnr_y_border", Context())
    for truth, small in set5(4).values():
        metric.update(batch(small[np.newaxis], truth[np.newaxis], truth[np.newaxis]))
    (floor,) = (figure for figure in metric.figures() if figure.name.endswith("/bicubic"))
    # The figure of the papers.
    assert floor.value == pytest.approx(28.43, abs=0.02)
