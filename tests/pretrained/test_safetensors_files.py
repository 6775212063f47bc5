"""Files of safetensors: what they hold, and what is refused."""

import json
import pathlib
import sys

import ml_dtypes
import numpy as np
import pytest
from safetensors.numpy import save_file

from gan_zoo.errors import UserError
from gan_zoo.pretrained.safetensors_files import read_safetensors

SIX = np.arange(6, dtype=np.float32).reshape(2, 3)


def written(path: pathlib.Path, header: dict, data: bytes = SIX.tobytes()) -> pathlib.Path:
    text = json.dumps(header).encode()
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    return path


def claim(shape: list[int], dtype: str = "F32", end: int = 24) -> dict:
    return {"a": {"dtype": dtype, "shape": shape, "data_offsets": [0, end]}}


def assert_refused(path: pathlib.Path, *parts: str) -> None:
    with pytest.raises(UserError) as caught:
        read_safetensors(path)
    for part in (str(path), *parts):
        assert part in str(caught.value), caught.value
    assert "\n" not in str(caught.value)


def test_tensors_of_every_type_are_read(tmp_path) -> None:
    values = {"float32": SIX, "int64": np.array(2**40), "bfloat16": SIX.astype(ml_dtypes.bfloat16)}
    values |= {name: SIX.astype(name) for name in ("float64", "float16", "int32", "uint8", "bool")}
    save_file(values, tmp_path / "a.safetensors", metadata={"format": "pt"})
    arrays = read_safetensors(tmp_path / "a.safetensors")
    assert arrays.keys() == values.keys()
    for name, array in arrays.items():
        assert array.dtype == ("float32" if name == "bfloat16" else name)
        np.testing.assert_array_equal(array, values[name].astype(array.dtype))


def test_what_makes_no_tensors_is_refused(tmp_path) -> None:
    path = tmp_path / "a.safetensors"
    assert_refused(written(path, claim([2**40, 2**40])), "damaged")
    assert_refused(written(path, claim([2**40], end=2**42)), "damaged")
    assert_refused(written(path, claim([2, 3]), SIX.tobytes()[:-1]), "damaged")
    assert_refused(written(path, claim([0, 3], end=0), b""), "without numbers")
    assert_refused(written(path, claim([24], "F8_E4M3")), "float8")
    assert_refused(written(path, claim([3], "C64")), "complex64")
    for data in (b"", bytes(8), (2**62).to_bytes(8, "little") + b"{}", b"PK\x03\x04" + bytes(99)):
        path.write_bytes(data)
        assert_refused(path, "damaged")
    assert_refused(tmp_path / "missing.safetensors", "no file")
    assert_refused(tmp_path, "no file")


def test_a_missing_library_is_named(tmp_path, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    assert_refused(written(tmp_path / "a.safetensors", claim([2, 3])), "pip install safetensors")
