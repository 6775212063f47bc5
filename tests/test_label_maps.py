"""Label maps: every kind of PNG that holds them gives their numbers; photographs are labelled as the network says."""

import io
import json
import re
import zipfile

import keras
import numpy as np
import pytest
from PIL import Image
from test_evaluate import figures, run_evaluate, write_images
from tiny_runs import assert_one_line

from gan_zoo.errors import UserError
from gan_zoo.images import BadImage, encode_png
from gan_zoo.label_batches import LabelBatches
from gan_zoo.label_maps import decode_label_map, label_picture
from gan_zoo.metrics.segmenter import Segmenter

TRUE = np.array([[0, 0, 0, 0], [1, 1, 255, 255]], np.uint8)
PREDICTED = np.array([[0, 0, 0, 1], [1, 0, 1, 9]], np.uint8)
# By hand: of class 0 three of four pixels are right, of class 1 one of two; the unions have five and three pixels.
BY_HAND = {"pixel_accuracy": 4 / 6, "class_accuracy": (3 / 4 + 1 / 2) / 2, "mean_iou": (3 / 5 + 1 / 3) / 2}


def png(labels: np.ndarray, mode: str = "L", **save: object) -> bytes:
    """A PNG file by Pillow, of mode L, P, 1 or I;16."""
    image = Image.fromarray(labels.astype(np.uint16 if mode == "I;16" else np.uint8))
    if mode == "P":
        image = Image.frombytes("P", labels.shape[::-1], labels.astype(np.uint8).tobytes())
        image.putpalette([(7 * number) % 256 for number in range(768)])
    if mode == "1":
        image = Image.fromarray(labels.astype(bool))
    file = io.BytesIO()
    image.save(file, "PNG", **save)
    return file.getvalue()


def grey_png(labels: np.ndarray, bits: int) -> bytes:
    """A grey PNG file of 2 or 4 bit, which Pillow reads but does not write: its palette becomes none."""
    data = png(labels, "P", bits=bits)
    chunks, place = [], 8
    while place < len(data):
        length = int.from_bytes(data[place : place + 4], "big")
        chunks.append((data[place + 4 : place + 8], data[place + 8 : place + 8 + length]))
        place += 12 + length
    assert chunks[0][1][8:10] == bytes([bits, 3])
    file = data[:8]
    chunks[0] = (b"IHDR", chunks[0][1][:9] + b"\0" + chunks[0][1][10:])
    for kind, content in chunks:
        if kind == b"PLTE":
            continue
        file += len(content).to_bytes(4, "big") + kind + content
        file += zipfile.crc32(kind + content).to_bytes(4, "big")
    return file


@pytest.mark.parametrize("kind", ["L", "P", "P of 1 bit", "P of 4 bit", "1", "2 bit", "4 bit", "I;16"])
def test_numbers_as_they_are(kind) -> None:
    highest = {"L": 255, "P": 255, "I;16": 255, "2 bit": 3, "1": 1, "P of 1 bit": 1}.get(kind, 15)
    labels = np.random.default_rng(0).integers(0, highest + 1, (5, 7))
    labels[0, :2] = [0, highest]
    if kind in ("2 bit", "4 bit"):
        data = grey_png(labels, int(kind[0]))
    else:
        mode, _, bits = kind.partition(" of ")
        data = png(labels, mode, **({"bits": int(bits[0])} if bits else {}))
    decoded = decode_label_map(data)
    assert decoded.dtype == np.uint8
    np.testing.assert_array_equal(decoded, labels)


def test_what_is_no_label_map() -> None:
    jpeg = io.BytesIO()
    Image.fromarray(TRUE).save(jpeg, "JPEG")
    cases = {
        b"": "an empty file",
        b"hello": "not a PNG image",
        png(np.random.default_rng(0).integers(0, 9, (64, 64)))[:300]: "a truncated or damaged file",
        jpeg.getvalue(): "a JPEG file: a label map is a PNG",
        encode_png(np.zeros((4, 4, 3), np.uint8)): r"3 channels \(RGB\): a label map has one, or a palette",
        encode_png(np.zeros((4, 4, 2), np.uint8)): "2 channels",
        png(TRUE.astype(np.uint16) + 26000, "I;16"): "has the label 26255: labels are 0 to 254",
    }
    for data, message in cases.items():
        with pytest.raises(BadImage, match=message):
            decode_label_map(data)


def test_each_label_has_a_colour_of_its_own() -> None:
    colours = label_picture(np.arange(256).reshape(2, 128))
    assert colours.shape == (2, 128, 3) and colours.dtype == np.uint8
    assert len(np.unique(colours.reshape(-1, 3), axis=0)) == 256 and (colours[1, 127] == 255).all()


def test_two_folders_of_label_maps(tmp_path) -> None:
    made, real = tmp_path / "made", tmp_path / "real"
    write_images(made, {"a.png": png(PREDICTED, "P"), "in/b.png": png(np.array([[3, 0]]))})
    write_images(real, {"a.png": png(TRUE), "in/b.png": png(np.array([[0, 0]]), "P"), "alone.png": png(TRUE)})
    write_images(made, {"size.png": png(TRUE), "rgb.png": encode_png(np.zeros((2, 4, 3), np.uint8))})
    write_images(real, {"size.png": png(TRUE.T), "rgb.png": png(TRUE)})
    words = (f"--generated={made}", f"--reference={real}", "--metrics=label_score")
    result = run_evaluate(*words)
    assert (result.code, result.err) == (1, "")
    skipped = dict(re.findall(r"^skipped: (\S+): (.*)$", result.out, re.M))
    assert skipped == {
        str(made / "size.png"): f"has 4x2 pixels, its partner {real / 'size.png'} has 2x4; it is left out",
        str(made / "rgb.png"): "has 3 channels (RGB): a label map has one, or a palette",
        str(real / "alone.png"): f"has no partner in {made}; it is left out",
    }
    output = tmp_path / "made_evaluation"
    record = json.loads((output / "folders.json").read_text(encoding="utf-8"))
    # The second image adds a class that is only predicted, and one more right pixel: of class 0 now four of six.
    expected = {"pixel_accuracy": 5 / 8, "class_accuracy": (4 / 6 + 1 / 2) / 2, "mean_iou": (4 / 7 + 1 / 3 + 0) / 3}
    assert figures(record) == pytest.approx({f"label_score/{part}": value for part, value in expected.items()})
    by_part = {figure["name"].split("/")[1]: figure for figure in record["figures"]}
    assert by_part["mean_iou"]["note"] == "by class: 0: 0.571, 1: 0.333, 3: 0.000"
    assert {figure["num_images"] for figure in record["figures"]} == {2}
    assert by_part["mean_iou"]["protocol"].endswith("label maps as they are")
    assert re.search(r"^label_score/mean_iou +0\.30159 +higher +2 +by class: 0: 0\.571", result.out, re.M), result.out
    assert (output / "report.html").exists()

    single = run_evaluate(*words, "--num_images=1", f"--output={tmp_path / 'single'}")
    assert single.code == 0
    record = json.loads((tmp_path / "single" / "folders.json").read_text(encoding="utf-8"))
    assert figures(record) == pytest.approx({f"label_score/{part}": value for part, value in BY_HAND.items()})


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
    ("words", "parts"),
    [
        (["--workdir={folder}", "--segmenter=x.keras"], ["--segmenter belongs to --generated and --reference"]),
        (["--generated={folder}/a", "--reference={folder}/b", "--metrics=label_score"], ["have none in common"]),
        (["--generated={folder}/a", "--reference={folder}/a", "--segmenter=x.keras"], ["there is no file x.keras"]),
        (["--generated={folder}/a", "--reference={folder}/a", "--metrics=label_score,l1"], ["l1 needs photographs"]),
        (
            ["--generated={folder}/a", "--reference={folder}/a", "--metrics=label_score,colourfulness"],
            ["colourfulness needs photographs, not label maps"],
        ),
    ],
)
def test_refusals_take_one_line(tmp_path, words, parts) -> None:
    write_images(tmp_path, {"a/1.png": png(TRUE), "b/2.png": png(TRUE)})
    assert_one_line(run_evaluate(*(word.format(folder=tmp_path) for word in words)), 2, *parts)
