"""The TFDS builders of the pix2pix archives, with tiny archives made here, and the ways that fetching can go wrong."""

import hashlib
import importlib
import io
import shutil
import tarfile
import tempfile
import types
from pathlib import Path

import numpy as np
import pytest
import tensorflow_datasets as tfds
from archive_server import archive_server
from etils import epath
from PIL import Image

from datasets import DATASETS, pix2pix_builder
from datasets.facades.facades_dataset_builder import Builder as FacadesBuilder
from datasets.pix2pix_archive import archive_definition
from gan_zoo.errors import UserError
from gan_zoo.images import BadExample, decode_image

SPLITS = {
    "edges2shoes": {"train": 3, "val": 2},
    "edges2handbags": {"train": 3, "val": 2},
    "facades": {"train": 3, "val": 2, "test": 1},
    "maps": {"train": 3, "val": 2},
    "night2day": {"train": 3, "val": 2},
}


def _jpeg(seed: int) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (4, 8, 3), np.uint8)
    file = io.BytesIO()
    Image.fromarray(pixels).resize((64, 32), Image.Resampling.BILINEAR).save(file, "JPEG")
    return file.getvalue()


def _make_archive(path: Path, name: str, splits: dict[str, int]) -> dict[str, bytes]:
    """Writes an archive laid out as the authors' and returns its pictures by `split/filename`."""
    pictures = {
        f"{split}/{i}.jpg": _jpeg(1000 * s + i) for s, (split, n) in enumerate(splits.items()) for i in range(1, n + 1)
    }
    others = {"train/._1.jpg": b"macOS' own", "train/notes.txt": b"not a picture", "1.jpg": b"in no split"}
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w:gz") as tar:
        for filename, data in [*others.items(), *pictures.items()]:
            member = tarfile.TarInfo(f"{name}/{filename}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return pictures


def _builder_test(name: str) -> type:
    module = importlib.import_module(f"datasets.{name}.{name}_dataset_builder")

    class BuilderTest(tfds.testing.DatasetBuilderTestCase):
        DATASET_CLASS = module.Builder
        SPLITS = SPLITS[name]
        SKIP_CHECKSUMS = True  # none is published; the first download records it

        @classmethod
        def setUpClass(cls):
            cls.EXAMPLE_DIR = tempfile.mkdtemp()
            _make_archive(Path(cls.EXAMPLE_DIR) / f"{name}.tar.gz", name, SPLITS[name])
            super().setUpClass()

        @classmethod
        def tearDownClass(cls):
            super().tearDownClass()
            shutil.rmtree(cls.EXAMPLE_DIR)

    return BuilderTest


# TFDS' own suite for a builder, once for each.
TestEdges2Shoes = _builder_test("edges2shoes")
TestEdges2Handbags = _builder_test("edges2handbags")
TestFacades = _builder_test("facades")
TestMaps = _builder_test("maps")
TestNight2Day = _builder_test("night2day")


@pytest.fixture
def no_network(monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the network was asked")

    monkeypatch.setattr("requests.Session.request", refuse)


def _config(direction: str = "a_to_b") -> types.SimpleNamespace:
    return types.SimpleNamespace(direction=direction)


def _leftovers(data_dir: Path) -> list[Path]:
    """Files other than what lies in `downloads/manual`."""
    return [path for path in data_dir.rglob("*") if path.is_file() and path.parent.name != "manual"]


@pytest.mark.parametrize("name", SPLITS)
def test_a_hand_fetched_archive_becomes_examples(name, tmp_path, no_network):
    pictures = _make_archive(tmp_path / "downloads" / "manual" / f"{name}.tar.gz", name, SPLITS[name])
    source = DATASETS[name].load("train", _config(), str(tmp_path))
    assert source.kind == DATASETS[name].kind == "paired"
    assert len(source) == 3
    found = {source._records[i]["filename"].decode(): source._records[i]["image_pair"] for i in range(3)}
    assert found == {path: data for path, data in pictures.items() if path.startswith("train/")}
    # Prepared once: from here on the archive is not needed.
    (tmp_path / "downloads" / "manual" / f"{name}.tar.gz").unlink()
    backward = DATASETS[name].load("train", _config("b_to_a"), str(tmp_path))
    for i in (2, 0, 1):
        whole = decode_image(source._records[i]["image_pair"])
        np.testing.assert_array_equal(source[i]["input_image"], whole[:, :32])
        np.testing.assert_array_equal(source[i]["target_image"], whole[:, 32:])
        np.testing.assert_array_equal(backward[i]["input_image"], whole[:, 32:])
        np.testing.assert_array_equal(backward[i]["target_image"], whole[:, :32])


def test_split_that_is_not_there(tmp_path, no_network, capsys):
    _make_archive(tmp_path / "downloads" / "manual" / "maps.tar.gz", "maps", {"train": 1, "val": 2})
    assert len(DATASETS["maps"].load("test", _config(), str(tmp_path))) == 2
    assert "maps has no split 'test': using 'val'" in capsys.readouterr().err
    with pytest.raises(UserError, match="maps has no split 'dev'; it has train, val"):
        DATASETS["maps"].load("dev", _config(), str(tmp_path))


def test_a_picture_that_is_damaged_is_a_bad_example(tmp_path, no_network):
    archive = tmp_path / "downloads" / "manual" / "facades.tar.gz"
    archive.parent.mkdir(parents=True)
    with tarfile.open(archive, "w:gz") as tar:
        member = tarfile.TarInfo("facades/train/7.jpg")
        member.size = 300
        tar.addfile(member, io.BytesIO(_jpeg(0)[:300]))
    source = DATASETS["facades"].load("train", _config(), str(tmp_path))
    with pytest.raises(BadExample, match=r"facades/train/7\.jpg"):
        source[0]


@pytest.mark.parametrize("damage", ["cut", "flipped", "text", "empty", "other"])
def test_a_damaged_archive_is_refused_in_one_line(damage, tmp_path, no_network):
    archive = tmp_path / "downloads" / "manual" / "facades.tar.gz"
    _make_archive(archive, "facades", {"other": 2} if damage == "other" else SPLITS["facades"])
    data = bytearray(archive.read_bytes())
    if damage == "cut":
        data = data[:-20]
    if damage == "flipped":
        data[len(data) // 2] ^= 0xFF
    if damage in ("text", "empty"):
        data = b"<html>please log in</html>" if damage == "text" else b""
    archive.write_bytes(data)
    reason = "another archive" if damage == "other" else "damaged or no tar.gz"
    with pytest.raises(UserError, match=reason) as caught:
        DATASETS["facades"].load("train", _config(), str(tmp_path))
    assert str(archive) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert _leftovers(tmp_path) == []
    assert archive.exists(), "what the user has fetched is the user's"


@pytest.fixture
def server(monkeypatch):
    with archive_server() as server:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setattr(pix2pix_builder, "ADDRESS", f"http://127.0.0.1:{server.server_port}/{{name}}.tar.gz")
        yield server


@pytest.fixture
def facades(tmp_path):
    """The definition of `facades` with a package folder of its own, into which checksums may be written."""
    package = tmp_path / "package"
    shutil.copytree(Path(FacadesBuilder.code_path).parent, package)

    def builder_class():  # a new class each time, as in a new process: TFDS remembers checksums in the class
        class Builder(FacadesBuilder, skip_registration=True):
            name = "facades"
            pkg_dir_path = epath.Path(package)

        Builder.code_path = epath.Path(package / "facades_dataset_builder.py")
        return Builder

    return archive_definition(builder_class, "", {}), package


def test_download_once_and_record_the_checksum(server, facades, tmp_path, monkeypatch):
    definition, package = facades
    _make_archive(tmp_path / "facades.tar.gz", "facades", SPLITS["facades"])
    server.content = (tmp_path / "facades.tar.gz").read_bytes()
    data_dir = tmp_path / "data"
    assert len(definition.load("val", _config(), str(data_dir))) == 2
    assert server.requests == 2  # is it there; the download
    digest = hashlib.sha256(server.content).hexdigest()
    url = f"http://127.0.0.1:{server.server_port}/facades.tar.gz"
    assert (package / "checksums.tsv").read_text() == f"{url}\t{len(server.content)}\t{digest}\tfacades.tar.gz\n"
    assert len(definition.load("train", _config(), str(data_dir))) == 3
    # Interrupted before it was prepared: the download is used again, without the network.
    shutil.rmtree(data_dir / "facades")
    assert len(definition.load("test", _config(), str(data_dir))) == 1
    assert server.requests == 2


def test_a_package_that_is_not_writable_works_too(server, facades, tmp_path, monkeypatch):
    definition, package = facades
    _make_archive(tmp_path / "facades.tar.gz", "facades", SPLITS["facades"])
    server.content = (tmp_path / "facades.tar.gz").read_bytes()
    monkeypatch.setattr("os.access", lambda path, mode: False)
    assert len(definition.load("val", _config(), str(tmp_path / "data"))) == 2
    assert (package / "checksums.tsv").read_text() == ""


def test_a_file_of_another_checksum_is_refused(server, facades, tmp_path):
    definition, package = facades
    url = f"http://127.0.0.1:{server.server_port}/facades.tar.gz"
    (package / "checksums.tsv").write_text(f"{url}\t12\t{'0' * 64}\tfacades.tar.gz\n")
    archive = tmp_path / "data" / "downloads" / "manual" / "facades.tar.gz"
    _make_archive(tmp_path / "facades.tar.gz", "facades", SPLITS["facades"])
    server.content = (tmp_path / "facades.tar.gz").read_bytes()
    with pytest.raises(UserError, match=r"cannot download .*wrong checksum"):
        definition.load("val", _config(), str(tmp_path / "data"))
    assert _leftovers(tmp_path / "data") == []
    archive.parent.mkdir(exist_ok=True)
    archive.write_bytes(server.content)
    with pytest.raises(UserError, match=r"manual/facades\.tar\.gz is not the file that http.* fetch it again"):
        definition.load("val", _config(), str(tmp_path / "data"))
    assert _leftovers(tmp_path / "data") == []


def test_a_damaged_download_is_forgotten(server, facades, tmp_path):
    definition, package = facades
    server.content = b"<html>please log in</html>"
    with pytest.raises(UserError, match=r"damaged or no tar\.gz"):
        definition.load("val", _config(), str(tmp_path / "data"))
    assert _leftovers(tmp_path / "data") == []
    assert (package / "checksums.tsv").read_text() == ""
    _make_archive(tmp_path / "facades.tar.gz", "facades", SPLITS["facades"])
    server.content = (tmp_path / "facades.tar.gz").read_bytes()
    assert len(definition.load("val", _config(), str(tmp_path / "data"))) == 2


@pytest.mark.parametrize("trouble", ["missing", "too large", "nobody there"])
def test_an_address_that_does_not_serve_is_one_line(trouble, server, facades, tmp_path, monkeypatch):
    definition, _ = facades
    if trouble == "nobody there":
        monkeypatch.setattr(pix2pix_builder, "ADDRESS", "http://127.0.0.1:9/{name}.tar.gz")
    if trouble == "too large":
        server.content, server.length = b"x", 10**18
    data_dir = tmp_path / "data"
    with pytest.raises(UserError) as caught:
        definition.load("val", _config(), str(data_dir))
    message = str(caught.value)
    assert "\n" not in message
    if trouble == "too large":
        assert "needs about 3000000000.0 GB" in message
    else:
        reason = {"missing": "HTTP status 404", "nobody there": "no answer"}[trouble]
        for part in ("facades.tar.gz (31 MB)", reason, str(data_dir / "downloads" / "manual")):
            assert part in message
    assert _leftovers(data_dir) == []


def test_a_platform_without_array_record(monkeypatch, tmp_path):
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name, *rest: None if name == "array_record" else find_spec(name, *rest)
    )
    with pytest.raises(UserError, match=r"maps needs the package array_record.*--dataset=folder"):
        DATASETS["maps"].load("train", _config(), str(tmp_path))


def test_records_of_another_format_are_refused(tmp_path, no_network):
    _make_archive(tmp_path / "downloads" / "manual" / "facades.tar.gz", "facades", SPLITS["facades"])
    FacadesBuilder(data_dir=tmp_path).download_and_prepare()
    with pytest.raises(UserError, match=r"facades/1\.0\.0 was prepared in a format without random access: delete it"):
        DATASETS["facades"].load("train", _config(), str(tmp_path))
