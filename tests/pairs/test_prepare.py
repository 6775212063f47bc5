"""prepare.py: folders of photos to pairs that `--dataset=folder` takes, resumed, and refused in one line."""

import contextlib
import io
import json
import os
import pathlib
import subprocess
import sys
import time
import types

import keras
import numpy as np
import pytest
from evaluate_run import write_images
from small_run import picture, read
from tiny_runs import Result, assert_one_line

import command_line
import prepare
from datasets import DATASETS
from gan_zoo.errors import UserError
from gan_zoo.images import encode_png
from gan_zoo.pairs.making import mosaic
from gan_zoo.pairs.preparing import assigned
from gan_zoo.pairs.progress import ProgressBar
from gan_zoo.pairs.settings import PairSettings

TESTS = pathlib.Path(__file__).parents[1]
CONFIG = types.SimpleNamespace(direction="a_to_b")


def run_prepare(*words: object) -> Result:
    """Runs prepare.py in this process."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    argv = ["prepare.py", *map(str, words), "--processes=1"]
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            command_line.run(prepare.main, prepare.define_flags(), prepare.USAGE, argv=argv)
        except SystemExit as exit_:
            code = exit_.code
    return Result(code, out.getvalue(), err.getvalue())


def write_photos(folder: pathlib.Path, count: int, height: int = 24, width: int = 32) -> dict[str, np.ndarray]:
    photos = {f"{number:02d}.png": picture(height, width) for number in range(count)}
    write_images(folder, photos)
    return photos


def files_below(folder: pathlib.Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def record_of(folder: pathlib.Path) -> dict:
    return json.loads((folder / "pairs.json").read_text(encoding="utf-8"))


def test_a_folder_with_good_and_bad_pictures(tmp_path) -> None:
    photos, output = tmp_path / "Fotos", tmp_path / "pairs"
    good = {**write_photos(photos, 10), "inner/05.jpg": picture(20, 20), "inner/05.png": picture(40, 20, 4)}
    write_images(photos, good)
    bad = {"cut.png": (encode_png(picture(40, 40))[:900], "truncated"), "empty.jpg": (b"", "empty")}
    write_images(photos, {name: data for name, (data, _) in bad.items()})
    words = (f"--input={photos}", f"--output={output}", "--make=mosaic", "--block=4")
    result = run_prepare(*words)
    assert result.code == 1
    complaints = sorted(result.err.splitlines())
    assert len(complaints) == 2
    for complaint, (name, (_, reason)) in zip(complaints, sorted(bad.items()), strict=True):
        assert complaint.startswith(f"not used: {name}: ") and reason in complaint
    assert "14/14 pictures" in result.out

    record = record_of(output)
    lines = {line["picture"]: line for line in record["pictures"]}
    assert set(lines) == {*good, *bad} and list(lines) == sorted(lines)
    text = (output / "pairs.json").read_text(encoding="utf-8").splitlines()
    assert sum('"picture":' in line for line in text) == 14
    assert record["settings"] == {
        "make": "mosaic",
        "size": None,
        "seed": 0,
        "val": 0.1,
        "test": 0.1,
        "block": 4,
        "regions": "whole",
        "input": record["settings"]["input"],
    }
    assert record["versions"].keys() >= {"gan_zoo", "tensorflow", "numpy"}
    assert all("truncated" in lines[name]["left_out"] or "empty" in lines[name]["left_out"] for name in bad)
    assert {lines[f"inner/05.{suffix}"]["pair"].partition("/")[2] for suffix in ("jpg", "png")} <= {
        "inner/05.png", "inner/05.jpg.png", "inner/05.png.png"
    }  # fmt: skip
    for name, image in good.items():
        pair = read(output / lines[name]["pair"])
        assert pair.shape == (image.shape[0], 2 * image.shape[1], 3)
        left, right = np.split(pair, 2, axis=1)
        np.testing.assert_array_equal(left, mosaic(right, 4))
        if name.endswith(".png") and image.shape[2] == 3:
            np.testing.assert_array_equal(right, image)
        assert lines[name]["regions"] == [[0, 0, *image.shape[:2]]]
    made = [line["pair"] for line in lines.values() if "pair" in line]
    assert set(files_below(output)) == {"pairs.json", *made} and len(set(made)) == 12

    counts = {split: len(DATASETS["folder"].load(split, CONFIG, str(output))) for split in ("train", "val", "test")}
    # One in ten of fourteen, the bad ones counted in.
    assert sum(counts.values()) == 12 and counts["train"] >= 10 and record["pairs"] == counts
    source = DATASETS["folder"].load("train", CONFIG, str(output))
    example = source[0]
    np.testing.assert_array_equal(example["input_image"], mosaic(example["target_image"], 4))

    # Again: nothing is made, the bad ones are tried and named.
    before = {name: (output / name).stat().st_mtime_ns for name in made}
    again = run_prepare(*words)
    assert (again.code, sorted(again.err.splitlines())) == (
        1,
        complaints,
    ) and "12 pictures were done before" in again.out
    assert before == {name: (output / name).stat().st_mtime_ns for name in made}
    assert record_of(output) == record
    (output / made[0]).unlink()
    assert "11 pictures were done before" in run_prepare(*words).out and (output / made[0]).exists()


def has_ended(process: str) -> bool:
    try:
        return pathlib.Path("/proc", process, "stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


@pytest.mark.skipif(sys.platform != "linux", reason="processes are looked for in /proc")
def test_two_processes_killed_and_resumed_by_one(tmp_path) -> None:
    """To the byte what one process makes that is never stopped; and nobody is left behind."""
    write_photos(tmp_path / "photos", 30)
    shared = (f"--input={tmp_path / 'photos'}", "--make=mosaic", "--regions=random", "--seed=5")
    words = (*shared, f"--output={tmp_path / 'killed'}")
    killed = subprocess.run(
        [sys.executable, str(TESTS / "pairs" / "killed_preparing.py"), *words, "--processes=2"],
        env=os.environ | {"PYTHONPATH": str(TESTS.parent), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert killed.returncode == -9, killed.stderr
    workers = killed.stdout.split()[-2:]
    deadline = time.monotonic() + 60
    while not all(map(has_ended, workers)) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert all(map(has_ended, workers))
    assert not (tmp_path / "killed" / "pairs.json").exists()
    unfinished = tmp_path / "killed" / "pairs.unfinished"
    lines = list(map(json.loads, unfinished.read_text().splitlines()))[1:]
    unfinished.write_text(unfinished.read_text() + '{"picture": "04.png", "pa')  # cut off where it was written
    assert len(lines) == 3
    before = {line["pair"]: (tmp_path / "killed" / line["pair"]).stat().st_mtime_ns for line in lines}

    resumed = run_prepare(*words)
    assert (resumed.code, resumed.err) == (0, "") and "3 pictures were done before" in resumed.out
    assert before == {name: (tmp_path / "killed" / name).stat().st_mtime_ns for name in before}
    assert run_prepare(*shared, f"--output={tmp_path / 'whole'}").code == 0
    assert files_below(tmp_path / "killed") == files_below(tmp_path / "whole")


def red_classifier(path: pathlib.Path) -> None:
    """Sees class 0, "fire engine", where red is above 200, and class 1, "meadow", where green is."""
    photo = keras.Input((None, None, 3))
    convolution = keras.layers.Conv2D(2, 1, activation="relu")
    dense = keras.layers.Dense(2, activation="softmax")
    model = keras.Model(photo, dense(keras.layers.GlobalAveragePooling2D()(convolution(photo))))
    kernel = np.zeros((1, 1, 3, 2), np.float32)
    kernel[0, 0, 0, 0] = kernel[0, 0, 1, 1] = 1
    convolution.set_weights([kernel, np.full(2, -200, np.float32)])
    dense.set_weights([np.eye(2, dtype=np.float32), np.zeros(2, np.float32)])
    model.save(path)


def test_regions_where_a_classifier_sees_a_class(tmp_path) -> None:
    red_classifier(tmp_path / "red.keras")
    (tmp_path / "names.txt").write_text("fire engine\nmeadow\n")
    engines = np.full((40, 40, 3), 90, np.uint8)
    engines[4:10, 6:20, 0] = engines[20:36, 8:12, 0] = 250
    engines[20:24, 12:20, 0] = 250  # an L
    meadow = np.full((40, 40, 3), 90, np.uint8)
    meadow[10:20, :, 1] = 250
    write_images(tmp_path / "photos", {"engines.png": engines, "meadow.png": meadow})
    words = (f"--input={tmp_path / 'photos'}", "--make=hole", "--regions=cam", f"--classifier={tmp_path / 'red.keras'}")
    named = (*words, f"--class_names={tmp_path / 'names.txt'}", "--class=Fire_Engine")

    result = run_prepare(*named, f"--output={tmp_path / 'boxes'}")
    assert (result.code, result.err) == (
        0,
        "",
    ) and "1 pictures left out, in which the classifier sees nothing" in result.out
    seen, unseen = record_of(tmp_path / "boxes")["pictures"]
    assert seen["regions"] == [[4, 6, 10, 20], [20, 8, 36, 20]] and seen["class"] == 0
    assert unseen == {"picture": "meadow.png", "left_out": "the classifier does not see the class"}
    hole = read(tmp_path / "boxes" / seen["pair"])[:, :40]
    expected = engines.copy()
    expected[4:10, 6:20] = expected[20:36, 8:20] = 255
    np.testing.assert_array_equal(hole, expected)
    assert len(record_of(tmp_path / "boxes")["settings"]["classifier"]) == 64
    assert "2 pictures were done before" in run_prepare(*named, f"--output={tmp_path / 'boxes'}").out

    assert run_prepare(*words, f"--output={tmp_path / 'mask'}", "--form=mask").code == 0
    lines = record_of(tmp_path / "mask")["pictures"]
    assert [line["class"] for line in lines] == [0, 1]  # whichever it sees
    assert [line["regions"] for line in lines] == [[[4, 6, 36, 20]], [[10, 0, 20, 40]]]
    hole = read(tmp_path / "mask" / lines[0]["pair"])[:, :40]
    np.testing.assert_array_equal(hole, np.where(engines[..., :1] == 250, 255, engines))
    assert lines[0]["share"] == round(float((engines[..., 0] == 250).mean()), 4)

    for extra, message in (
        (("--class=2",), "--class=2: the classifier has the classes 0 to 1"),
        (("--class=engine",), "--class=engine: give a number from 0 to 1, or the names by --class_names"),
        (("--class=engine", f"--class_names={tmp_path / 'names.txt'}"), "there is no such class; some are fire engine"),
        ((f"--class_names={tmp_path / 'names.txt'}",), "--class_names belongs to --class"),
    ):
        assert_one_line(run_prepare(*words, f"--output={tmp_path / 'none'}", *extra), 2, message)
    assert not (tmp_path / "none").exists()


def test_what_can_be_mended_is_one_line(tmp_path, offline) -> None:
    write_photos(tmp_path / "photos", 3, 16, 16)
    (tmp_path / "nothing").mkdir()
    photos, output = f"--input={tmp_path / 'photos'}", f"--output={tmp_path / 'pairs'}"
    flat = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
    flat.save(tmp_path / "flat.keras")
    cam = (photos, output, "--make=mosaic", "--regions=cam")
    for words, *messages in (
        ((f"--input={tmp_path / 'nothing'}", output, "--make=grey"), "--input: no file in", "ends in .png"),
        ((f"--input={tmp_path / 'nowhere'}", output, "--make=grey"), "--input: there is no file or folder"),
        ((photos, photos.replace("input", "output"), "--make=grey"), "--output: give another folder than --input"),
        ((photos, output, "--make=grey", "--block=4"), "--block belongs to --make=mosaic"),
        ((photos, output, "--make=edges", "--phi=9"), "--phi belongs to --edges=xdog"),
        ((photos, output, "--make=hole", "--class=1"), "--class belongs to --regions=cam"),
        ((photos, output, "--make=hole", "--regions=whole"), "--make=hole needs --regions=centre, random or cam"),
        ((photos, output, "--make=edges", "--low=0.3"), "--low=0.3 is above --high=0.2"),
        ((photos, output, "--make=grey", "--val=0.5", "--test=0.5"), "leave nothing to train on"),
        (cam, "--regions=cam needs --classifier"),
        ((*cam, f"--classifier={tmp_path / 'flat.keras'}"), "flat.keras has the layer", "one dense layer"),
        ((*cam, "--classifier=ResNet50"), "--classifier=ResNet50: give a file", "save keras.applications' ResNet50"),
        ((*cam, "--classifier=mobilenet_v2"), "mobilenet_v2_weights", "cannot be fetched", "--weights_dir"),
    ):  # fmt: skip
        result = run_prepare(*words)
        assert_one_line(Result(result.code, result.out, result.err.replace("\n", "") + "\n"), 2, *messages)
    assert len(offline) == 1 and not (tmp_path / "pairs").exists()


def test_outputs_of_others_are_left_alone(tmp_path) -> None:
    write_photos(tmp_path / "photos", 3, 16, 16)
    output = tmp_path / "pairs"
    words = (f"--input={tmp_path / 'photos'}", f"--output={output}", "--make=small")
    (output / "train").mkdir(parents=True)
    assert_one_line(run_prepare(*words), 2, "has a folder 'train', and no pairs.json that says what is in it")
    (output / "train").rmdir()
    assert run_prepare(*words).code == 0
    before = files_below(output)
    assert sorted(name.partition("/")[0] for name in before) == ["pairs.json", "test", "train", "val"]
    assert_one_line(run_prepare(*words, "--scale=2"), 2, "holds other pairs: scale was 4, now 2; give another folder")
    assert_one_line(run_prepare(*words[:2], "--make=grey"), 2, "make was 'small', now 'grey', scale was 4, now None")
    write_images(tmp_path / "photos", {"another.png": picture(16, 16)})
    assert_one_line(run_prepare(*words), 2, "input was")
    assert files_below(output) == before
    for damaged in ("no json", '{"settings": {}}', '{"settings": {}, "pictures": [1]}', "[]"):
        (output / "pairs.json").write_text(damaged)
        assert_one_line(run_prepare(*words), 2, f"--output: {output / 'pairs.json'} is damaged")


def test_splits_of_the_users_are_kept_and_others_drawn() -> None:
    settings = PairSettings(make="grey", val=0.2, test=0.1)
    names = [f"{number}.png" for number in range(50)]
    splits = assigned(names, settings)
    counts = {split: list(splits.values()).count(split) for split in ("train", "val", "test")}
    assert counts == {"train": 35, "val": 10, "test": 5}
    assert splits == assigned(names[::-1], settings) != assigned(names, PairSettings(make="grey", seed=1))
    assert sorted(assigned(names[:3], settings).values()) == ["test", "train", "val"]
    assert assigned(names[:2], settings) == dict.fromkeys(names[:2], "train")
    own = assigned(["train/a.png", "Val/b/c.png"], settings)
    assert own == {"train/a.png": "train", "Val/b/c.png": "val"}
    with pytest.raises(UserError, match=r"x/d.png lies in none of the folders train, val, test"):
        assigned(["train/a.png", "x/d.png"], settings)


def test_folders_of_splits_end_in_those_of_the_pairs(tmp_path) -> None:
    photos = {"train/a/1.png": picture(16, 16), "Val/1.png": picture(16, 16)}
    write_images(tmp_path / "photos", photos)
    result = run_prepare(f"--input={tmp_path / 'photos'}", f"--output={tmp_path / 'photos' / 'pairs'}", "--make=grey")
    assert result.code == 0, result
    made = set(files_below(tmp_path / "photos" / "pairs"))
    assert made == {"pairs.json", "train/a/1.png", "val/1.png"}
    # The output lies in the input, and is none of it.
    again = run_prepare(f"--input={tmp_path / 'photos'}", f"--output={tmp_path / 'photos' / 'pairs'}", "--make=grey")
    assert again.code == 0 and "2 pictures were done before" in again.out


def test_the_bar(monkeypatch) -> None:
    now = [0.0]
    monkeypatch.setattr("gan_zoo.pairs.progress.time.monotonic", lambda: now[0])
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    for stream in (terminal, io.StringIO()):
        now[0] = 0.0
        bar = ProgressBar(4, "pictures", stream)
        for count in range(1, 5):
            now[0] += 4.0
            bar(count)
        assert "[############............] 2/4 pictures, 0.2/s, 8 s left" in stream.getvalue() or stream is not terminal
        assert stream.getvalue().endswith("[########################] 4/4 pictures, 0.2/s\n")
        assert stream.getvalue().count("pictures") == (4 if stream is terminal else 2)
    bar.clear()
