"""What a translator makes of a data set: the fields that are asked for, with noise that no batch has a part in."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from small_run import seeded_translator, small, small_model, there_and_back

from gan_zoo.evaluation.translated_batches import (
    OneDomain,
    TranslatedBatches,
    evaluation_noise,
    provides,
    reference_images,
)
from gan_zoo.images import to_uint8

COUNT = 5


def batches(size: int, *, side: int = 32, channels=(3, 3), first: int = 0) -> list[dict[str, tf.Tensor]]:
    """Five examples whose numbers begin at `first`, as the pipeline batches them."""
    images = [
        np.random.default_rng(number).uniform(-1, 1, [COUNT, side, side, depth]).astype(np.float32)
        for number, depth in enumerate(channels)
    ]
    examples = {
        "input_image": tf.constant(images[0]),
        "target_image": tf.constant(images[1]),
        "example_index": tf.range(first, first + COUNT, dtype=tf.int64),
    }
    return [{key: value[at : at + size] for key, value in examples.items()} for at in range(0, COUNT, size)]


@pytest.fixture(scope="module")
def bicyclegan():
    return small_model().translators["translate"]


def whole(translator, size: int, **settings) -> dict[str, np.ndarray]:
    found = list(TranslatedBatches(translator, **settings)(batches(size)))
    return {field: np.concatenate([getattr(batch, field) for batch in found]) for field in found[0].fields - {"names"}}


@pytest.fixture(scope="module")
def in_one_batch(bicyclegan):
    return whole(bicyclegan, COUNT, fields=provides(bicyclegan), num_samples=3, seed=1)


def test_noise_is_of_seed_example_and_sample_alone(bicyclegan) -> None:
    index = tf.constant([0, 1, 7, 10**12], tf.int64)
    noise = evaluation_noise(bicyclegan, index, seed=3, num_samples=4).numpy()
    assert noise.shape == (4, 4, 3) and noise.dtype == np.float32
    np.testing.assert_array_equal(noise[2:, :2], evaluation_noise(bicyclegan, index[2:], seed=3, num_samples=2))
    np.testing.assert_array_equal(noise[[1]], evaluation_noise(bicyclegan, index[1:2], seed=3, num_samples=4))
    other = evaluation_noise(bicyclegan, index, seed=4, num_samples=4).numpy()
    assert len(np.unique(np.concatenate([noise, other]).round(6))) == 2 * noise.size  # nothing twice
    in_a_graph = tf.function(lambda index: evaluation_noise(bicyclegan, index, seed=0, num_samples=5))
    many = in_a_graph(tf.range(60, dtype=tf.int64)).numpy()
    # 900 standard normal numbers: mean and deviation within four standard errors.
    assert abs(many.mean()) < 4 / np.sqrt(900) and abs(many.std() - 1) < 4 / np.sqrt(1800)

    seeds = evaluation_noise(seeded_translator(), index, seed=3, num_samples=3).numpy()
    assert seeds.dtype == np.int64 and seeds.shape == (4, 3) and len(np.unique(seeds)) == seeds.size
    np.testing.assert_array_equal(seeds[:, :1], evaluation_noise(seeded_translator(), index, seed=3, num_samples=1))


def test_batches_and_number_of_samples_change_nothing(bicyclegan, in_one_batch) -> None:
    fields = provides(bicyclegan)
    assert fields == {"names", "outputs", "inputs", "targets", "samples", "z", "recovered_z", "mu", "logvar"}
    whole_set = in_one_batch
    for size, num_samples in [(2, 3), (4, 2)]:
        parts = whole(bicyclegan, size, fields=fields, num_samples=num_samples, seed=1)
        np.testing.assert_array_equal(parts["z"], whole_set["z"])
        for field, values in parts.items():
            expected = whole_set[field][:, :num_samples] if field == "samples" else whole_set[field]
            if values.dtype == np.uint8:  # sums of other orders may round to the next level
                difference = np.abs(values.astype(int) - expected)
                assert difference.max() <= 1 and (difference > 0).mean() < 1e-3, field
            else:
                np.testing.assert_allclose(values, expected, rtol=1e-4, atol=1e-4, err_msg=field)
    np.testing.assert_array_equal(whole_set["samples"][:, 0], whole_set["outputs"])
    first, second = whole_set["samples"][:, 0].astype(int), whole_set["samples"][:, 1]
    assert np.abs(first - second).mean() > 1  # z does show


def test_fields_are_what_they_are_called(bicyclegan, in_one_batch) -> None:
    (batch,) = batches(COUNT)
    found = in_one_batch
    z = evaluation_noise(bicyclegan, batch["example_index"], seed=1, num_samples=2)
    made = bicyclegan.function(batch["input_image"], z[:, 1])
    assert np.abs(found["samples"][:, 1].astype(int) - to_uint8(made).numpy()).max() <= 1
    np.testing.assert_array_equal(found["inputs"], to_uint8(batch["input_image"]))
    np.testing.assert_array_equal(found["targets"], to_uint8(batch["target_image"]))
    np.testing.assert_array_equal(found["z"], z[:, 0])
    mu, logvar = bicyclegan.encode(batch["target_image"])
    np.testing.assert_allclose(found["mu"], mu, rtol=1e-4, atol=1e-4)
    np.testing.assert_allclose(found["logvar"], logvar, rtol=1e-4, atol=1e-4)
    # Of the output before it was rounded to 256 levels.
    recovered = bicyclegan.encode(bicyclegan.function(batch["input_image"], z[:, 0]))[0]
    np.testing.assert_allclose(found["recovered_z"], recovered, rtol=1e-4, atol=1e-4)


def test_nothing_is_computed_that_was_not_asked_for() -> None:
    calls = []

    def noted(name, function):
        return lambda *arguments: calls.append(name) or function(*arguments)

    forth = there_and_back()["a_to_b"]
    translator = dataclasses.replace(
        forth, function=noted("function", forth.function), cycle=noted("cycle", forth.cycle)
    )
    translate = TranslatedBatches(translator, fields={"outputs"})
    for _ in range(2):  # the second time nothing is traced
        (batch,) = translate(batches(COUNT, side=16, channels=(1, 3)))
    assert calls == ["function"]
    assert batch.fields == {"names", "outputs"} and batch.names == ["0", "1", "2", "3", "4"]
    (batch,) = TranslatedBatches(translator, fields={"cycled"})(batches(COUNT, side=16, channels=(1, 3), first=7))
    assert calls == ["function"] * 2 + ["cycle"] and batch.names[0] == "7"
    np.testing.assert_array_equal(
        batch.cycled, to_uint8(forth.cycle(batches(COUNT, side=16, channels=(1, 3))[0]["input_image"]))
    )


def test_translators_of_all_kinds() -> None:
    seeded = seeded_translator()
    assert provides(seeded) == {"names", "outputs", "inputs", "targets", "samples"}
    found = whole(seeded, 2, fields=provides(seeded), num_samples=3)
    assert found["samples"].shape == (COUNT, 3, 32, 32, 3)
    assert (found["samples"][:, 0] != found["samples"][:, 1]).any(axis=(1, 2, 3)).all()
    unpaired = there_and_back()["b_to_a"]
    assert provides(unpaired) == {"names", "outputs", "inputs", "cycled"}
    (batch,) = TranslatedBatches(unpaired, fields=provides(unpaired))(batches(COUNT, side=16, channels=(1, 3)))
    assert batch.outputs.shape == (COUNT, 16, 16, 1) and batch.inputs.shape == batch.cycled.shape == (COUNT, 16, 16, 3)
    with pytest.raises(ValueError, match="no targets, z"):
        TranslatedBatches(unpaired, fields={"targets", "z"})


def test_weights_are_followed() -> None:
    model = small("pix2pix")
    translate = TranslatedBatches(model.translators["translate"], fields={"outputs"})
    (before,) = translate(batches(COUNT))
    model.networks["generator"].trainable_variables[0].assign_add(
        tf.ones_like(model.networks["generator"].trainable_variables[0])
    )
    (after,) = translate(batches(COUNT))
    assert (before.outputs != after.outputs).any()


def test_images_of_differing_sizes(bicyclegan) -> None:
    sizes = [batches(1, side=side)[0] for side in (32, 64, 96)]
    found = list(TranslatedBatches(bicyclegan, fields={"outputs", "samples"}, num_samples=2)(sizes))
    assert [batch.samples.shape for batch in found] == [(1, 2, side, side, 3) for side in (32, 64, 96)]


def test_reference_images_and_single_domains() -> None:
    images = list(reference_images(batches(2), "target_image"))
    np.testing.assert_array_equal(images, to_uint8(batches(COUNT)[0]["target_image"]))

    class Unpaired:
        domains = {"input_image": [1, 2], "target_image": [3, 4, 5]}  # noqa: RUF012

    assert OneDomain(Unpaired, "target_image").domains == {"target_image": [3, 4, 5]}
    assert [len(OneDomain(Unpaired, key)) for key in Unpaired.domains] == [2, 3]
