"""Exports of translators that take seeds, and of models that have several."""

import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from small_run import seeded_translator, small, there_and_back
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.tools import saved_model_cli

from gan_zoo.export import saved_model
from gan_zoo.images import decode_image, encode_png
from gan_zoo.models.base import Translator
from gan_zoo.translation import translating

RANDOM = np.random.default_rng(0)
PLAIN = ("serving_default", "translate_bytes", "translate_uint16")


def image(height: int, width: int, batch: int = 1, channels: int = 3) -> tf.Tensor:
    return tf.constant(RANDOM.integers(0, 256, (batch, height, width, channels), np.uint8))


def assert_same_picture(first, second) -> None:
    """For kernels that were compiled otherwise, or for another batch: hardly a value rounds to the level beside."""
    difference = np.abs(np.asarray(first, np.float32) - np.asarray(second, np.float32))
    assert difference.max() <= 1 and (difference > 0).mean() < 0.01


def compiled(translator: Translator):
    return tf.function(lambda *inputs: translating.translate(translator, *inputs))


def session_answers(path, requests: dict[str, dict[str, np.ndarray]]) -> dict[str, dict[str, np.ndarray]]:
    """What TensorFlow Serving's loader makes of one request to each signature."""
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        signatures = tf.compat.v1.saved_model.loader.load(session, ["serve"], str(path)).signature_def
        answers = {}
        for name, request in requests.items():
            feed = {signatures[name].inputs[key].name: value for key, value in request.items()}
            outputs = {key: tensor.name for key, tensor in signatures[name].outputs.items()}
            answers[name] = session.run(outputs, feed)
    return answers


def operations(path) -> list[str]:
    saved = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    graph = saved.meta_graphs[0].graph_def
    return [node.op for node in [*graph.node, *(node for f in graph.library.function for node in f.node_def)]]


def assert_stored_once(path, weights: list[keras.Variable]) -> None:
    size = sum(variable.numpy().nbytes for variable in weights)
    names = [name for name, _ in tf.train.list_variables(str(path / "variables" / "variables"))]
    assert len([name for name in names if "OBJECT_GRAPH" not in name]) == len(weights)
    assert size <= sum(file.stat().st_size for file in (path / "variables").glob("*.data*")) < 2 * size + 10_000


class TestSeeds:
    @pytest.fixture(scope="class")
    def translator(self):
        return seeded_translator()

    @pytest.fixture(scope="class")
    def path(self, translator, tmp_path_factory):
        return saved_model.export({"translate": translator}, tmp_path_factory.mktemp("export"), 3)

    @pytest.fixture(scope="class")
    def loaded(self, path):
        return tf.saved_model.load(str(path)).signatures

    def test_signatures(self, loaded, path, translator):
        assert set(loaded) == {*PLAIN, "sample_random"}
        assert not [op for op in operations(path) if "Random" in op and not op.startswith("Stateless")]
        assert_stored_once(path, translator.networks["generator"].variables)

    def test_the_default_is_seed_0_for_each_image(self, loaded, translator):
        x = image(17, 30, batch=2)
        together = loaded["serving_default"](image=x)["translation"]
        np.testing.assert_array_equal(together, compiled(translator)(x, tf.zeros([2], tf.int64)))
        np.testing.assert_array_equal(together, compiled(translator)(x))
        for row in range(2):  # whoever its neighbours are, and wherever it stands
            assert_same_picture(together[row], loaded["serving_default"](image=x[row : row + 1])["translation"][0])
        file = tf.constant([encode_png(x[1])])
        answer = loaded["translate_bytes"](image_bytes=file)["translation_bytes"][0].numpy()
        assert_same_picture(decode_image(answer), together[1])

    def test_answers_depend_on_the_own_seed_alone(self, loaded, translator):
        x = tf.repeat(image(16, 16), 3, axis=0)

        def draw(seed, count=3):
            return loaded["sample_random"](image=x[:count], seed=tf.constant(seed, tf.int64))["translation"].numpy()

        of_one_seed = draw(5)
        np.testing.assert_array_equal(of_one_seed, draw(5))
        assert_same_picture(of_one_seed[:2], draw(5, count=2))
        np.testing.assert_array_equal(of_one_seed, compiled(translator)(x, translating.sample_seeds(5, 3)))
        assert len({sample.tobytes() for sample in (*of_one_seed, draw(6)[0])}) == 4
        assert_same_picture(draw([6, 5, 5]), [draw(6)[0], of_one_seed[0], of_one_seed[0]])
        assert_same_picture(draw(0)[0], loaded["serving_default"](image=x)["translation"][0])

    def test_session_loader_and_cli(self, path, loaded, tmp_path, monkeypatch, capsys):
        x = image(9, 20, batch=2).numpy()
        requests = {
            "serving_default": {"image": x},
            "sample_random": {"image": x, "seed": np.array([4, -5])},
            "translate_bytes": {"image_bytes": np.array([encode_png(x[0])], object)},
        }
        for name, answer in session_answers(path, requests).items():
            of_loaded = loaded[name](**{key: tf.constant(value) for key, value in requests[name].items()})
            for key, value in of_loaded.items():
                np.testing.assert_array_equal(answer[key], value.numpy())

        np.save(tmp_path / "x.npy", x)
        np.save(tmp_path / "seed.npy", np.int64(4))
        inputs = f"image={tmp_path / 'x.npy'};seed={tmp_path / 'seed.npy'}"
        arguments = ["--dir", str(path), "--tag_set", "serve", "--signature_def", "sample_random", "--inputs", inputs]
        monkeypatch.setattr(sys, "argv", ["saved_model_cli", "run", *arguments, "--outdir", str(tmp_path)])
        with pytest.raises(SystemExit) as leaving:
            saved_model_cli.main()
        assert not leaving.value.code, capsys.readouterr()
        expected = loaded["sample_random"](image=tf.constant(x), seed=tf.constant(4, tf.int64))["translation"]
        np.testing.assert_array_equal(np.load(tmp_path / "translation.npy"), expected)


def test_seeds_are_a_function_of_seed_and_position():
    draw = tf.function(translating.sample_seeds, reduce_retracing=True)
    seeds = draw(tf.constant(5), tf.constant(2000)).numpy()
    assert seeds.dtype == np.int64 and seeds[0] == 5 and len(set(seeds)) == 2000
    np.testing.assert_array_equal(translating.sample_seeds(5, 3), seeds[:3])
    assert not set(draw(tf.constant(6), tf.constant(2000)).numpy()) & set(seeds)
    np.testing.assert_array_equal(translating.sample_seeds([7, -8, 7], 3), [7, -8, 7])


class TestSeveral:
    @pytest.fixture(scope="class")
    def translators(self):
        return there_and_back()

    @pytest.fixture(scope="class")
    def path(self, translators, tmp_path_factory):
        return saved_model.export(translators, tmp_path_factory.mktemp("export"), 3)

    @pytest.fixture(scope="class")
    def loaded(self, path):
        return tf.saved_model.load(str(path)).signatures

    def test_each_has_its_names_and_the_first_one_the_plain_ones(self, loaded, translators):
        assert set(loaded) == {f"{key}{suffix}" for key in PLAIN for suffix in ("", "_a_to_b", "_b_to_a")}
        grey, colour = image(9, 21, channels=1), image(9, 21, channels=3)
        for name, x in [("serving_default_a_to_b", grey), ("serving_default_b_to_a", colour)]:
            answer = loaded[name](image=x)["translation"]
            np.testing.assert_array_equal(answer, compiled(translators[name.removeprefix("serving_default_")])(x))
            assert np.std(answer) > 10
            file = tf.constant([encode_png(x[0])])
            files = loaded[name.replace("serving_default", "translate_bytes")](image_bytes=file)["translation_bytes"]
            np.testing.assert_array_equal(decode_image(files[0].numpy()), answer[0])
        first = loaded["serving_default_a_to_b"](image=grey)["translation"]
        np.testing.assert_array_equal(loaded["serving_default"](image=grey)["translation"], first)

    def test_session_loader(self, path, loaded):
        requests = {
            "serving_default": {"image": image(9, 21, channels=1).numpy()},
            "serving_default_a_to_b": {"image": image(9, 21, channels=1).numpy()},
            "serving_default_b_to_a": {"image": image(9, 21, channels=3).numpy()},
        }
        for name, answer in session_answers(path, requests).items():
            expected = loaded[name](image=tf.constant(requests[name]["image"]))["translation"].numpy()
            np.testing.assert_array_equal(answer["translation"], expected)

    def test_each_network_is_stored_once(self, path, translators):
        networks = translators["a_to_b"].networks.values()
        assert_stored_once(path, [variable for network in networks for variable in network.variables])
        # Each network is one convolution.
        assert operations(path).count("Conv2D") == 2


def test_pix2pix(tmp_path):
    model = small("pix2pix", image_size=64)  # a U-Net for 32 px has no block with dropout
    path = saved_model.export(model.translators, tmp_path, 0)
    loaded = tf.saved_model.load(str(path)).signatures
    assert set(loaded) == {*PLAIN, "sample_random"}
    # Each image has its own statistics: the running ones are not even stored.
    assert_stored_once(path, model.generator.trainable_variables)
    translator = model.translators["translate"]
    side = translator.size_multiple
    x, seeds = image(side, side, batch=2), tf.constant([0, 7], tf.int64)
    answer = loaded["sample_random"](image=x, seed=seeds)["translation"]
    np.testing.assert_array_equal(answer, compiled(translator)(x, seeds))
    default = loaded["serving_default"](image=x)["translation"]
    assert_same_picture(default[0], answer[0])
    # Rounding changes less than 0.01 of the values.
    assert (default[1] != answer[1]).numpy().mean() > 0.1 and np.std(answer) > 10
    for row in range(2):
        assert_same_picture(default[row], loaded["serving_default"](image=x[row : row + 1])["translation"][0])


def test_cyclegan(tmp_path):
    model = small("cyclegan")
    path = saved_model.export(model.translators, tmp_path, 0)
    generators = [model.generator_a_to_b, model.generator_b_to_a]
    assert_stored_once(path, [variable for network in generators for variable in network.trainable_variables])
    loaded = tf.saved_model.load(str(path)).signatures
    assert set(loaded) == {f"{key}{suffix}" for key in PLAIN for suffix in ("", "_a_to_b", "_b_to_a")}
    x = image(33, 40)
    answers = {name: loaded[f"serving_default_{name}"](image=x)["translation"] for name in model.translators}
    for name, translator in model.translators.items():
        np.testing.assert_array_equal(answers[name], compiled(translator)(x))
        assert np.std(answers[name]) > 10
    np.testing.assert_array_equal(loaded["serving_default"](image=x)["translation"], answers["a_to_b"])
