"""Which network is read of a checkpoint that holds more beside it."""

import pickle

import numpy as np
import pytest
from test_torch_files import HEAD, SIX, assert_refused, legacy_file, zip_file

from gan_zoo.pretrained.torch_files import read_state_dict
from gan_zoo.pretrained.torch_pickle import Storage
from gan_zoo.pretrained.torch_writing import write_pickle

OPTIMIZER = {
    "state": {0: {"step": 5}, 1: {"step": 5}},
    "param_groups": [{"lr": 2e-4, "betas": (0.5, 0.999), "weight_decay": 0, "amsgrad": False, "params": [0, 1]}],
}


def network(key: str = "0", name: str = "a", count: int = 6) -> bytes:
    """The program of a state_dict of one vector, without beginning and end."""
    return write_pickle({name: (Storage("float32", key, count), (count,))})[2:-1]


def value(thing: object) -> bytes:
    return pickle.dumps(thing, 2)[2:-1]


def checkpoint(entries: dict[str, bytes]) -> bytes:
    return b"\x80\x02}(" + b"".join(value(name) + entry for name, entry in entries.items()) + b"u."


OTHERS = {"epoch": value(3), "optimizer": value(OPTIMIZER), "best": value(None), "loss": value(0.25)}


@pytest.mark.parametrize("key", ["state_dict", "model_state_dict", "model", "generator", "net", "params", "my_network"])
def test_the_only_network_of_a_checkpoint_is_read(tmp_path, key: str) -> None:
    for program in (checkpoint({key: network()} | OTHERS), checkpoint(OTHERS | {key: network()})):
        assert list(read_state_dict(zip_file(tmp_path / "zip.pth", program))) == ["a"]
        path = legacy_file(tmp_path / "legacy.pth", *HEAD, program)
        np.testing.assert_array_equal(read_state_dict(path)["a"], SIX)


@pytest.mark.parametrize(
    ("keys", "read"),
    [
        (["params", "params_ema"], "params_ema"),
        (["params_ema", "params"], "params_ema"),
        (["generator", "discriminator"], "generator"),
        (["discriminator", "generator", "generator_ema"], "generator_ema"),
        (["statistics", "state_dict"], "state_dict"),
    ],
)
def test_one_of_several_networks_is_read_where_the_names_say_which(tmp_path, keys, read) -> None:
    entries = {key: network(str(place), key) for place, key in enumerate(keys)}
    # Every storage has its numbers; those that are not asked for are passed over.
    path = legacy_file(tmp_path / "legacy.pth", *HEAD, checkpoint(entries), value_of_keys(len(keys)))
    path.write_bytes(path.read_bytes() + b"".join(storage(place) for place in range(1, len(keys))))
    arrays = read_state_dict(path)
    assert list(arrays) == [read]
    np.testing.assert_array_equal(arrays[read], SIX + keys.index(read))


def value_of_keys(count: int) -> bytes:
    return pickle.dumps([str(place) for place in range(count)], 2)


def storage(place: int) -> bytes:
    return (6).to_bytes(8, "little") + (SIX + place).tobytes()


@pytest.mark.parametrize("keys", [["G", "D"], ["netG", "netD", "netE"], ["model", "state_dict"]])
def test_several_networks_are_refused_by_their_names(tmp_path, keys) -> None:
    program = checkpoint({key: network(name=key) for key in keys})
    assert_refused(zip_file(tmp_path / "zip.pth", program), "several state_dicts", *keys, "by itself")


def test_what_holds_no_network_is_refused(tmp_path) -> None:
    assert_refused(zip_file(tmp_path / "a.pth", checkpoint(OTHERS)), "'epoch' is int")
    assert_refused(zip_file(tmp_path / "b.pth", checkpoint({"model": value({})})), "'model' is dict")
    deep = checkpoint({"model": checkpoint({"net": network()})[2:-1]})
    assert_refused(zip_file(tmp_path / "c.pth", deep), "'model' is dict")
    assert_refused(zip_file(tmp_path / "d.pth", b"\x80\x02}(K\x01" + value("x") + b"u."), "'1' is str")
    # Values that hold themselves end too: {"a": its own dict}, and a list in a list.
    assert_refused(zip_file(tmp_path / "e.pth", b"\x80\x02}q\x00X\x01\x00\x00\x00ah\x00s."), "'a' is dict")
    program = b"\x80\x02}(" + value("net") + network() + b"X\x01\x00\x00\x00l]q\x00h\x00au."
    np.testing.assert_array_equal(read_state_dict(legacy_file(tmp_path / "f.pth", *HEAD, program))["a"], SIX)


def test_the_claims_of_what_is_not_read_count_too(tmp_path) -> None:
    hidden = checkpoint({"net": network(), "optimizer": network("1", "exp_avg", 2**40)})
    path = legacy_file(tmp_path / "legacy.pth", *HEAD, hidden, value_of_keys(2))
    path.write_bytes(path.read_bytes() + (2**40).to_bytes(8, "little") + SIX.tobytes())
    assert_refused(path, "storage '1'", "truncated")
