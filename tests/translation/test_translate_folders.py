"""translate.py on folders as they are: other formats, sub-folders, names that are no text, pictures too large."""

import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from small_run import picture, read, run_translate, save_run, small_model

from gan_zoo.data.picture_files import find_hints, find_images
from gan_zoo.images import BadImage, encode_png
from gan_zoo.models.pix2pix import Pix2Pix, Pix2PixConfig
from gan_zoo.translation import memory, painting
from gan_zoo.translation.painted_files import paint_files

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "run"
    save_run(folder, small_model(seed=1, objective="noise"))
    return folder


def write(path, image):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path)


def test_all_kinds_of_files_and_sub_folders(run, tmp_path, capsys):
    photos, output = tmp_path / "photos", tmp_path / "photos" / "out"
    for name in ("good.JPG", "scan.tif", "moving.gif", "inside/below.png", "inside/good.png", "@eaDir/good.JPG"):
        write(photos / name, picture(32, 32))
    (photos / "phone.heic").write_bytes(b"\0\0\0\x18ftypheic")
    (photos / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    (photos / "Thumbs.db").write_bytes(b"x")
    for _ in range(2):  # the second time there are translations below the pictures
        code, out, err = run_translate(
            capsys, f"--workdir={run}", f"--input={photos}", f"--output={output}", "--num_samples=1"
        )
        assert code == 1 and err.count("\n") == 1
        assert f"not translated: {photos / 'phone.heic'}: a HEIC photo, which cannot be read here: save it as" in err
        made = {path.relative_to(output).as_posix() for path in output.rglob("*.png")}
        assert made == {"contact_sheet.png"} | {
            f"{name}_sample_1.png" for name in ("good", "scan", "moving", "inside/below", "inside/good")
        }
        assert "[5/5] inside/good.png" in out
    # A noise of its own for each of two pictures of one name.
    assert (read(output / "good_sample_1.png") != read(output / "inside" / "good_sample_1.png")).any()


def test_nothing_but_what_cannot_be_read(run, tmp_path, capsys):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "photo.CR2").write_bytes(b"raw")
    code, out, err = run_translate(capsys, f"--workdir={run}", f"--input={tmp_path / 'in'}", f"--output={tmp_path}/out")
    assert (code, out) == (1, "") and "a camera's raw data" in err and not (tmp_path / "out").exists()


def test_hints_lie_at_the_place_of_their_picture(tmp_path):
    for name in ("in/a.png", "in/x/a.png", "hints/x/a.png"):
        write(tmp_path / name, picture(8, 8, 4))
    files = [tmp_path / "in/a.png", tmp_path / "in/x/a.png"]
    assert find_hints(tmp_path / "hints", files, tmp_path / "in") == ({files[1]: tmp_path / "hints/x/a.png"}, [])


@pytest.mark.parametrize(
    ("encoding", "sign"), [("utf-8", "café Ā"), ("cp1252", "café \\u0100"), ("ascii", "caf\\xe9 \\u0100")]
)
def test_names_that_are_no_text_are_shown_and_the_rest_is_done(run, tmp_path, encoding, sign):
    photos = os.fsencode(tmp_path / "in")
    os.mkdir(photos)
    for name in (b"/caf\xe9_0.png", "/café Ā.png".encode(), b"/\xff.png"):
        with open(photos + name, "wb") as file:
            file.write(encode_png(picture(16, 16)))
    with open(photos + b"/bad\xe9.png", "wb") as file:
        file.write(b"x")
    done = subprocess.run(
        [sys.executable, "translate.py", f"--workdir={run}", b"--input=" + photos, f"--output={tmp_path / 'out'}"],
        cwd=ROOT,
        env=os.environ | {"PYTHONIOENCODING": f"{encoding}:strict"},
        capture_output=True,
        check=False,
    )
    out, err = done.stdout.decode(encoding), done.stderr.decode(encoding)
    assert done.returncode == 1 and "Traceback" not in err
    assert "caf\\xe9_0.png" in out and f"{sign}.png" in out and "\\xff.png" in out
    assert f"not translated: {tmp_path / 'in'}/bad\\xe9.png: not a PNG" in err
    assert len(os.listdir(tmp_path / "out")) == 3 * 4 + 1


def test_a_locale_that_knows_no_letter_of_a_name(run, tmp_path):
    """The strictest one: the names of files are ASCII to Python, and the terminal's are those of Windows."""
    environment = os.environ | {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "cp1252:strict"}
    photos = tmp_path / "fotos-ä-日本"

    def said(*words: object, code: int) -> list[str]:
        done = subprocess.run(
            [sys.executable, *map(str, words)], cwd=ROOT, env=environment, capture_output=True, check=False
        )
        text = (done.stdout + done.stderr).decode("cp1252")
        assert done.returncode == code and "Traceback" not in text, text
        return text.splitlines()

    assert said("-m", "datasets.shapes", photos, 32, 1, code=0) == []
    (photos / "drawing_01.png").rename(photos / "fotos-ä-日本.png")
    (photos / "ß.png").write_bytes(b"no picture")
    (error,) = said("-m", "datasets.shapes", photos / "ß.png", code=2)
    assert error.startswith("error: ") and "a file stands where a folder is needed" in error
    words = ["translate.py", f"--workdir={run}", f"--input={photos}", f"--output={tmp_path / 'Übersetzt'}"]
    lines = said(*words, code=1)
    assert any(r"fotos-\xc3\xa4-\xe6\x97\xa5\xe6\x9c\xac.png" in line for line in lines)
    assert any(r"not translated" in line and r"\xc3\x9f.png: not a PNG" in line for line in lines)
    assert len(list((tmp_path / "Übersetzt").glob("fotos-ä-日本_sample_*.png"))) == 4


def test_a_picture_too_large_is_named_at_once_and_the_others_are_done(run, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(painting, "SMALL_PIXELS", 1000)
    monkeypatch.setattr(memory, "available_memory", lambda: 10_000_000)
    tiny = io.BytesIO()
    Image.new("L", (8, 8)).save(tiny, "JPEG")
    bomb = bytearray(tiny.getvalue())
    size = bomb.index(b"\xff\xc0") + 5
    bomb[size : size + 4] = (12000).to_bytes(2, "big") * 2  # a few hundred bytes that claim 144 million pixels
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a bomb.jpg").write_bytes(bomb)
    write(tmp_path / "in" / "b large.png", picture(2000, 1000))
    write(tmp_path / "in" / "c good.png", picture(40, 40))
    decoded = []
    decode = Image.Image.load
    monkeypatch.setattr(Image.Image, "load", lambda self: (decoded.append(self.size), decode(self))[1])
    code, out, err = run_translate(capsys, f"--workdir={run}", f"--input={tmp_path / 'in'}", f"--output={tmp_path}/out")
    lines = err.splitlines()
    assert code == 1 and len(lines) == 2 and "c good.png" in out
    for name, sides, line in zip(("a bomb.jpg", "b large.png"), ("12000x12000", "1000x2000"), lines, strict=True):
        assert f"{name}: {sides} pixels would take " in line and "0.0 GB are free: up to " in line
        width, height = map(int, line.split("up to ")[1].split(" ")[0].split("x"))
        assert 40 <= width < 1000 and 40 <= height < 2000
    assert (12000, 12000) not in decoded


@pytest.mark.parametrize("generator", ["unet", "resnet"])
def test_the_estimate_is_no_less_than_the_tensors_and_within_their_size(generator):
    """The ResNet has `base_filters` floats at the full size, twice; the U-Net works at half of it."""
    sizes = {"image_size": 64, "base_filters": 8, "generator_type": generator, "norm": "instance"}
    translator = Pix2Pix(Pix2PixConfig(**sizes)).translators["translate"]
    found = memory.bytes_per_pixel(translator)
    counted = {"resnet": 2 * 8 * 4, "unet": 8 * 4 / 4 * 2 + 2 * 3 * 4}[generator]
    assert counted < found < 6 * counted + 100


def test_peak_bytes_counts_what_is_alive_together():
    def function(x):  # x and y, then y and z; the largest operation has an input and an output
        y = tf.nn.relu(x)
        return tf.reduce_sum(tf.exp(y) + 0.0, keepdims=True)

    assert memory.peak_bytes(function, tf.TensorSpec([1000], tf.float32)) in range(4 * 4000, 4 * 4000 + 100)


def test_what_the_machine_and_its_control_group_have(tmp_path):
    def lay(name, text):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    lay("proc/meminfo", "MemTotal: 9000 kB\nMemAvailable: 5000 kB\n")
    assert memory.available_memory(tmp_path) == 5_120_000
    lay("proc/self/cgroup", "0::/slice/job\n")
    for group, limit in (("", "max"), ("slice/", "3000000"), ("slice/job/", "9000000")):
        lay(f"sys/fs/cgroup/{group}memory.max", limit)
        lay(f"sys/fs/cgroup/{group}memory.current", "2000000")
        lay(f"sys/fs/cgroup/{group}memory.stat", "anon 5\ninactive_file 400000\n")
    assert memory.available_memory(tmp_path) == 1_400_000
    lay("proc/self/cgroup", "4:memory:/job\n")  # the older kind
    lay("sys/fs/cgroup/memory/job/memory.limit_in_bytes", "1000000")
    lay("sys/fs/cgroup/memory/job/memory.usage_in_bytes", "900000")
    lay("sys/fs/cgroup/memory/job/memory.stat", "total_inactive_file 0\n")
    assert memory.available_memory(tmp_path) == 100_000
    assert memory.available_memory() > 1e8


def test_there_is_no_limit_where_nothing_is_known(monkeypatch):
    monkeypatch.setattr(memory, "available_memory", lambda: None)
    painter = painting.Painter("run", small_model(seed=1, objective="noise").translators["translate"])
    painter.check_size(20_000, 20_000)
    monkeypatch.setattr(memory, "available_memory", lambda: 1 << 30)
    with pytest.raises(BadImage, match="20000x20000 pixels would take"):
        painter.check_size(20_000, 20_000)
    assert paint_files([], [painter], "nowhere") == {}
    assert np.isfinite(painter._bytes_per_pixel)


def test_an_output_around_the_input_holds_nothing_back(tmp_path):
    for name in ("in/a.png", "in/out/b.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write(tmp_path / name, picture(8, 8))
    found = {
        without: find_images(tmp_path / "in", without=tmp_path / without)[0] for without in (".", "in/out", "other")
    }
    assert {without: [file.name for file in files] for without, files in found.items()} == {
        ".": ["a.png", "b.png"],
        "in/out": ["a.png"],
        "other": ["a.png", "b.png"],
    }
