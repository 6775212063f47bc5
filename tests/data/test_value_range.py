"""Files of 16 bit that hold less: what is read fills [-1, 1], and who has not said so is told."""

import numpy as np
import pytest
import streams

from gan_zoo.data.pipeline import evaluation_batches, training_stream
from gan_zoo.data.unpaired import UnpairedView
from gan_zoo.data.value_range import narrowed, stretched, unfilled
from gan_zoo.images import Planes, to_8_bit


class Ramps:
    """Grey pairs of 16 bit: a ramp from 0 to `top`, and a ramp from 65535 down."""

    kind = "paired"

    def __init__(self, top: int, dtype: type = np.uint16) -> None:
        self.image = np.linspace(0, top, 400).reshape(20, 20, 1).round().astype(dtype)

    def __len__(self) -> int:
        return 7

    def __getitem__(self, index: int) -> dict[str, np.ndarray]:
        return {"input_image": self.image, "target_image": (np.iinfo(self.image.dtype).max - self.image)}


def settings(**changes):
    ranges = {"input_range": None, "target_range": None}
    return streams.settings(**(ranges | {"input_channels": 1, "target_channels": 1, "image_size": 20} | changes))


def test_all_numbers_of_a_range_come_back() -> None:
    for highest in (1, 1023, 4095, 40000, 65535):
        image = np.arange(highest + 1, dtype=np.uint16)[:, np.newaxis]
        filled = stretched(image, highest)
        assert filled.dtype == np.uint16 and (filled.min(), filled.max()) == (0, 65535)
        np.testing.assert_allclose(filled, image * (65535 / highest), atol=0.5)
        np.testing.assert_array_equal(narrowed(filled, highest), image)
    assert stretched(np.array([[4096], [65535]], np.uint16), 4095).tolist() == [[65535], [65535]]  # clipped
    assert to_8_bit(np.array([0, 128, 129, 65535], np.uint16)).tolist() == [0, 0, 1, 255]


def test_what_is_not_of_the_range_stays() -> None:
    eight, sixteen = np.array([[1, 200, 255, 7]], np.uint8), np.array([[1, 4095, 2000, 700]], np.uint16)
    for function in (stretched, narrowed):
        assert function(eight, 4095) is eight and function(sixteen, None) is sixteen
    assert stretched(sixteen, 4095)[0, 3] == 700  # alpha
    there_and_back = narrowed(np.asarray(stretched(sixteen.view(Planes), 4095)), 4095)
    np.testing.assert_array_equal(there_and_back, sixteen)  # arrays come back in their own units
    assert sixteen.tolist() == [[1, 4095, 2000, 700]]


def test_batches_fill_their_range() -> None:
    source, said = Ramps(4095), settings(input_range=4095, load_scale=1.0)
    for stream in (evaluation_batches(source, said, batch_size=2), training_stream(source, said)):
        batch = next(iter(stream))
        # 400 steps of a ramp, to half a number of 4095 and of the 65535 that it becomes.
        ramp = np.linspace(-1.0, 1.0, 400).reshape(20, 20)
        seen = batch["input_image"].numpy()[0, ..., 0]
        seen = seen if seen[0, 0] < seen[0, -1] else seen[:, ::-1]
        np.testing.assert_allclose(seen, ramp, atol=1 / 4095 + 1 / 65535)
        assert batch["target_image"].numpy().min() > 0.87  # nothing was said of it: 61440 of 65535
    (batch, *_) = evaluation_batches(UnpairedView(source), said, batch_size=2)
    assert batch["input_image"].numpy().max() == 1.0
    (batch, *_) = evaluation_batches(source, settings(load_scale=1.0), batch_size=2)
    assert batch["input_image"].numpy().max() == pytest.approx(4095 / 32767.5 - 1.0, abs=1e-6)


@pytest.mark.parametrize("view", [lambda source: source, UnpairedView])
def test_a_range_that_is_hardly_filled_is_named(view) -> None:
    (sentence,) = unfilled(view(Ramps(3000)), settings())
    assert sentence.startswith("input_image: ") and "reach 3000 of 65535" in sentence
    assert "--set input_range=4095 " in sentence
    for source, said in (
        (Ramps(3000), settings(input_range=4095)),  # said
        (Ramps(16384), settings()),  # a quarter
        (Ramps(0), settings()),  # nothing to say about
        (Ramps(30, np.uint8), settings()),  # night
    ):
        assert unfilled(view(source), said) == []
