"""Hints in training: the points that are drawn, written out, and what generators learn from them."""

import typing

import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny_models import built, noise_batch, tiny_config

from gan_zoo.lab import from_network, grey_to_network, lab_to_rgb, rgb_to_lab, to_grey, to_network
from gan_zoo.learning.hints import MOST, draw_hints
from gan_zoo.learning.noise import example_noise
from gan_zoo.models.colorization import Colorization, ColorizationConfig

GENERATORS = typing.get_args(typing.get_type_hints(ColorizationConfig)["generator_type"])
RED, BLUE = (0.45, 0.35), (0.1, -0.45)  # ab / 110


def colours(count: int, height: int = 24, width: int = 40) -> tf.Tensor:
    return tf.random.stateless_uniform([count, height, width, 2], [3, 4], -1, 1)


def played(uniform: np.ndarray, places: np.ndarray, ab: np.ndarray) -> np.ndarray:
    """The user of one example, patch by patch: `uniform` `[2 + n]`, `places` `[2, n]` in deviations, ab `[H, W, 2]`."""
    height, width, _ = ab.shape
    if uniform[1] < 0.01:
        return np.concatenate([ab, np.ones([height, width, 1])], -1)
    sums = np.zeros([height, width, 3])
    for patch in range(MOST):
        if uniform[0] >= (7 / 8) ** (patch + 1):
            break
        side = 1 + int(9 * uniform[2 + patch])
        top, left = (
            int(np.clip((room + 1) / 2 + (room + 1) / 4 * place, 0, room))
            for room, place in zip((height - side, width - side), places[:, patch], strict=True)
        )
        inside = np.s_[top : top + side, left : left + side]
        sums[inside] += [*ab[inside].mean((0, 1)), 1]
    return sums / np.maximum(sums[..., 2:], 1)


def test_patches_are_where_the_noise_says_in_their_mean_colour() -> None:
    count = 60
    index, ab = tf.range(1000, 1000 + count, dtype=tf.int64), colours(count)
    uniform = example_noise((7, 40), index, 2 + MOST, uniform=True).numpy()
    places = example_noise((7, 41), index, 2 * MOST).numpy().reshape(count, 2, MOST)
    expected = np.stack([played(*each) for each in zip(uniform, places, ab.numpy(), strict=True)])
    found = draw_hints(7, index, ab).numpy()
    assert found.dtype == np.float32 and found.shape == (count, 24, 40, 3)
    np.testing.assert_array_equal(found[..., 2], expected[..., 2])  # the mask
    np.testing.assert_allclose(found, expected, rtol=0, atol=2e-6)  # float32, sums of up to 81 in another order
    hinted = expected[..., 2].sum((1, 2))
    assert {0.0, 960.0} <= set(hinted) and len(set(hinted)) > 30


def test_how_often_and_where() -> None:
    count, side = 4000, 25
    draw = tf.function(lambda index, ab: draw_hints(0, index, ab))
    masks = draw(tf.range(count, dtype=tf.int64), tf.zeros([count, side, side, 2])).numpy()[..., 2]
    # Three deviations of a binomial.
    for share, found in ((0.99 / 8, (masks.max((1, 2)) == 0).mean()), (0.01, (masks.min((1, 2)) == 1).mean())):
        assert found == pytest.approx(share, abs=3 * np.sqrt(share * (1 - share) / count))
    heat = masks[masks.min((1, 2)) == 0].mean(0)
    weight = heat / heat.sum()
    middle = (np.arange(side) - 12) @ weight.sum(1), (np.arange(side) - 12) @ weight.sum(0)
    assert np.abs(middle).max() < 0.2 and heat[12, 12] > 2 * heat[12, 2] > 4 * heat[2, 2] > 0


def test_a_row_depends_on_its_own_index_alone() -> None:
    ab = tf.repeat(colours(1), 3, axis=0)
    together = draw_hints(5, tf.constant([11, 2, 30], tf.int64), ab).numpy()
    for row, index in enumerate((11, 2, 30)):
        alone = draw_hints(5, tf.constant([index], tf.int64), ab[:1])[0]
        np.testing.assert_array_equal(together[row], alone)
    assert len({row.tobytes() for row in together}) == 3
    assert (draw_hints(6, tf.constant([11], tf.int64), ab[:1])[0] != together[0]).numpy().any()
    graph = tf.function(lambda index, ab: draw_hints(5, index, ab), reduce_retracing=True)
    np.testing.assert_allclose(graph(tf.constant([11, 2, 30], tf.int64), ab), together, rtol=0, atol=1e-6)


def test_images_smaller_than_a_patch() -> None:
    found = draw_hints(0, tf.range(50, dtype=tf.int64), colours(50, 4, 6)).numpy()
    assert np.isfinite(found).all() and set(np.unique(found[..., 2])) == {0.0, 1.0}


@pytest.mark.parametrize("generator_type", GENERATORS)
def test_every_generator_takes_hints(generator_type) -> None:
    model = built("colorization", generator_type=generator_type, hints=True)
    assert model.generator.inputs[0].shape[-1] == 4 and model.discriminator.inputs[0].shape[-1] == 3
    seen, learn = [], model.learn
    model.learn = lambda *tensors: seen.extend(tensors) or learn(*tensors)
    first = [variable for variable in model.generator.trainable_variables if variable.shape[-2:-1] == (4,)]
    before = [np.array(kernel)[..., 1:, :] for kernel in first]
    batch = noise_batch(model.config)
    logs = model.train_step(batch)
    assert all(np.isfinite(loss) for loss in logs.values()), logs
    assert first and all(
        np.any(old != np.array(kernel)[..., 1:, :], axis=(0, 1)).all()
        for old, kernel in zip(before, first, strict=True)
        if kernel.shape[0] > 1
    )

    lightness, (_, ab) = grey_to_network(batch["input_image"]), to_network(rgb_to_lab(batch["target_image"]))
    hints = draw_hints(model.config.seed, batch["example_index"], ab)
    expected = (lightness, ab, batch["example_index"], tf.concat([lightness, hints], -1))
    for found, tensor in zip(seen, expected, strict=True):
        np.testing.assert_array_equal(found, tensor)

    (translator,) = model.translators.values()
    assert translator.takes_hints
    none, some = tf.zeros([2, 32, 32, 3]), tf.ones([2, 32, 32, 3])
    plain = translator.chroma(lightness)
    np.testing.assert_array_equal(translator.chroma(lightness, hints=none), plain)
    np.testing.assert_array_equal(translator.function(batch["input_image"]), lab_to_rgb(from_network(lightness, plain)))
    assert np.abs(translator.chroma(lightness, hints=some) - plain).max() > 0


def test_without_being_asked_for_there_is_no_input_for_hints() -> None:
    assert not ColorizationConfig().hints
    model = Colorization(tiny_config("colorization"))
    (translator,) = model.translators.values()
    assert not translator.takes_hints and model.generator.inputs[0].shape[-1] == 1


def test_a_hint_is_learnt_to_colour_what_is_near() -> None:
    """A net that sees 21 px, after 70 steps on pictures of two colours each."""
    keras.utils.set_random_seed(0)
    settings = {"generator_type": "res_unet", "num_downs": 1, "norm": "none", "base_filters": 8}
    model = built("colorization", hints=True, pretrain_epochs=1, learning_rate=3e-3, **settings)
    step, random = tf.function(model.train_step), np.random.default_rng(0)
    for number in range(70):
        ab = np.repeat(random.uniform(-0.5, 0.5, [8, 1, 2, 2]), 16, axis=2)
        image = lab_to_rgb(from_network(tf.zeros([8, 32, 32, 1]), tf.repeat(tf.constant(ab, tf.float32), 32, axis=1)))
        index = tf.range(8 * number, 8 * number + 8, dtype=tf.int64)
        step({"input_image": to_grey(image), "target_image": image, "example_index": index})

    (translator,) = model.translators.values()
    lightness = tf.zeros([1, 64, 64, 1])
    plain = translator.chroma(lightness).numpy()[0]
    near, far = np.s_[30:35, 30:35], np.s_[:12, :12]
    for hint in (RED, BLUE):
        hints = np.zeros([1, 64, 64, 3], np.float32)
        hints[0, 31:34, 31:34] = [*hint, 1]
        made = translator.chroma(lightness, hints=tf.constant(hints)).numpy()[0]
        np.testing.assert_allclose(made[far], plain[far], rtol=0, atol=1e-6)
        # A third of the way from what it was to the hint; untrained it is none.
        way = np.array(hint) - plain[near].mean((0, 1))
        assert (made[near].mean((0, 1)) - plain[near].mean((0, 1))) @ way > way @ way / 3
