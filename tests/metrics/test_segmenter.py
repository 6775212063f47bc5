"""A user's segmenter: photographs are labelled as the network says, and nothing in its file runs."""

import json
import zipfile

import keras
import numpy as np
import pytest
from evaluate_run import figures, run_evaluate, write_images
from label_pngs import BY_HAND, PREDICTED, TRUE, png
from tiny_runs import assert_one_line

from gan_zoo.errors import UserError
from gan_zoo.evaluation.label_batches import LabelBatches
from gan_zoo.metrics.segmenter import Segmenter

pytestmark = pytest.mark.usefixtures("offline")


def save_model(path, size: int | None = None, pool: int = 1) -> str:
    """Says 1 where red is above 150, 2 where green is above 150 and above red, else 0: in [0, 255]."""
    photo = keras.Input((size, size, 3))
    convolution = keras.layers.Conv2D(3, 1, activation=None)
    scores = convolution(photo)
    if pool > 1:
        scores = keras.layers.AveragePooling2D(pool)(scores)
    model = keras.Model(photo, scores)
    kernel = np.zeros((1, 1, 3, 3), np.float32)
    kernel[0, 0, 0, 1] = kernel[0, 0, 1, 2] = 1
    convolution.set_weights([kernel, np.array([150, 0, 0], np.float32)])
    model.save(path)
    return str(path)


def photo_of(labels: np.ndarray, repeats: int) -> np.ndarray:
    """A photograph in which the network of `save_model` sees these labels, each pixel `repeats` wide."""
    colours = np.array([[100, 100, 100], [200, 155, 0], [100, 200, 255]], np.uint8)
    return colours[labels].repeat(repeats, 0).repeat(repeats, 1)


def test_photographs_through_a_network_of_any_size(tmp_path) -> None:
    seen = PREDICTED.copy()
    seen[1, 3] = 2  # under the void
    model = save_model(tmp_path / "model.keras")
    write_images(tmp_path / "made", {"a.png": photo_of(seen, 4)})
    write_images(tmp_path / "real", {"a.png": png(TRUE.repeat(4, 0).repeat(4, 1), "P")})
    words = (f"--generated={tmp_path / 'made'}", f"--reference={tmp_path / 'real'}", f"--segmenter={model}")
    result = run_evaluate(*words)
    assert (result.code, result.err) == (0, ""), result
    record = json.loads((tmp_path / "made_evaluation" / "folders.json").read_text(encoding="utf-8"))
    found = figures(record)
    assert (
        "colourfulness" in found
    )  # the photographs' own; nothing is compared with the label maps as if they were such
    assert {key: found[f"label_score/{key}"] for key in BY_HAND} == pytest.approx(BY_HAND)
    score = next(figure for figure in record["figures"] if figure["name"] == "label_score/mean_iou")
    assert len(score["weights_sha256"]) == 64 and "model.keras" in score["protocol"] and "[0, 255]" in score["protocol"]
    assert record["about"]["segmenter"] == model
    page = (tmp_path / "made_evaluation" / "report.html").read_text(encoding="utf-8")
    assert "true labels" in page
    assert_one_line(run_evaluate(*words, "--metrics=l1"), 2, "--segmenter serves label_score")
    assert_one_line(run_evaluate(*words, "--metrics=label_score,l1"), 2, "l1 needs the truth")


def test_sizes_between_photograph_network_and_label_map(tmp_path) -> None:
    """8x8 goes into the network, 4x4 comes out; photographs are larger or smaller, label maps of a third size."""
    labels = np.array([[0, 1, 2, 0], [1, 1, 0, 2], [2, 0, 1, 1], [0, 2, 2, 1]])
    segmenter = Segmenter(save_model(tmp_path / "model.keras", size=8, pool=2))
    write_images(tmp_path / "made", {"small.png": photo_of(labels, 2), "large.png": photo_of(labels, 8)})
    true = labels.repeat(3, 0).repeat(3, 1)  # its pixels in the middle of each three count
    true[::3], true[:, ::3] = 255, 255
    write_images(tmp_path / "real", {"small.png": png(true), "large.png": png(true.T)})
    (batch_a, batch_b) = LabelBatches(tmp_path / "made", tmp_path / "real", None, segmenter).batches(2)
    batches = {batch.names[0]: batch for batch in (batch_a, batch_b)}
    np.testing.assert_array_equal(batches["small"].output_masks, labels[None])
    np.testing.assert_array_equal(batches["small"].masks, labels[None])
    np.testing.assert_array_equal(batches["large"].masks, labels.T[None])
    # Shrunk to a quarter a block of eight becomes two pixels, which borrow an eighth from their neighbours: of averages
    # over the block 15/16 is its own colour, too much for another label.
    np.testing.assert_array_equal(batches["large"].output_masks, labels[None])
    # Where the network takes any size, the photograph takes that of its label map.
    free = Segmenter(save_model(tmp_path / "free.keras"))
    assert free(photo_of(labels, 2)[None], (12, 12)).shape == (1, 12, 12)
    np.testing.assert_array_equal(free(photo_of(labels, 2)[None], (8, 8))[0], labels.repeat(2, 0).repeat(2, 1))


def test_true_labels_that_the_network_does_not_know(tmp_path) -> None:
    segmenter = Segmenter(save_model(tmp_path / "model.keras"))
    write_images(tmp_path / "made", {name: photo_of(TRUE % 2, 4) for name in ("a.png", "b.png")})
    write_images(tmp_path / "real", {"a.png": png(TRUE + np.uint8(2)), "b.png": png(TRUE)})
    batches = LabelBatches(tmp_path / "made", tmp_path / "real", None, segmenter)
    assert [batch.names for batch in batches.batches(8)] == [["b"]]
    assert batches.skipped[str(tmp_path / "real" / "a.png")].startswith("has the label 3, the segmenter knows 0 to 2")


def rewritten(path, change) -> None:
    """Changes the configuration within a Keras file."""
    with zipfile.ZipFile(path) as archive:
        contents = {name: archive.read(name) for name in archive.namelist()}
    config = json.loads(contents["config.json"])
    change(config)
    contents["config.json"] = json.dumps(config).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in contents.items():
            archive.writestr(name, data)


def test_nothing_in_a_file_runs(tmp_path) -> None:
    witness = tmp_path / "witness"
    photo = keras.Input((8, 8, 3))
    name = str(witness)
    runs = keras.layers.Lambda(lambda image: (open(name, "w").close(), image)[1], (8, 8, 3))(photo)
    keras.Model(photo, runs).save(tmp_path / "lambda.keras")
    witness.unlink(missing_ok=True)
    write_images(tmp_path / "made", {"a.png": png(TRUE)})
    words = (f"--generated={tmp_path / 'made'}", f"--reference={tmp_path / 'made'}")
    result = run_evaluate(*words, f"--segmenter={tmp_path / 'lambda.keras'}")
    assert_one_line(result, 2, "lambda.keras holds keras.layers.Lambda, which might run code")
    assert not witness.exists()

    touch = {"module": "os", "class_name": "function", "config": "system", "registered_name": "system"}
    load = {"module": "keras.models", "class_name": "load_model", "config": {"filepath": "x", "safe_mode": False}}
    cases = [
        (touch, "os.function"),
        (touch | {"module": "builtins", "config": "exec"}, "builtins.function"),
        (touch | {"module": None}, "holds function"),
        (load, "keras.models.load_model"),
        (load | {"module": "keras", "class_name": "models.load_model"}, "keras.models.load_model"),
        ({"class_name": "Lambda", "config": {}}, "holds Lambda"),
        ({"module": "keras.layers", "class_name": "TFSMLayer", "config": {"filepath": "x"}}, "keras.layers.TFSMLayer"),
        ({"module": "my_code", "class_name": "Layer", "config": {}}, "my_code.Layer"),
    ]
    for number, (value, message) in enumerate(cases):
        path = tmp_path / f"{number}.keras"
        save_model(path)
        rewritten(path, lambda config, value=value: config["config"]["layers"][1]["config"].update(activation=value))
        with pytest.raises(UserError, match=f"{message}, which might run code"):
            Segmenter(path)


def test_models_that_are_no_segmenters(tmp_path) -> None:
    photo = keras.Input((8, 8, 3))
    grey = keras.Input((8, 8, 1))
    models = {
        "grey": (keras.Model(grey, grey), r"takes \[any, 8, 8, 1\]: one input \[B, H, W, 3\] is needed"),
        "two": (keras.Model([photo, grey], photo), r"takes \[any, 8, 8, 3\] and \[any, 8, 8, 1\]: one input"),
        "flat": (keras.Model(photo, keras.layers.Flatten()(photo)), r"gives \[any, 192\]: one output"),
        "one": (keras.Model(photo, keras.layers.Conv2D(1, 1)(photo)), r"gives \[any, 8, 8, 1\]: one output"),
    }
    for name, (model, message) in models.items():
        model.save(tmp_path / f"{name}.keras")
        with pytest.raises(UserError, match=message):
            Segmenter(tmp_path / f"{name}.keras")
    (tmp_path / "bad.keras").write_text("hello")
    (tmp_path / "old.h5").write_text("hello")
    for name, message in {
        "none.keras": "there is no file",
        "bad.keras": "no Keras file",
        "old.h5": "does not end",
    }.items():
        with pytest.raises(UserError, match=message):
            Segmenter(tmp_path / name)
    save_model(tmp_path / "cut.keras")
    rewritten(tmp_path / "cut.keras", lambda config: config["config"].pop("output_layers"))
    with pytest.raises(UserError, match=r"cannot be loaded: ") as caught:
        Segmenter(tmp_path / "cut.keras")
    assert "\n" not in str(caught.value)
    infinite = keras.Sequential([photo, keras.layers.Rescaling(float("inf"))])
    infinite.save(tmp_path / "infinite.keras")
    with pytest.raises(UserError, match="values that are not finite"):
        Segmenter(tmp_path / "infinite.keras")(np.zeros((1, 8, 8, 3), np.uint8), (8, 8))
    deep = keras.Sequential([keras.Input((None, None, 3)), keras.layers.Conv2D(3, 3)])
    deep.save(tmp_path / "deep.keras")
    with pytest.raises(UserError, match="fails on images of 1x1 pixels: "):
        Segmenter(tmp_path / "deep.keras")(np.zeros((1, 8, 8, 3), np.uint8), (1, 1))


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data,
        lambda data: data[:40] + b"\xff\xff" + data[42:],
        lambda data: data.replace(b"PK\x01\x02\x14\x03\x14\0\0\0\0\0", b"PK\x01\x02\x14\x03\x14\0\0\0\x63\0"),
        lambda data: data.replace(b"PK\x01\x02\x14\x03\x14\0\0\0\0\0", b"PK\x01\x02\x14\x03\x14\0\x01\0\0\0"),
        lambda data: data.replace(b"[[[[", b"\xff\xff\xff\xff", 1),
        lambda data: data[: len(data) // 2],
        lambda data: b"PK\x05\x06" + bytes(18),
        lambda data: b"",
    ],
    ids=["deep", "flipped", "packed unknown", "encrypted", "no text", "cut", "empty archive", "empty"],
)
def test_broken_files_take_one_line(tmp_path, damage) -> None:
    """One whose JSON is nested deeper than Python follows, and the same with more wrong."""
    path = tmp_path / "model.keras"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr(zipfile.ZipInfo("config.json"), "[" * 100_000 + "]" * 100_000)
    before = path.read_bytes()
    path.write_bytes(damage(before))
    for name in ("made", "real"):
        write_images(tmp_path / name, {"a.png": png(TRUE, "P")})
    result = run_evaluate(f"--generated={tmp_path / 'made'}", f"--reference={tmp_path / 'real'}", f"--segmenter={path}")
    assert_one_line(result, 2, f"--segmenter: {path} is no Keras file, or a damaged one")


def test_a_huge_description_is_not_unpacked(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr("gan_zoo.pretrained.keras_files.MAX_CONFIG", 1000)
    with zipfile.ZipFile(tmp_path / "model.keras", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "[" + " " * 1000 + "]")
    with pytest.raises(UserError, match="is no Keras file"):
        Segmenter(tmp_path / "model.keras")
