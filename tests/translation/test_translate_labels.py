"""A translator that takes labels: `translate.py`, from Python, as an export, in sample pictures and in evaluations."""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from small_run import picture, read, run_translate, save_run, small

import gan_zoo
from gan_zoo.errors import UserError
from gan_zoo.evaluation import translated_batches
from gan_zoo.evaluation.translated_batches import TranslatedBatches, evaluation_label, provides
from gan_zoo.export import saved_model
from gan_zoo.images import encode_png, to_uint8
from gan_zoo.models.base import Translator
from gan_zoo.training.samples import sample_grid
from gan_zoo.translation import memory, translating
from gan_zoo.translation.labels import wanted_labels

NAMES = ("red", "../green", "blue")


@pytest.fixture(scope="module")
def model():
    return small("stargan", classes=",".join(NAMES))


@pytest.fixture(scope="module")
def run(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    save_run(folder / "run", model, name="stargan")
    return folder / "run"


def expected(model, image: np.ndarray) -> list[np.ndarray]:
    """The translations to all labels."""
    translator = model.translators["translate"]
    return [translating.translate(translator, image[np.newaxis], np.eye(3, dtype=np.float32)[[k]])[0] for k in range(3)]


def assert_same_picture(first, second) -> None:
    """Kernels that were compiled otherwise: hardly a value rounds to the level beside."""
    difference = np.abs(np.asarray(first, np.float32) - np.asarray(second, np.float32))
    assert difference.max() <= 1 and (difference > 0).mean() < 0.01


def test_pictures_get_each_label_or_those_that_are_asked_for(model, run, tmp_path, capsys) -> None:
    image = picture(36, 33)
    (tmp_path / "a.png").write_bytes(encode_png(image))
    places = [f"--workdir={run}", f"--input={tmp_path / 'a.png'}", f"--output={tmp_path / 'out'}"]
    code, _, err = run_translate(capsys, *places)
    assert (code, err) == (0, "")
    # A label is the word of whoever made the run: no path comes of it.
    names = ["a_red.png", "a_.._green.png", "a_blue.png"]
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == sorted([*names, "contact_sheet.png"])
    for name, translation in zip(names, expected(model, image), strict=True):
        assert_same_picture(read(tmp_path / "out" / name), translation)
    sheet = read(tmp_path / "out" / "contact_sheet.png")
    assert sheet.shape[1] >= 4 * 33  # input, and three labels

    places[-1] = f"--output={tmp_path / 'some'}"
    assert run_translate(capsys, *places, "--label=blue,red")[0] == 0
    assert sorted(path.name for path in (tmp_path / "some").glob("a_*")) == ["a_blue.png", "a_red.png"]
    for words, message in [
        (["--label=blue,pink"], "--label=blue,pink: unknown is 'pink'; there are red, ../green, blue"),
        (["--label="], "--label is empty; there are red"),
        (["--cycle"], "--cycle: the model of run would have to know the label that a picture has now"),
        (["--num_samples=2"], "has one answer to a picture"),
    ]:
        code, _, err = run_translate(capsys, *places, *words)
        assert code == 2 and err.count("\n") == 1 and message in err


def test_other_models_take_no_label(tmp_path, capsys) -> None:
    save_run(tmp_path / "run", small("srgan"), name="srgan")
    (tmp_path / "a.png").write_bytes(encode_png(picture(16, 16)))
    places = [f"--workdir={tmp_path / 'run'}", f"--input={tmp_path / 'a.png'}", f"--output={tmp_path / 'out'}"]
    code, _, err = run_translate(capsys, *places, "--label=red")
    assert code == 2 and err == "error: --label: the model of run takes none\n"
    with pytest.raises(UserError, match="label='red': this model takes none"):
        gan_zoo.load(tmp_path / "run").translate(picture(16, 16), label="red")


def test_attributes_are_had_together_and_others_are_not() -> None:
    def takes(*labels: str, one: bool) -> Translator:
        sizes = {"input_channels": 3, "output_channels": 3, "image_size": 16, "size_multiple": 4}
        return Translator(function=lambda *_: None, networks={}, labels=labels, one_label=one, **sizes)

    attributes, classes = (takes("a", "b", "c", one=one) for one in (False, True))
    found = wanted_labels(attributes, ["c", "a"])
    assert {name: label.tolist() for name, label in found.items()} == {"c a": [1, 0, 1]}
    alone = {"a": [1, 0, 0], "b": [0, 1, 0], "c": [0, 0, 1]}
    for translator in (attributes, classes):
        assert {name: label.tolist() for name, label in wanted_labels(translator, None).items()} == alone
    assert {name: label.tolist() for name, label in wanted_labels(classes, ["c", "a"]).items()} == {
        "c": alone["c"],
        "a": alone["a"],
    }


@pytest.fixture(scope="module")
def exported(model, tmp_path_factory):
    return saved_model.export(model.translators, tmp_path_factory.mktemp("export"), 3)


def test_from_python_a_run_and_its_export_answer_alike(model, run, exported) -> None:
    images = np.stack([picture(36, 33), picture(36, 33)])
    truth = np.stack([expected(model, image) for image in images])  # [2, 3, H, W, C]
    for path in (run, exported):
        zoo = gan_zoo.load(path)
        assert zoo.translators["translate"].labels == NAMES and zoo.translators["translate"].one_label
        assert_same_picture(zoo.translate(images), truth)
        assert_same_picture(zoo.translate(images[1], label="blue"), truth[1, 2])
        assert_same_picture(zoo.translate(images, label=["blue", "red"]), truth[:, [2, 0]])
        with pytest.raises(UserError, match=r"label=pink: unknown is 'pink'; there are red, ../green, blue"):
            zoo.translate(images, label="pink")
        with pytest.raises(UserError, match="knows no way back"):
            zoo.cycle(images)


def test_the_signatures_of_an_export(model, exported) -> None:
    signatures = tf.saved_model.load(str(exported)).signatures
    assert set(signatures) == {"serving_default", "translate_uint16", "translate_bytes", "translate_to", "labels"}
    said = signatures["labels"]()
    assert [name.decode() for name in said["names"].numpy()] == list(NAMES) and said["exclusive"].numpy()
    image = tf.constant(picture(32, 32)[np.newaxis])
    first = signatures["serving_default"](image=image)["translation"]
    assert_same_picture(first[0], expected(model, image[0].numpy())[0])
    mixed = tf.constant([[0.5, 0.25, 0.0]])
    answer = signatures["translate_to"](image=image, label=mixed)["translation"]
    assert_same_picture(answer, translating.translate(model.translators["translate"], image, mixed))
    for label in ([[0.0, 1.0]], [0.0, 0.0, 1.0], [[0.0, 0.0, 1.0]] * 2):
        with pytest.raises(tf.errors.InvalidArgumentError, match=r"label: a shape of .* of red, ../green, blue"):
            signatures["translate_to"](image=image, label=tf.constant(label))


def test_samples_show_what_each_label_asks_for_and_the_way_back(model, monkeypatch) -> None:
    shown = []
    monkeypatch.setattr(
        "gan_zoo.training.samples.image_grid", lambda rows, column_titles: shown.append((rows, column_titles))
    )
    translator = dataclasses.replace(
        model.translators["translate"],
        function=lambda image, label: image + label @ tf.constant([[0.0], [0.25], [0.5]]),
        cycle=lambda image, label, own: image + (label - own)[:, :1, None, None],
        asked_for=lambda label: tf.roll(tf.tile(tf.eye(3)[None], [len(label), 1, 1]), 1, axis=1),
    )
    examples = {"input_image": tf.zeros([1, 1, 1, 1]), "label": tf.constant([[0.0, 0, 1]])}
    sample_grid(translator, examples, seed=0)
    [((row,), titles)] = shown
    assert titles == ["input", *NAMES, "cycled"]
    # The first label asks for the third one here, and so on.
    levels = [0.0, 0.5, 0.0, 0.25, 0.0]
    np.testing.assert_array_equal([int(cell.ravel()[0]) for cell in row], to_uint8(tf.constant(levels)))


def test_evaluations_give_each_example_a_label_that_is_not_its_own(model) -> None:
    translator = model.translators["translate"]
    assert provides(translator) == {"names", "outputs", "inputs", "cycled"}
    own = tf.one_hot(tf.range(300) % 3, 3)
    index = tf.range(300, dtype=tf.int64)
    given = evaluation_label(translator, own, index, seed=1).numpy()
    assert (given.sum(1) == 1).all() and not (given * own).numpy().any()
    # Each of the other two as likely: four standard errors of 100 draws.
    for label in range(3):
        assert np.abs(given[label::3].mean(0)[(label + 1) % 3] - 0.5) < 4 * 0.5 / np.sqrt(100)
    np.testing.assert_array_equal(given[7:9], evaluation_label(translator, own[7:9], index[7:9], seed=1))
    assert (given != evaluation_label(translator, own, index, seed=2).numpy()).any()

    image = tf.constant(np.random.default_rng(0).uniform(-1, 1, (5, 32, 32, 3)), tf.float32)
    examples = {"input_image": image, "target_image": image, "label": own[:5], "example_index": index[:5]}
    batches = [{key: value[:3] for key, value in examples.items()}, {key: value[3:] for key, value in examples.items()}]
    found = list(TranslatedBatches(translator, fields={"cycled", "inputs"}, seed=1)(batches))
    outputs, cycled = (np.concatenate([getattr(batch, key) for batch in found]) for key in ("outputs", "cycled"))
    assert_same_picture(outputs, to_uint8(model.translate(image, tf.constant(given[:5]))))
    assert_same_picture(cycled, to_uint8(model.translate(model.translate(image, tf.constant(given[:5])), own[:5])))
    assert translated_batches.LABEL_KEY == "label" and memory.bytes_per_pixel(translator) > 0
