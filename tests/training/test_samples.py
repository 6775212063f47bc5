"""The pictures that a training run draws of its model."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from gan_zoo.models.base import Translator
from gan_zoo.training import samples
from gan_zoo.training.samples import SampleImages, sample_grid


@pytest.fixture
def writer(tmp_path):
    return tf.summary.create_file_writer(str(tmp_path / "logs"))


def translator(latent_dim: int, encode=None) -> Translator:
    """Answers with z's first number everywhere, or with the negative of its input."""

    def function(image, z=None):
        return -image if z is None else tf.clip_by_value(z[:, :1, None, None] + 0 * image, -1, 1)

    return Translator(
        function=function,
        networks={},
        input_channels=3,
        output_channels=3,
        image_size=16,
        size_multiple=8,
        latent_dim=latent_dim,
        encode=encode,
    )


@pytest.fixture
def examples() -> dict[str, tf.Tensor]:
    levels = tf.reshape(tf.constant([-1.0, 1.0]), [2, 1, 1, 1])
    return {"input_image": levels + tf.zeros([2, 16, 16, 3]), "target_image": -levels / 2 + tf.zeros([2, 16, 16, 3])}


def cells(grid: np.ndarray, columns: int) -> np.ndarray:
    """The colour in the middle of each picture, `[rows, columns]`; titles may make columns wider than pictures."""
    rows = [grid.shape[0] - 8 - 18, grid.shape[0] - 8]
    middles, edges = [], np.flatnonzero((grid[14:] != 255).any(axis=(0, 2)))
    for run in np.split(edges, np.flatnonzero(np.diff(edges) > 1) + 1):
        middles.append(int(run.mean()))
    assert len(middles) == columns, middles
    return grid[rows][:, middles, 0]


def test_a_grid_without_z(examples) -> None:
    shown = cells(sample_grid(translator(0), examples, seed=0), 3)
    np.testing.assert_array_equal(shown, [[0, 191, 255], [255, 64, 0]])  # input, truth, output


def test_a_grid_with_z(examples) -> None:
    def encode(image):
        return image[:, 0, 0, :2], None

    grid = sample_grid(translator(2, encode), examples, seed=0)
    shown = cells(grid, 3 + samples.NUM_RANDOM_SAMPLES)
    # Encoded: the truth's own level comes back. Random: the same z in all rows, another in each column.
    np.testing.assert_array_equal(shown[:, 2], shown[:, 1])
    np.testing.assert_array_equal(shown[0, 3:], shown[1, 3:])
    assert len(set(shown[0, 3:])) > 2
    np.testing.assert_array_equal(grid, sample_grid(translator(2, encode), examples, seed=0))
    assert not np.array_equal(grid, sample_grid(translator(2, encode), examples, seed=1))
    assert sample_grid(translator(2), examples, seed=0).shape[1] < grid.shape[1]


def test_a_grid_of_a_seed_a_row(examples) -> None:
    def function(image, seed):
        seen.append(seed.numpy().tolist())
        return tf.where(seed % 2 == 0, 0.5, -1.0)[:, None, None, None] + 0 * image

    seen = []
    seeded = dataclasses.replace(translator(0), function=function, takes_seed=True)
    shown = cells(sample_grid(seeded, examples, seed=4), 3)
    sample_grid(seeded, examples, seed=4)
    sample_grid(seeded, examples, seed=5)
    first, again, other = seen
    assert first == again and len({*first, *other}) == 4 and first[0] == 4
    np.testing.assert_array_equal(shown[:, 2], [0 if seed % 2 else 191 for seed in first])


def test_a_grid_without_truth_shows_the_way_back(examples) -> None:
    there = {"input_key": "target_image", "target_key": None, "cycle": lambda image, *noise: image / 2}
    shown = cells(sample_grid(dataclasses.replace(translator(0), **there), examples, seed=0), 3)
    np.testing.assert_array_equal(shown, [[191, 64, 159], [64, 191, 96]])  # input, output, cycled

    with_z = dataclasses.replace(translator(2, lambda image: 1 / 0), **there)
    assert cells(sample_grid(with_z, examples, seed=0), 2 + samples.NUM_RANDOM_SAMPLES)[0, -1] == 159


def test_a_grid_of_images_that_are_to_be_kept_shows_them_once(examples) -> None:
    shown = cells(sample_grid(dataclasses.replace(translator(0), target_key="input_image"), examples, seed=0), 2)
    np.testing.assert_array_equal(shown, [[0, 255], [255, 0]])  # input, output


def test_pictures_at_the_start_every_few_steps_and_at_the_end(examples, writer, tmp_path) -> None:
    def names(start_step: int, every: int, steps: int, **translators) -> list[str]:
        folder = tmp_path / f"{start_step} {every} {len(translators)}"
        drawer = SampleImages(
            start_step,
            translators=translators,
            examples=examples,
            folder=folder,
            writer=writer,
            every=every,
            total_steps=start_step + steps,
            seed=0,
        )
        drawer.on_train_begin()
        for batch in range(steps):
            drawer.on_train_batch_end(batch, {})
        if not folder.exists():
            return []
        for path in folder.iterdir():
            with Image.open(path) as picture:
                picture.load()
        return sorted(path.name for path in folder.iterdir())

    one, two = translator(0), translator(2)
    assert names(0, 3, 7, translate=one) == ["step_0.png", "step_3.png", "step_6.png", "step_7.png"]
    assert names(4, 3, 3, translate=one) == ["step_6.png", "step_7.png"]
    assert names(0, 0, 3, translate=one) == []
    assert names(1, 2, 1, a_to_b=one, b_to_a=two) == ["step_2_a_to_b.png", "step_2_b_to_a.png"]
