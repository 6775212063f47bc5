"""Reading PyTorch's files without PyTorch: what they hold, and what happens to files made to do harm.

tests/parity/torch_{zip,legacy}_format.pth were made with PyTorch 2.15, of tensors cut from
`torch.arange(24.0) / 8 - 1` as `TENSORS` has them, the second one with `_use_new_zipfile_serialization=False`.
"""

import builtins
import io
import os
import pathlib
import pickle
import tracemalloc
import zipfile

import numpy as np
import pytest

from gan_zoo.errors import UserError
from gan_zoo.pretrained.torch_files import read_state_dict
from gan_zoo.pretrained.torch_pickle import RefusedError, Storage, read_pickle
from gan_zoo.pretrained.torch_writing import write_pickle

PARITY = pathlib.Path(__file__).parents[1] / "parity"
FIXTURES = ["torch_zip_format.pth", "torch_legacy_format.pth"]
NUMBERS = np.arange(24, dtype=np.float32) / 8 - 1
SMALL = np.array([1, 2, 100])
TENSORS = {
    "whole": NUMBERS.reshape(2, 3, 4),
    "transposed": NUMBERS.reshape(6, 4).T,
    "part": NUMBERS[5:9],
    "parameter": NUMBERS[:2],
    "channels_last": NUMBERS.reshape(1, 2, 3, 4),
    "scalar": np.array(7),
    "float64": SMALL.astype(np.float64),
    "float16": SMALL.astype(np.float16),
    "bfloat16": SMALL.astype(np.float32),
    "int32": SMALL.astype(np.int32),
    "int16": SMALL.astype(np.int16),
    "int8": SMALL.astype(np.int8),
    "uint8": SMALL.astype(np.uint8),
    "bool": np.array([True, False]),
}

ONE_TENSOR = write_pickle({"a": (Storage("float32", "0", 6), (2, 3))})
SIX = np.arange(6, dtype=np.float32)
# The first three pickles of a legacy file: magic number, version, machine.
HEAD = [pickle.dumps(value, 2) for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True})]


def zip_file(path: pathlib.Path, program: bytes, data: bytes = SIX.tobytes(), order=b"little", **kwargs):
    with zipfile.ZipFile(path, "w", **kwargs) as archive:
        archive.writestr("net/data.pkl", program)
        archive.writestr("net/byteorder", order)
        archive.writestr("net/data/0", data)
    return path


def legacy_file(path: pathlib.Path, *programs: bytes, count: int = 6, data: bytes = SIX.tobytes()):
    """Given programs take the place of the first ones: the head, the state_dict and the list of storages."""
    usual = [*HEAD, ONE_TENSOR, pickle.dumps(["0"], 2)]
    path.write_bytes(b"".join([*programs, *usual[len(programs) :]]) + count.to_bytes(8, "little", signed=True) + data)
    return path


def assert_refused(path: pathlib.Path, *parts: str) -> None:
    with pytest.raises(UserError) as caught:
        read_state_dict(path)
    for part in (str(path), *parts):
        assert part in str(caught.value), caught.value


@pytest.mark.parametrize("name", FIXTURES)
def test_reads_what_pytorch_wrote(name: str) -> None:
    arrays = read_state_dict(PARITY / name)
    assert list(arrays) == list(TENSORS)
    for key, array in arrays.items():
        assert array.dtype == TENSORS[key].dtype, key
        np.testing.assert_array_equal(array, TENSORS[key], err_msg=key)
        assert not array.flags.writeable
    assert np.shares_memory(arrays["whole"], arrays["part"])  # one storage, read once


def test_the_files_made_here_are_read(tmp_path) -> None:
    for path in (zip_file(tmp_path / "zip.pth", ONE_TENSOR), legacy_file(tmp_path / "legacy.pth")):
        np.testing.assert_array_equal(read_state_dict(path)["a"], SIX.reshape(2, 3))


def test_a_big_endian_archive_is_read(tmp_path) -> None:
    path = zip_file(tmp_path / "big.pth", ONE_TENSOR, SIX.astype(">f4").tobytes(), order=b"big")
    np.testing.assert_array_equal(read_state_dict(path)["a"], SIX.reshape(2, 3))
    assert_refused(zip_file(tmp_path / "odd.pth", ONE_TENSOR, order=b"middle"), "byte order")


def test_python_2_pickled_an_ordered_dict_with_its_items(tmp_path) -> None:
    tensor = ONE_TENSOR[ONE_TENSOR.index(b"ctorch._utils") : -2]
    program = b"\x80\x02ccollections\nOrderedDict\n(](](U\x01a" + tensor + b"eetR."
    np.testing.assert_array_equal(read_state_dict(legacy_file(tmp_path / "x.pth", *HEAD, program))["a"][1], SIX[3:])


class Evil:
    """Pickles as a call of any function."""

    def __init__(self, function, *arguments) -> None:
        self.call = function, arguments

    def __reduce__(self):
        return self.call


def programs(command: str) -> dict[str, tuple[bytes, str]]:
    """Pickles that run a shell command or Python code, and what the refusal names."""
    shell = f"{os.system.__module__}.system"
    code = f"__import__('os').system({command!r})"
    evil = Evil(os.system, command)
    bytes_of_evil = pickle.dumps(evil, 2)[2:-1]
    start = ONE_TENSOR.index(b"ctorch._utils")
    return {
        "system": (pickle.dumps(evil, 2), shell),
        "system, protocol 0": (pickle.dumps(evil, 0), shell),
        "system, protocol 4": (pickle.dumps(evil, 4), shell),
        "eval": (pickle.dumps(Evil(builtins.eval, code), 2), "__builtin__.eval"),
        "in a value": (pickle.dumps({"a": evil}, 2), shell),
        "in a call's arguments": (pickle.dumps({"a": Evil(print, evil)}, 2), "__builtin__.print"),
        "in a tensor's arguments": (ONE_TENSOR[:start] + bytes_of_evil + b"0" + ONE_TENSOR[start:], shell),
        "in the attributes of a state_dict": (ONE_TENSOR[:-1] + b"}X\x01\x00\x00\x00a" + bytes_of_evil + b"sb.", shell),
        "in a persistent id": (b"\x80\x02" + bytes_of_evil + b"Q.", shell),
        "INST": (b"(X" + len(command).to_bytes(4, "little") + command.encode() + b"ios\nsystem\n.", "'os system'"),
        "OBJ": (b"(cposix\nsystem\nS'" + command.encode() + b"'\no.", shell),
        "NEWOBJ": (b"\x80\x02ccollections\nOrderedDict\n)\x81.", "NEWOBJ"),
        "an extension": (b"\x80\x02\x82\x01.", "EXT1"),
        "a nested pickle": (pickle.dumps(Evil(pickle.loads, pickle.dumps(evil)), 2), "pickle.loads"),
        "a function's attributes": (b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\n}b.", "attributes"),
        "a call of a storage": (b"\x80\x02ctorch\nFloatStorage\n)R.", "torch.FloatStorage"),
        "a module's function": (b"\x80\x02ctorch.hub\nload\n)R.", "torch.hub.load"),
    }


@pytest.mark.parametrize("what", list(programs("")))
def test_nothing_of_a_malicious_file_is_run(tmp_path, what: str) -> None:
    proof = tmp_path / "proof"
    program, named = programs(f"touch {proof}")[what]
    assert_refused(zip_file(tmp_path / "zip.pth", program), named)
    assert_refused(legacy_file(tmp_path / "first.pth", program), named)
    assert_refused(legacy_file(tmp_path / "dict.pth", *HEAD, program), named)
    assert_refused(legacy_file(tmp_path / "storages.pth", *HEAD, ONE_TENSOR, program), named)
    assert not proof.exists()


def test_the_malicious_files_would_do_harm(tmp_path) -> None:
    proof = tmp_path / "proof"
    for what in ("system", "system, protocol 4", "eval", "INST", "OBJ"):
        pickle.loads(programs(f"touch {proof}")[what][0])
        assert proof.exists(), what
        proof.unlink()


def test_truncated_files(tmp_path) -> None:
    for name in FIXTURES:
        whole = (PARITY / name).read_bytes()
        for length in {0, 1, 3, 4, 5, len(whole) - 1, *range(0, len(whole), 101)}:
            (tmp_path / "cut.pth").write_bytes(whole[:length])
            assert_refused(tmp_path / "cut.pth")


def test_damaged_archives_are_noticed(tmp_path) -> None:
    path = zip_file(tmp_path / "net.pth", ONE_TENSOR)
    whole = path.read_bytes()
    path.write_bytes(whole.replace(SIX.tobytes(), SIX[::-1].tobytes()))
    assert_refused(path, "CRC")


def tensor(storage=(b"X\x01\x00\x00\x000", 6), offset=0, sizes=(2, 3), strides=(3, 1)) -> bytes:
    """A state_dict of one tensor with freely chosen claims."""

    def number(value) -> bytes:
        return pickle.dumps(value, 2)[2:-1]

    key, count = storage
    program = b"\x80\x02}X\x01\x00\x00\x00actorch._utils\n_rebuild_tensor_v2\n((X\x07\x00\x00\x00storagectorch\n"
    program += b"FloatStorage\n" + key + b"X\x03\x00\x00\x00cpu" + number(count) + b"tQ"
    return program + b"".join(map(number, (offset, sizes, strides))) + b"\x89}tRs."


@pytest.mark.parametrize(
    "program",
    [
        tensor(sizes=(7,), strides=(1,)),
        tensor(sizes=(2**40, 2**40), strides=(2**40, 1)),
        tensor(sizes=(2**62,), strides=(0,)),  # as many numbers as one likes, all in the same place
        tensor(sizes=(2, 3, 2), strides=(3, 1, 0)),
        tensor(sizes=(2, 3), strides=(-3, 1)),
        tensor(sizes=(2, 3), strides=(4, 1)),
        tensor(sizes=(2, 2), strides=(2**63 - 1, 1)),
        tensor(sizes=(-1, -6)),
        tensor(sizes=(2**70, 1)),
        tensor(sizes=(0, 2**62)),
        tensor(sizes=(2, 3), strides=(3,)),
        tensor(sizes=(1,) * 100, strides=(1,) * 100),
        tensor(sizes=(2.0, 3)),
        tensor(sizes=(True, 3)),
        tensor(offset=1),
        tensor(offset=-1),
        tensor(offset=2**64),
        tensor(storage=(b"X\x01\x00\x00\x000", 2**60), sizes=(2**60,), strides=(1,)),  # more than the file has
        tensor(storage=(b"X\x01\x00\x00\x000", 5), sizes=(5,), strides=(1,)),
        tensor(storage=(b"X\x01\x00\x00\x000", -6)),
        tensor(storage=(b"X\x01\x00\x00\x001", 6)),
        tensor(storage=(b"X\x06\x00\x00\x00../../", 6)),
        tensor(storage=(b"K\x00", 6)),
        b"\x80\x02X\xff\xff\xff\xffabc.",  # a text of 4 GB
        b"\x80\x04\x8d\xff\xff\xff\xff\xff\xff\xff\x7fabc.",  # and of 8 EB
        b"\x80\x02}r\xff\xff\xff\xff0" + b"r\xff\xff\xff\xfe.",  # place 2^32 - 1 of the memo
        b"(" * 5_000 + b"t" * 5_000 + b".",
        b"\x80\x02}" + b"\x85" * 8_000 + b".",  # tuples in tuples
        b"\x80\x02}q\x00h\x00K\x01s.",  # a dict with a number as key
        b"\x80\x02]q\x00h\x00a.",  # a list in itself
        b"",
        b".",
        b"u.",
    ],
)
def test_claims_are_checked_before_anything_is_made(tmp_path, program: bytes) -> None:
    paths = [zip_file(tmp_path / "zip.pth", program), legacy_file(tmp_path / "legacy.pth", *HEAD, program)]
    tracemalloc.start()
    try:
        for path in paths:
            assert_refused(path)
        assert tracemalloc.get_traced_memory()[1] < 50e6
    finally:
        tracemalloc.stop()


def test_legacy_storages_are_counted(tmp_path) -> None:
    huge = 2**60
    program = tensor(storage=(b"X\x01\x00\x00\x000", huge), sizes=(huge,), strides=(1,))
    assert_refused(legacy_file(tmp_path / "huge.pth", *HEAD, program, count=huge), "truncated")
    assert_refused(legacy_file(tmp_path / "two.pth", count=5), "two different lengths")
    assert_refused(legacy_file(tmp_path / "negative.pth", count=-1), "two different lengths")
    for keys in ([], ["1"], ["0", "0"], [0], ("0",)):
        assert_refused(legacy_file(tmp_path / "keys.pth", *HEAD, ONE_TENSOR, pickle.dumps(keys, 2)))


def test_archives_that_unpack_to_more_than_they_are(tmp_path) -> None:
    compressed = zip_file(tmp_path / "a.pth", ONE_TENSOR, bytes(10**6), compression=zipfile.ZIP_DEFLATED)
    assert_refused(compressed, "compressed")
    long = zip_file(tmp_path / "b.pth", ONE_TENSOR + bytes(2**20))
    assert_refused(long, "pickle of more than")
    with pytest.warns(UserWarning, match="Duplicate name"), zipfile.ZipFile(tmp_path / "c.pth", "w") as archive:
        for _ in range(2):
            archive.writestr("net/data.pkl", ONE_TENSOR)
    assert_refused(tmp_path / "c.pth", "twice")
    # Two members whose bytes are the same ones: the second's place is that of the first.
    path = zip_file(tmp_path / "d.pth", ONE_TENSOR, bytes(10_000))
    whole = bytearray(path.read_bytes())
    directory = whole.index(b"PK\x01\x02")
    entries = bytes(whole[directory : whole.index(b"PK\x05\x06")])
    extra = entries[entries.rindex(b"PK\x01\x02") :].replace(b"net/data/0", b"net/data/1")
    end = whole.index(b"PK\x05\x06")
    tail = whole[end : end + 8] + b"\x04\x00\x04\x00" + (len(entries + extra)).to_bytes(4, "little") + whole[end + 16 :]
    path.write_bytes(bytes(whole[:directory]) + entries + extra + bytes(tail))
    assert_refused(path, "claim more bytes")


def test_what_is_no_state_dict_is_named(tmp_path) -> None:
    assert_refused(zip_file(tmp_path / "a.pth", pickle.dumps({"epoch": 3}, 2)), "'epoch' is int")
    assert_refused(zip_file(tmp_path / "b.pth", pickle.dumps([], 2)), "holds list instead")
    assert_refused(zip_file(tmp_path / "c.pth", b"\x80\x02cmodels.networks\nUnetGenerator\n)R."), "UnetGenerator")
    (tmp_path / "d.pth").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(99))
    assert_refused(tmp_path / "d.pth", "is no PyTorch file")
    with zipfile.ZipFile(tmp_path / "e.pth", "w") as archive:
        archive.writestr("word/document.xml", "x")
    assert_refused(tmp_path / "e.pth", "no data.pkl")
    assert_refused(tmp_path / "missing.pth", "no file")
    assert_refused(tmp_path, "no file")


def test_a_list_of_items_serves_once() -> None:
    program = b"\x80\x02](](U\x01aK\x01eeq\x00" + b"ccollections\nOrderedDict\nh\x00\x85R" * 2 + b"\x87."
    assert read_pickle(io.BytesIO(program)) == ([], {"a": 1}, {})
    with pytest.raises(RefusedError):
        read_pickle(io.BytesIO(program[:-1]))


def test_calls_cost_no_more_than_their_own_length(tmp_path) -> None:
    """A long tuple that a thousand calls share: each instruction would look at all of it, for minutes in a megabyte."""
    count, calls = 2000, 200
    tensor = b"(X\x07\0\0\0storagectorch\nFloatStorage\nX\x01\0\0\0aX\x03\0\0\0cpuK\x01tQ"
    tensor = b"ctorch._utils\n_rebuild_tensor\n(" + tensor + b"K\0K\x01\x85K\x01\x85tR"
    for times in (0, count):
        program = b"\x80\x02ctorch._utils\n_rebuild_parameter\nq\0(" + tensor + b"N" * times + b"tq\x01"
        program += b"h\0h\x01R" * calls + b"."
        with pytest.raises(RefusedError, match="too many values" if times == 0 else "in a way that PyTorch does not"):
            read_pickle(io.BytesIO(program))
