"""The TFDS builders of the CycleGAN archives, on tiny ones; `test_pix2pix_archives` has what both families share."""

import hashlib
import importlib
import io
import re
import shutil
import tempfile
import types
import zipfile
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
import tensorflow_datasets as tfds
from archive_server import archive_server
from etils import epath
from PIL import Image

from datasets import DATASETS, cyclegan_builder
from datasets.cyclegan_archive import archive_definition
from datasets.cyclegan_builder import CycleGANBuilder
from datasets.definition import load_for
from gan_zoo.errors import UserError
from gan_zoo.images import BadExample, decode_image

COUNTS = {"trainA": 3, "trainB": 2, "testA": 1, "testB": 2}
# What TFDS' own builder `cycle_gan` knows of these archives.
SETS = {
    "horse2zebra": ("horse2zebra", 116_867_962),
    "apple2orange": ("apple2orange", 78_456_409),
    "summer2winter": ("summer2winter_yosemite", 132_640_856),
    "monet2photo": ("monet2photo", 305_231_073),
    "cezanne2photo": ("cezanne2photo", 279_885_071),
    "ukiyoe2photo": ("ukiyoe2photo", 292_946_532),
    "vangogh2photo": ("vangogh2photo", 306_590_349),
    "iphone2dslr": ("iphone2dslr_flower", 339_964_458),
}


def _jpeg(seed: int, mode: str = "RGB") -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (3, 4, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).resize((16, 12), Image.Resampling.BILINEAR).convert(mode).save(file, "JPEG")
    return file.getvalue()


def _archive(counts: dict[str, int] = COUNTS, folder: str = "horse2zebra") -> tuple[bytes, dict[str, bytes]]:
    """An archive laid out as the authors', and its pictures by `split/filename`; both domains use the same names."""
    pictures = {
        f"{split}/{i}.jpg": _jpeg(10 * s + i, "L" if i == 2 else "RGB")
        for s, (split, count) in enumerate(counts.items())
        for i in range(1, count + 1)
    }
    others = {"trainA/": b"", "trainA/.DS_Store": b"macOS' own", "trainB/._1.jpg": b"too", "testA/notes.txt": b"words"}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in [*others.items(), *pictures.items(), ("trainC/1.jpg", b"in no split")]:
            archive.writestr(f"{folder}/{name}", data)
    return file.getvalue(), pictures


def _builder(name: str) -> type[CycleGANBuilder]:
    return importlib.import_module(f"datasets.{name}.{name}_dataset_builder").Builder


def _builder_test(name: str) -> type:
    class BuilderTest(tfds.testing.DatasetBuilderTestCase):
        DATASET_CLASS = _builder(name)
        SPLITS = COUNTS
        DL_DOWNLOAD_RESULT = "downloaded.zip"  # by another name than a hand-fetched one, whose checksum is looked at

        @classmethod
        def setUpClass(cls):
            cls.EXAMPLE_DIR = tempfile.mkdtemp()
            (Path(cls.EXAMPLE_DIR) / cls.DL_DOWNLOAD_RESULT).write_bytes(_archive()[0])
            super().setUpClass()

        @classmethod
        def tearDownClass(cls):
            super().tearDownClass()
            shutil.rmtree(cls.EXAMPLE_DIR)

        def setUp(self):
            super().setUp()
            self.enter_context(mock.patch.object(CycleGANBuilder, "_check_address"))

    return BuilderTest


# TFDS' own suite for a builder, for one that is called as its archive and one that is not; they differ in words only.
TestHorse2Zebra = _builder_test("horse2zebra")
TestSummer2Winter = _builder_test("summer2winter")


@pytest.mark.parametrize("name", SETS)
def test_what_each_says_of_itself(name, tmp_path):
    builder, definition = _builder(name)(data_dir=tmp_path), DATASETS[name]
    archive, size = SETS[name]
    assert builder.url == f"https://efrosgans.eecs.berkeley.edu/cyclegan/datasets/{archive}.zip"
    assert builder.file_name == builder.hand_fetched.name == f"{archive}.zip"
    known = builder.url_infos
    assert list(known) == [builder.url] and known[builder.url].size == size
    assert re.fullmatch("[0-9a-f]{64}", known[builder.url].checksum)
    assert f"{size / 1e6:.0f} MB" == builder.SIZE and f"; {builder.SIZE} download" in definition.description
    assert definition.kind == "unpaired" and definition.recommended["cyclegan"]["epochs"] == 200
    # The folder's files, as TFDS finds them.
    assert "zhu2017unpaired" in builder.info.citation and "`trainA`" in builder.info.description
    licence = builder.info.as_proto.redistribution_info.license
    assert builder.SOURCE_LICENSE and licence.endswith(builder.SOURCE_LICENSE)


def _config(direction: str = "a_to_b") -> types.SimpleNamespace:
    return types.SimpleNamespace(direction=direction)


@pytest.fixture
def server(monkeypatch):
    with archive_server() as server:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        address = f"http://127.0.0.1:{server.server_port}/{{archive}}.zip"
        monkeypatch.setattr(cyclegan_builder, "ADDRESS", address)
        server.url = address.format(archive="summer2winter_yosemite")
        server.content, server.pictures = _archive()
        yield server


@pytest.fixture
def summer2winter(server, tmp_path):
    """The definition of `summer2winter` with a package folder of its own, which knows the test's archive."""
    package = tmp_path / "package"
    package.mkdir()
    (package / "checksums.tsv").write_text(
        f"{server.url}\t{len(server.content)}\t{hashlib.sha256(server.content).hexdigest()}\tsummer2winter.zip\n"
    )

    def builder_class():  # a new class each time, as in a new process: TFDS remembers checksums in the class
        class Builder(_builder("summer2winter"), skip_registration=True):
            name = "summer2winter"
            pkg_dir_path = epath.Path(_builder("summer2winter").code_path).parent

        Builder.code_path = epath.Path(package / "summer2winter_dataset_builder.py")
        return Builder

    return archive_definition(builder_class, "", 4)


def _records(domain) -> dict[str, bytes]:
    return {record["filename"].decode(): record["image"] for record in domain._records}


def test_a_download_becomes_two_domains(server, summer2winter, tmp_path, capsys):
    data_dir = str(tmp_path / "data")
    source = load_for(summer2winter, "unpaired", "train", _config(), data_dir)
    assert source.kind == "unpaired" and len(source) == 3
    assert server.requests == 2  # is it there; the download
    domain_a, domain_b = source.domains["input_image"], source.domains["target_image"]
    assert (len(domain_a), len(domain_b)) == (3, 2)
    # The archive's own bytes, each picture once.
    for domain, side in ((domain_a, "trainA/"), (domain_b, "trainB/")):
        assert _records(domain) == {name: data for name, data in server.pictures.items() if name.startswith(side)}
    for i in (2, 0, 1):
        np.testing.assert_array_equal(domain_a[i], decode_image(domain_a._records[i]["image"]))
    assert sorted(domain_a[i].shape for i in range(3)) == [(12, 16, 1), (12, 16, 3), (12, 16, 3)]

    # The other direction and splits ask nobody again.
    backward = summer2winter.load("train", _config("b_to_a"), data_dir)
    assert _records(backward.domains["input_image"]) == _records(domain_b)
    assert _records(backward.domains["target_image"]) == _records(domain_a)
    assert "note:" not in capsys.readouterr().err
    for split in ("val", "test"):
        domains = summer2winter.load(split, _config(), data_dir).domains
        assert [len(domain) for domain in domains.values()] == [1, 2]
    assert "summer2winter has no split 'val': using 'test'" in capsys.readouterr().err
    with pytest.raises(UserError, match="summer2winter has no split 'dev'; it has train, test"):
        summer2winter.load("dev", _config(), data_dir)
    assert server.requests == 2


def test_a_hand_fetched_archive_needs_no_network(server, summer2winter, tmp_path):
    archive = tmp_path / "data" / "downloads" / "manual" / "summer2winter_yosemite.zip"
    archive.parent.mkdir(parents=True)
    archive.write_bytes(server.content)
    assert len(summer2winter.load("train", _config(), str(tmp_path / "data"))) == 3
    assert server.requests == 0
    assert archive.exists(), "what the user has fetched is the user's"


@pytest.mark.parametrize("trouble", ["gone", "nobody there"])
def test_an_address_that_does_not_serve_is_one_line(trouble, server, summer2winter, tmp_path, monkeypatch):
    server.content = None
    if trouble == "nobody there":
        monkeypatch.setattr(cyclegan_builder, "ADDRESS", "http://127.0.0.1:9/{archive}.zip")
    data_dir = tmp_path / "data"
    with pytest.raises(UserError) as caught:
        summer2winter.load("train", _config(), str(data_dir))
    message = str(caught.value)
    assert "\n" not in message
    reason = {"gone": "HTTP status 404", "nobody there": "no answer"}[trouble]
    for part in ("summer2winter_yosemite.zip (133 MB)", reason, str(data_dir / "downloads" / "manual")):
        assert part in message
    assert not [path for path in data_dir.rglob("*") if path.is_file()]


def test_a_file_of_another_checksum_is_refused(server, summer2winter, tmp_path):
    data_dir = tmp_path / "data"
    server.content = _archive(COUNTS | {"testB": 1})[0]
    with pytest.raises(UserError, match=r"cannot download .*\(133 MB\): .*wrong checksum"):
        summer2winter.load("train", _config(), str(data_dir))
    archive = data_dir / "downloads" / "manual" / "summer2winter_yosemite.zip"
    archive.parent.mkdir(exist_ok=True)
    archive.write_bytes(server.content)
    with pytest.raises(UserError, match=r"is not the file that http.*, or unpack it and use --dataset=folder"):
        summer2winter.load("train", _config(), str(data_dir))
    assert [path for path in data_dir.rglob("*") if path.is_file()] == [archive]


@pytest.mark.parametrize("damage", ["cut", "flipped", "text", "empty", "encrypted", "half"])
def test_a_damaged_archive_is_refused_in_one_line(damage, tmp_path):
    data = bytearray(_archive({"trainA": 2, "testB": 1} if damage == "half" else COUNTS)[0])
    if damage == "cut":
        data = data[:-20]
    if damage == "flipped":
        data[data.index(b"trainB/1.jpg") + 40] ^= 0x10
    if damage in ("text", "empty"):
        data = b"<html>please log in</html>" if damage == "text" else b""
    if damage == "encrypted":  # a flag in the index at the end
        data[data.rindex(b"PK\1\2", 0, data.rindex(b"testB/1.jpg")) + 8] |= 1
    archive = tmp_path / "horse2zebra.zip"
    archive.write_bytes(data)
    reason = r"holds no JPEG files in trainB, testA: it is another" if damage == "half" else "damaged or no zip archive"
    with pytest.raises(UserError, match=reason) as caught:
        _builder("horse2zebra")(data_dir=tmp_path).count(archive)
    assert str(archive) in str(caught.value) and "\n" not in str(caught.value)


def test_a_picture_that_is_damaged_is_a_bad_example(server, summer2winter, tmp_path):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for split in COUNTS:
            archive.writestr(f"x/{split}/7.jpg", _jpeg(0)[:300] if split == "trainB" else _jpeg(0))
    path = tmp_path / "data" / "downloads" / "manual" / "summer2winter_yosemite.zip"
    path.parent.mkdir(parents=True)
    path.write_bytes(file.getvalue())
    (tmp_path / "package" / "checksums.tsv").write_text("")
    domains = summer2winter.load("train", _config(), str(tmp_path / "data")).domains
    assert domains["input_image"][0].shape == (12, 16, 3)
    with pytest.raises(BadExample, match=r"summer2winter/trainB/7\.jpg"):
        domains["target_image"][0]


def test_pairs_cannot_be_had_from_two_domains(tmp_path):
    with pytest.raises(UserError, match="unpaired images were given where paired ones are needed"):
        load_for(DATASETS["horse2zebra"], "paired", "train", _config(), str(tmp_path))
