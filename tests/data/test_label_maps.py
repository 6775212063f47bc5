"""Label maps: every kind of PNG that holds them gives their numbers, and two folders of them their scores."""

import io
import json
import re
import zipfile

import numpy as np
import pytest
from evaluate_run import figures, run_evaluate, write_images
from label_pngs import BY_HAND, PREDICTED, TRUE, png
from PIL import Image
from tiny_runs import assert_one_line

from gan_zoo.data.label_maps import decode_label_map, label_picture
from gan_zoo.images import BadImage, encode_png


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
