"""RGBA: the colours as they are seen on white, and the opacity by itself."""

import numpy as np
import pytest

from gan_zoo.metrics import build, choose
from gan_zoo.metrics.base import Context, EvaluationBatch, Figure


def filled(*rgba: int) -> np.ndarray:
    return np.broadcast_to(np.array(rgba, np.uint8), (2, 16, 16, len(rgba))).copy()


def figure_of(name: str, **images: np.ndarray) -> Figure:
    metric = build(name, Context(with_alpha=True))
    metric.update(EvaluationBatch(names=["a", "b"], **images))
    return next(iter(metric.figures()))


def test_colours_count_as_they_are_seen_on_white_and_opacity_apart() -> None:
    # A fifth of black on white is 204; 51 more of alpha, as of 255, is a fifth.
    truth, output = filled(255, 255, 255, 0), filled(0, 0, 0, 51)
    assert figure_of("l1", outputs=output, targets=truth).value == pytest.approx(51 / 255, rel=1e-12)
    assert figure_of("psnr", outputs=output, targets=truth).value == pytest.approx(20 * np.log10(5), rel=1e-12)
    assert figure_of("l1_alpha", outputs=output, targets=truth).value == pytest.approx(51 / 255, rel=1e-12)
    # What nobody sees does not count, in any sample.
    hidden = filled(7, 99, 200, 0)
    assert figure_of("l1", outputs=hidden, targets=truth).value == 0.0
    assert figure_of("l1_best", outputs=hidden, samples=hidden[:, np.newaxis], targets=truth).value == 0.0
    # An input with alpha, an output without it.
    assert figure_of("identity_distance", outputs=filled(204, 204, 204), inputs=output).value == 0.0


def test_protocols_say_what_was_laid_over_white() -> None:
    rgba, rgb = filled(1, 2, 3, 4), filled(1, 2, 3)
    assert figure_of("l1", outputs=rgba, targets=rgba).protocol.endswith("all pixels and channels; RGBA on white")
    assert "white" not in figure_of("l1", outputs=rgb, targets=rgb, inputs=rgba).protocol  # the input is not looked at
    assert "white" not in figure_of("l1_alpha", outputs=rgba, targets=rgba).protocol


def test_rgba_has_all_that_rgb_has_and_its_opacity() -> None:
    fields = frozenset({"names", "outputs", "targets", "samples"})
    of_rgb, of_rgba, of_grey = (choose(None, fields, channels, True) for channels in (3, 4, 1))
    assert set(of_rgba) - set(of_rgb) == {"l1_alpha"} and set(of_rgb) < set(of_rgba)
    assert "l1_alpha" not in of_grey and "colourfulness" not in of_grey
