"""The exported SavedModel: equal to the Python model by every way in which it can be loaded, small, and safe."""

import io
import sys

import keras
import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from small_run import small_model
from tensorflow.core.protobuf import saved_model_pb2
from tensorflow.python.tools import saved_model_cli

from gan_zoo.errors import UserError
from gan_zoo.export import decoding, saved_model
from gan_zoo.images import decode_image, encode_png, to_channels
from gan_zoo.models.base import Translator
from gan_zoo.translation import translating

RANDOM = np.random.default_rng(0)


@pytest.fixture(scope="module")
def model():
    return small_model(input_channels=1)


@pytest.fixture(scope="module")
def translator(model):
    return model.translators["translate"]


@pytest.fixture(scope="module")
def path(model, tmp_path_factory):
    return saved_model.export(model.translators, tmp_path_factory.mktemp("export"), 7)


@pytest.fixture(scope="module")
def loaded(path):
    return tf.saved_model.load(str(path)).signatures


@pytest.fixture(scope="module")
def translate(translator):
    # Compiled, as everything that uses it: eager kernels round the last bit differently.
    return tf.function(lambda *inputs: translating.translate(translator, *inputs))


def image(height: int, width: int, batch: int = 1, channels: int = 1) -> tf.Tensor:
    return tf.constant(RANDOM.integers(0, 256, (batch, height, width, channels), np.uint8))


def picture_file(mode: str, file_format: str, size=(40, 33)) -> bytes:
    blocks = RANDOM.integers(0, 256, (9, 9, 4), np.uint8)
    data = io.BytesIO()
    Image.fromarray(blocks).resize(size, Image.Resampling.BICUBIC).convert(mode).save(data, file_format)
    return data.getvalue()


def assert_same_picture(first, second) -> None:
    """For kernels that were compiled otherwise, or for another batch: they differ by about 1e-6.

    So hardly any value, being at the edge, rounds to the level beside.
    """
    difference = np.abs(np.asarray(first, np.float32) - np.asarray(second, np.float32))
    assert difference.max() <= 1 and (difference > 0).mean() < 0.01


def test_signatures(loaded):
    assert set(loaded) == {
        "serving_default",
        "sample",
        "sample_random",
        "encode",
        "translate_bytes",
        "translate_uint16",
    }


@pytest.mark.parametrize("size", [(32, 32), (50, 37), (8, 65)])
def test_deterministic_translation_equals_the_python_model(loaded, translate, size):
    x = image(*size, batch=2)
    translation = loaded["serving_default"](image=x)["translation"]
    assert translation.dtype == tf.uint8 and translation.shape == (2, *size, 3)
    np.testing.assert_array_equal(translation, translate(x))
    assert np.std(translation) > 10  # a translation, not a grey area that anything would equal


def test_padding_does_not_show_where_none_is_needed(loaded, model):
    x = image(64, 32)
    fake = model.generator([tf.cast(x, tf.float32) / 127.5 - 1, tf.zeros([1, 3])], training=False)
    expected = np.round((fake.numpy() + 1) * 127.5)
    assert_same_picture(loaded["serving_default"](image=x)["translation"], expected)


def test_sample_uses_its_z(loaded, translate):
    x, z = image(32, 32, batch=2), tf.constant([[1.0, 0, 0], [0, -2, 0.5]])
    translation = loaded["sample"](image=x, z=z)["translation"]
    np.testing.assert_array_equal(translation, translate(x, z))
    assert (translation != loaded["serving_default"](image=x)["translation"]).numpy().any(axis=(1, 2, 3)).all()


def test_random_samples_depend_on_seed_and_position_alone(loaded, translate):
    x = tf.repeat(image(32, 32), 3, axis=0)

    def draw(seed, count=3):
        return loaded["sample_random"](image=x[:count], seed=tf.constant(seed, tf.int64))["translation"].numpy()

    of_one_seed = draw(5)
    np.testing.assert_array_equal(of_one_seed, draw(5))
    assert_same_picture(of_one_seed[:2], draw(5, count=2))
    np.testing.assert_array_equal(of_one_seed, translate(x, translating.sample_z(5, 3, 3)))
    assert len({sample.tobytes() for sample in (*of_one_seed, draw(6)[0])}) == 4
    # A seed for each image: what the image gets alone, wherever it stands in the batch.
    assert_same_picture(draw([6, 5, 5]), [draw(6)[0], of_one_seed[0], of_one_seed[0]])


def test_random_z_are_a_function_of_seed_and_position():
    z = translating.sample_z(5, 3, 4).numpy()
    np.testing.assert_array_equal(z[:2], translating.sample_z(5, 2, 4))
    np.testing.assert_array_equal(translating.sample_z([5, -6, 5], 3, 4)[::2], [z[0], z[0]])


def test_random_z_are_standard_normal():
    z = tf.function(translating.sample_z)(3, 2000, 4).numpy()
    # 8000 numbers: standard errors 0.011 of the mean and 0.016 of the variance; four of each.
    assert abs(z.mean()) < 0.045 and abs(z.var() - 1) < 0.065
    assert abs(np.corrcoef(z[:-1].ravel(), z[1:].ravel())[0, 1]) < 0.045


def test_encode_reads_the_picture_at_the_training_size(loaded, model):
    style = image(32, 32, channels=3)
    expected = model.encoder(tf.cast(style, tf.float32) / 127.5 - 1, training=False)
    answer = loaded["encode"](image=style)
    np.testing.assert_allclose(answer["mu"], expected[0], atol=1e-5)
    np.testing.assert_allclose(answer["logvar"], expected[1], atol=1e-5)
    # Twice as large, the same picture: the resize undoes it but for what its filter smooths at the edges of blocks.
    smooth = tf.cast(tf.image.resize(image(4, 4, channels=3), [32, 32], "bicubic"), tf.uint8)
    double = tf.cast(tf.image.resize(smooth, [64, 64], "bilinear"), tf.uint8)
    mu, of_double = (loaded["encode"](image=size)["mu"].numpy() for size in (smooth, double))
    assert np.abs(mu - of_double).max() < 0.1 * np.abs(mu - answer["mu"]).max()


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(
    ("mode", "file_format"),
    [("L", "JPEG"), ("RGB", "JPEG"), ("L", "PNG"), ("RGB", "PNG"), ("RGBA", "PNG"), ("LA", "PNG")],
)
def test_files_are_decoded_as_by_the_pipeline(mode, file_format, channels):
    data = picture_file(mode, file_format)
    np.testing.assert_array_equal(
        decoding.decode(tf.constant(data), channels), to_channels(decode_image(data), channels)
    )


def test_translate_bytes(loaded, translate):
    files = [picture_file("RGB", "JPEG"), picture_file("RGBA", "PNG", (70, 20)), picture_file("L", "PNG")]
    answers = loaded["translate_bytes"](image_bytes=tf.constant(files))["translation_bytes"].numpy()
    for file, answer in zip(files, answers, strict=True):
        assert answer.startswith(b"\x89PNG")
        expected = translate(tf.constant(to_channels(decode_image(file), 1))[tf.newaxis])[0]
        np.testing.assert_array_equal(decode_image(answer), expected)


def test_session_loader_of_tensorflow_serving(path, loaded):
    x, file = image(40, 33, batch=2).numpy(), picture_file("RGB", "JPEG")
    requests = {
        "serving_default": {"image": x},
        "sample": {"image": x, "z": np.ones((2, 3), np.float32)},
        "sample_random": {"image": x, "seed": np.array([4, 5])},
        "encode": {"image": np.repeat(x, 3, -1)},
        "translate_bytes": {"image_bytes": np.array([file], object)},
    }
    with tf.Graph().as_default(), tf.compat.v1.Session() as session:
        meta_graph = tf.compat.v1.saved_model.loader.load(session, ["serve"], str(path))
        answers = {}
        for name, request in requests.items():
            signature = meta_graph.signature_def[name]
            feed = {signature.inputs[key].name: value for key, value in request.items()}
            answers[name] = session.run({key: tensor.name for key, tensor in signature.outputs.items()}, feed)
    for name, request in requests.items():
        of_loaded = loaded[name](**{key: tf.constant(value) for key, value in request.items()})
        assert answers[name].keys() == of_loaded.keys()
        for key, value in of_loaded.items():
            np.testing.assert_array_equal(answers[name][key], value.numpy())


def test_saved_model_cli(path, loaded, tmp_path, monkeypatch, capsys):
    def cli(*arguments: str) -> str:
        monkeypatch.setattr(sys, "argv", ["saved_model_cli", *arguments])
        with pytest.raises(SystemExit) as leaving:
            saved_model_cli.main()
        assert not leaving.value.code
        return capsys.readouterr().out

    shown = cli("show", "--dir", str(path), "--tag_set", "serve", "--signature_def", "sample_random")
    assert "inputs['image'] tensor_info" in shown and "shape: (-1, -1, -1, 1)" in shown and "DT_INT64" in shown
    x = image(40, 33)
    np.save(tmp_path / "x.npy", x)
    arguments = ["--signature_def", "serving_default", "--inputs", f"image={tmp_path / 'x.npy'}"]
    cli("run", "--dir", str(path), "--tag_set", "serve", *arguments, "--outdir", str(tmp_path))
    expected = loaded["serving_default"](image=x)["translation"]
    np.testing.assert_array_equal(np.load(tmp_path / "translation.npy"), expected)


def test_weights_are_stored_once_and_only_those_that_are_used(path, model):
    weights = [v for network in (model.generator, model.encoder) for v in network.trainable_variables]
    size = sum(variable.numpy().nbytes for variable in weights)
    stored = sum(file.stat().st_size for file in (path / "variables").iterdir())
    assert size < stored < 1.1 * size
    names = [name for name, _ in tf.train.list_variables(str(path / "variables" / "variables"))]
    assert len([name for name in names if "OBJECT_GRAPH" not in name]) == len(weights)


def test_no_operation_keeps_a_random_state(path):
    saved = saved_model_pb2.SavedModel.FromString((path / "saved_model.pb").read_bytes())
    graph = saved.meta_graphs[0].graph_def
    nodes = [*graph.node, *(node for function in graph.library.function for node in function.node_def)]
    operations = {node.op for node in nodes}
    assert any(operation.startswith("StatelessRandomNormal") for operation in operations)
    assert not [op for op in operations if "Random" in op and not op.startswith("Stateless")]


def test_an_existing_version_stays(path, model):
    before = {file: file.stat().st_mtime_ns for file in path.rglob("*")}
    with pytest.raises(UserError, match="exists"):
        saved_model.export(model.translators, path.parent, 7)
    assert {file: file.stat().st_mtime_ns for file in path.rglob("*")} == before
    assert [file.name for file in path.parent.iterdir()] == ["7"]


def test_a_failed_export_leaves_nothing(model, tmp_path, monkeypatch):
    write = tf.saved_model.save

    def fill_the_disk(*arguments, **keywords):
        write(*arguments, **keywords)
        raise tf.errors.ResourceExhaustedError(None, None, "No space left on device\nsomewhere")

    monkeypatch.setattr(tf.saved_model, "save", fill_the_disk)
    generator = {"translate": plain_translator(channels=1)}
    with pytest.raises(UserError, match=r"no space left on the disk$"):
        saved_model.export(generator, tmp_path / "out", 1)
    assert list((tmp_path / "out").iterdir()) == []


def plain_translator(channels: int, scale: int = 1) -> Translator:
    """One without z and encoder: it brightens by 10 levels, and enlarges."""
    picture = keras.Input((None, None, channels))
    network = keras.Model(picture, keras.layers.UpSampling2D(scale)(picture))
    return Translator(
        function=lambda x: network(x) + 10 / 127.5,
        networks={"generator": network},
        input_channels=channels,
        output_channels=channels,
        image_size=16,
        size_multiple=16,
        scale=scale,
    )


def test_a_translator_without_z_that_enlarges(tmp_path):
    translators = {"translate": plain_translator(3, scale=2)}
    signatures = tf.saved_model.load(str(saved_model.export(translators, tmp_path, 0))).signatures
    assert set(signatures) == {"serving_default", "translate_bytes", "translate_uint16"}
    x = image(9, 21, channels=3)
    expected = np.repeat(np.repeat(np.minimum(x[0].numpy().astype(int) + 10, 255), 2, 0), 2, 1)
    np.testing.assert_array_equal(signatures["serving_default"](image=x)["translation"][0], expected)
    answer = signatures["translate_bytes"](image_bytes=tf.constant([encode_png(x[0])]))["translation_bytes"]
    np.testing.assert_array_equal(decode_image(answer[0].numpy()), expected)
