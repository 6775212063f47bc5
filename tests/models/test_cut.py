"""CUT and FastCUT beyond the recordings: which patches are compared, what resuming keeps, what is refused."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from tiny_models import built, noise_batch, tiny_config

from gan_zoo.config import refuse_idle
from gan_zoo.errors import UserError
from gan_zoo.layers.unit_length import UnitLength
from gan_zoo.learning.patches import draw_positions, mirrored, mirrored_positions, pixels_at
from gan_zoo.runs.checkpoints import Checkpoints
from gan_zoo.runs.record import Run

STEPS, STOP = 4, 2
START = 8  # of examples whose coins fall both ways on both sides of the stop


@pytest.fixture(scope="module")
def cut():
    return built("cut", num_blocks=2, num_patches=5)


def index(*numbers: int) -> tf.Tensor:
    return tf.constant(numbers, tf.int64)


def batches(config) -> list[dict[str, tf.Tensor]]:
    batch = noise_batch(config)
    return [{**batch, "example_index": batch["example_index"] + START + step} for step in range(STEPS)]


def state(model) -> dict[str, bytes]:
    parts = {**model.networks, **{f"{name} optimizer": each for name, each in model.optimizers.items()}}
    return {f"{name} {n}": v.numpy().tobytes() for name, part in parts.items() for n, v in enumerate(part.variables)}


def test_a_resumed_run_throws_the_same_coins_and_meets_the_same_patches(tmp_path) -> None:
    alone = built("fastcut", learning_rate=0.01, num_patches=5, batch_size=1)
    data = batches(alone.config)
    coins = [bool(alone.coins(batch["example_index"])[0]) for batch in data]
    assert len(set(coins[:STOP])) == len(set(coins[STOP:])) == 2
    run = Run(model="fastcut", dataset="noise", data_dir=None, settings=alone.config.to_dict())
    for step, batch in enumerate(data):
        if step == STOP:
            Checkpoints(tmp_path, alone, run).save(STOP)
        alone.train_step(batch)
    resumed = built("fastcut", learning_rate=0.01, num_patches=5, batch_size=1, seed=0)
    assert Checkpoints(tmp_path, resumed, run).restore_latest() == STOP
    for batch in data[STOP:]:
        resumed.train_step(batch)
    assert state(resumed) == state(alone)


def test_positions_are_of_seed_example_map_and_domain_alone(cut, monkeypatch) -> None:
    maps = [tf.zeros([4, 6, 7, 1]), tf.zeros([4, 6, 7, 3]), tf.zeros([4, 1, 3, 8])]
    found = cut.positions(maps, index(7, 9))
    assert [each.shape for each in found] == [(4, 5), (4, 5), (4, 3)]  # no more than there are
    for each, size in zip(found, (42, 42, 3), strict=True):
        assert all(len(set(row)) == len(row) and min(row) >= 0 and max(row) < size for row in each.numpy().tolist())
    # Of both domains, in another batch.
    alone = cut.positions(maps, index(9))
    for each, row in zip(found, alone, strict=True):
        np.testing.assert_array_equal(each[1::2], row)
    rows = [*found[0].numpy().tolist(), *found[1].numpy().tolist()]
    rows += cut.positions(maps[:1], index(8))[0].numpy().tolist()
    monkeypatch.setattr(cut, "config", dataclasses.replace(cut.config, seed=1))
    rows += cut.positions(maps[:1], index(7))[0].numpy().tolist()
    assert len(set(map(tuple, rows))) == len(rows) == 12
    # Where the sizes are not known while the graph is made.
    draw = tf.function(lambda image: draw_positions((0, 100), index(9), image, 5))
    unknown = draw.get_concrete_function(tf.TensorSpec([None, None, None, 1]))
    np.testing.assert_array_equal(unknown(maps[0]), alone[0][:1])


def test_every_pixel_is_drawn_equally_often() -> None:
    draw = tf.function(lambda index: draw_positions((0, 1), index, tf.zeros([1, 2, 4, 1]), 2))
    counts = np.bincount(draw(tf.range(600, dtype=tf.int64)).numpy().ravel(), minlength=8)
    # 150 each, with a deviation of 11: five of them.
    assert len(counts) == 8 and np.abs(counts - 150).max() < 56


def test_coins_are_fair_and_of_seed_and_example_alone(cut, monkeypatch) -> None:
    many = tf.range(400, dtype=tf.int64)
    coins = tf.function(cut.coins)(many).numpy()
    assert abs(coins.mean() - 0.5) < 0.125  # five deviations
    np.testing.assert_array_equal(cut.coins(many[5:9]), coins[5:9])
    monkeypatch.setattr(cut, "config", dataclasses.replace(cut.config, seed=1))
    assert 0.3 < (coins != tf.function(cut.coins)(many).numpy()).mean() < 0.7


def test_patches_of_a_mirrored_image_are_those_of_the_image() -> None:
    image = tf.reshape(tf.range(2 * 3 * 5, dtype=tf.float32), [2, 3, 5, 1])
    is_mirrored, positions = tf.constant([True, False]), tf.constant([[0, 4, 7, 11], [1, 2, 3, 14]])
    turned = mirrored(image, is_mirrored)
    np.testing.assert_array_equal(turned[0, :, :, 0], image[0, :, ::-1, 0])
    np.testing.assert_array_equal(turned[1], image[1])
    places = mirrored_positions(positions, is_mirrored, turned)
    np.testing.assert_array_equal(pixels_at(turned, places), pixels_at(image, positions))
    np.testing.assert_array_equal(pixels_at(image, positions)[..., 0], [[0, 4, 7, 11], [16, 17, 18, 29]])


def test_a_vector_of_zeros_has_no_direction_and_teaches_nothing() -> None:
    vectors = tf.constant([[3.0, 4.0], [0.0, 0.0]])
    with tf.GradientTape() as tape:
        tape.watch(vectors)
        units = UnitLength()(vectors)
        total = tf.reduce_sum(units * [[1.0, 0.0], [1.0, 1.0]])
    np.testing.assert_allclose(units, [[0.6, 0.8], [0.0, 0.0]], rtol=1e-6)
    # The slope of x / r is y^2 / r^3 along x and -x y / r^3 along y.
    np.testing.assert_allclose(tape.gradient(total, vectors), [[16 / 125, -12 / 125], [0.0, 0.0]], rtol=1e-5)


def test_which_features_are_compared(cut) -> None:
    assert tiny_config("cut", num_blocks=9).feature_layers == ["image", "down_0", "down_1", "block_0", "block_4"]
    assert tiny_config("cut").feature_layers == ["image", "down_0", "down_1", "block_0"]
    image = noise_batch(cut.config)["input_image"]
    model = built("cut", nce_layers="block_0, conv_in", num_blocks=2)
    names, (block, conv) = model.config.feature_layers, model.encoder(image)
    assert names == ["block_0", "conv_in"] and block.shape == (2, 8, 8, 16) and conv.shape == (2, 32, 32, 4)
    assert [layer.shape[-1] for layer in model.heads.inputs] == [16, 4]
    # The image is seen with its border, and nothing behind the last feature is computed.
    border, *_ = cut.encoder(image)
    np.testing.assert_array_equal(border, np.pad(image, [(0, 0), (3, 3), (3, 3), (0, 0)], mode="reflect"))
    assert not any(layer.name.startswith("up_") for layer in model.encoder.layers)


def test_settings_reach_their_networks() -> None:
    def layers(model, kind: str) -> list[int]:
        networks = (model.generator, model.discriminator)
        return [sum(kind in type(layer).__name__ for layer in network.layers) for network in networks]

    default, plain = built("cut"), built("cut", antialias=False, upsampling="transposed", head="none")
    assert (layers(default, "BlurDown"), layers(default, "BlurUp")) == ([2, 1], [2, 0])
    assert (layers(plain, "Blur"), layers(plain, "Transpose")) == ([0, 0], [2, 0])
    assert list(plain.networks) == ["generator", "discriminator"] and not plain.heads.weights
    losses = plain.train_step(noise_batch(plain.config))
    assert all(np.isfinite(loss) for loss in losses.values())


def test_batch_norm_translates_as_inference_mode_says() -> None:
    image = noise_batch(tiny_config("cut"))["input_image"]
    outputs = {}
    for mode in ("train", "eval"):
        model = built("cut", norm="batch", inference_mode=mode, init_gain=0.5)
        outputs[mode] = model.translators["translate"].function(image).numpy()
    assert np.abs(outputs["train"] - outputs["eval"]).max() > 0.01


def test_plateau_watches_how_far_images_of_the_target_are_moved(cut) -> None:
    batch = noise_batch(cut.config)
    image = batch["target_image"]
    # At the start next to nothing comes out of the generator.
    assert float(cut.validation_l1(batch)) == pytest.approx(np.abs(image).mean(), rel=0.05)
    batch["input_image"] = tf.zeros_like(image)
    cut.generator.get_layer("conv_out").bias.assign(tf.fill([3], np.arctanh(0.5)))
    moved = np.abs(cut.generator(image) - image).mean()
    assert (
        float(cut.validation_l1(batch)) == pytest.approx(moved, rel=1e-5) and abs(moved - np.abs(image).mean()) > 0.05
    )


REFUSED = [
    ({"target_channels": 1}, ["input_channels=3 and target_channels=1", "same channels"]),
    ({"image_size": 34}, ["image_size=34", "multiple of 4"]),
    ({"preprocess": "none", "batch_size": 1}, ["preprocess=none", "--set identity_nce=false"]),
    ({"nce_layers": "image,block_1"}, ["there is no block_1", "image, conv_in, down_0, down_1, block_0"]),
    ({"nce_layers": "0,4,8"}, ["there is no 0"]),
    ({"nce_layers": "image,image"}, ["each only once"]),
    ({"nce_layers": ""}, ["there is no ; give some of image"]),
    ({"temperature": 0.0}, ["temperature=0.0: expected at least"]),
    ({"lambda_nce": 0.0}, ["lambda_nce=0.0: expected at least"]),
    ({"num_patches": 1}, ["num_patches=1: expected at least 2"]),
]


@pytest.mark.parametrize(("settings", "parts"), REFUSED)
def test_what_is_refused(settings, parts) -> None:
    with pytest.raises(UserError) as caught:
        tiny_config("cut", **settings)
    assert all(part in str(caught.value) for part in parts) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "name"),
    [({"head": "none"}, "head_width"), ({}, "inference_mode"), ({}, "lambda_gradient_penalty")],
)
def test_what_has_no_effect_is_refused(settings, name) -> None:
    with pytest.raises(UserError, match=f"^{name} has no effect with"):
        refuse_idle(tiny_config("cut", **settings), [name])
    used = {"norm": "batch", "gan_mode": "wgangp"}
    refuse_idle(tiny_config("cut", **used), [name])
