"""Weights that are fetched once: from a folder, the cache or an address, and never any others than the expected."""

import dataclasses
import hashlib
import pathlib
import socket

import numpy as np
import pytest
from archive_server import archive_server

from gan_zoo.errors import UserError
from gan_zoo.pretrained import fetching
from gan_zoo.pretrained.fetching import WEIGHTS, Weights, fetch, load
from gan_zoo.pretrained.torch_writing import write_state_dict


@pytest.fixture
def content(tmp_path) -> bytes:
    path = tmp_path / "original.pth"
    write_state_dict(path, {"features.0.bias": np.arange(3, dtype=np.float32)})
    return path.read_bytes()


@pytest.fixture
def server(content, tmp_path, monkeypatch):
    """Serves the weights "tiny"; the cache is `tmp_path / "cache"`."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("GAN_ZOO_CACHE", str(tmp_path / "cache"))
    with archive_server() as server:
        server.content = content
        address = f"http://127.0.0.1:{server.server_address[1]}/models/tiny-1234.pth"
        tiny = Weights(address, len(content), hashlib.sha256(content).hexdigest(), "none")
        monkeypatch.setattr(fetching, "WEIGHTS", {"tiny": tiny})
        yield server


def refusal(weights_dir: pathlib.Path | None = None) -> str:
    with pytest.raises(UserError) as caught:
        fetch("tiny", weights_dir)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def assert_says_what_to_do(message: str, cache: pathlib.Path) -> None:
    weights = fetching.WEIGHTS["tiny"]
    for part in (weights.address, weights.sha256, "--weights_dir", str(cache), "under the name tiny-1234.pth"):
        assert part in message


def test_the_way_out_is_one_that_the_asking_script_has(server, monkeypatch) -> None:
    for name, setting in (("alexnet", None), ("resnet18", "encoder_weights"), ("resnet34", "encoder_weights")):
        assert WEIGHTS[name].setting == setting
    tiny = dataclasses.replace(fetching.WEIGHTS["tiny"], setting="encoder_weights", size=1)
    monkeypatch.setattr(fetching, "WEIGHTS", {"tiny": tiny})
    message = refusal()
    assert "and give it as --set encoder_weights=FILE, or put it into " in message and "--weights_dir" not in message
    assert message.endswith(", under the name tiny-1234.pth")


def test_files_are_fetched_once(server, content, tmp_path, capsys) -> None:
    cache = tmp_path / "cache"
    assert fetch("tiny") == cache / "tiny-1234.pth"
    assert f"fetching {fetching.WEIGHTS['tiny'].address} (0 MB) into {cache}" in capsys.readouterr().out
    np.testing.assert_array_equal(load("tiny")["features.0.bias"], [0, 1, 2])
    assert server.requests == 1 and [path.name for path in cache.iterdir()] == ["tiny-1234.pth"]
    assert capsys.readouterr().out == ""


def test_a_folder_of_the_users_comes_first(server, content, tmp_path) -> None:
    folder = tmp_path / "weights"
    assert refusal(folder) == f"--weights_dir={folder} is no folder"
    folder.mkdir()
    given = folder / "tiny-1234.pth"
    given.write_bytes(content)
    assert fetch("tiny", folder) == given and server.requests == 0
    given.write_bytes(content[::-1])
    assert_says_what_to_do(refusal(folder), tmp_path / "cache")
    assert given.read_bytes() == content[::-1]  # it is the user's
    given.unlink()
    assert fetch("tiny", folder).parent == tmp_path / "cache" and server.requests == 1


@pytest.mark.parametrize("what", ["another", "shorter", "truncated", "longer", "gone"])
def test_what_a_server_sends_instead_is_refused_and_removed(server, content, tmp_path, what: str) -> None:
    server.content = {
        "another": content[::-1],
        "shorter": content[:-1],
        "truncated": content[: len(content) // 2],
        "longer": content + b"\0",
        "gone": None,
    }[what]
    if what == "truncated":  # it promises all and breaks off
        server.length = len(content)
    message = refusal()
    assert_says_what_to_do(message, tmp_path / "cache")
    expected = {
        "another": "its SHA-256 is " + hashlib.sha256(content[::-1]).hexdigest(),
        "shorter": f"{len(content) - 1} bytes instead of {len(content)}",
        "truncated": f"{len(content) // 2} bytes instead of {len(content)}",
        "longer": f"{len(content) + 1} bytes instead of {len(content)}",
        "gone": "404",
    }
    assert expected[what] in message
    assert list((tmp_path / "cache").iterdir()) == []


def test_without_a_network(server, tmp_path, monkeypatch) -> None:
    def no_network(*_, **__):
        raise socket.gaierror(-3, "Temporary failure in name resolution")

    with monkeypatch.context() as patch:
        patch.setattr(socket, "create_connection", no_network)
        message = refusal()
    assert "cannot be fetched" in message and "name resolution" in message
    assert_says_what_to_do(message, tmp_path / "cache")
    assert list((tmp_path / "cache").iterdir()) == []
    fetch("tiny")  # and later it can


def test_a_damaged_file_in_the_cache_is_removed(server, content, tmp_path) -> None:
    cached = tmp_path / "cache" / "tiny-1234.pth"
    cached.parent.mkdir()
    cached.write_bytes(content[:-1] + b"\1")
    message = refusal()
    assert "was damaged and has been removed" in message and not cached.exists()
    assert_says_what_to_do(message, cached.parent)
    assert fetch("tiny") == cached and cached.read_bytes() == content


def test_the_table() -> None:
    for weights in WEIGHTS.values():
        assert weights.address.startswith("https://") and weights.size > 1e4 and weights.licence
        assert len(weights.sha256) == 64 and set(weights.sha256) <= set("0123456789abcdef")
        if weights.file_name.endswith(".pth"):
            assert weights.file_name.endswith(f"-{weights.sha256[:8]}.pth")
    assert sum(weights.file_name.endswith(".pth") for weights in WEIGHTS.values()) == len(WEIGHTS) - 2


def test_the_cache_is_in_the_users_home_unless_said_otherwise(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("GAN_ZOO_CACHE", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert fetching.cache_dir() == tmp_path / ".cache" / "gan_zoo"


def test_a_file_of_a_user_is_read_by_what_it_holds(tmp_path) -> None:
    keras_file, torch_file = tmp_path / "keras.pth", tmp_path / "torch.h5"
    keras_file.write_bytes(b"\x89HDF\r\n\x1a\n and more")
    write_state_dict(torch_file, {"weight": np.ones(2, np.float32)})
    assert fetching.read_given(keras_file, "setting") == str(keras_file)
    np.testing.assert_array_equal(fetching.read_given(torch_file, "setting")["weight"], np.ones(2))
    with pytest.raises(UserError, match=r"^setting=.*gone: there is no such file$"):
        fetching.read_given(tmp_path / "gone", "setting")
