"""Writing PyTorch's files without PyTorch."""

import io
import os
import pickle
import zipfile

import numpy as np
import pytest

from gan_zoo.pretrained.torch_files import read_state_dict
from gan_zoo.pretrained.torch_writing import write_state_dict, write_state_dicts

SIX = np.arange(6, dtype=np.float32)


def test_what_is_written_is_a_program_for_pytorch(tmp_path) -> None:
    """Pickle's own machine runs it, with recorders in the place of PyTorch's functions."""
    arrays = {"a": SIX.reshape(2, 3).T, "n": np.array(2**40), "flag": np.array([True]), "zero": np.zeros([1, 1, 1])}
    write_state_dict(tmp_path / "net.pth", arrays)
    assert [path.name for path in tmp_path.iterdir()] == ["net.pth"]
    archive = zipfile.ZipFile(tmp_path / "net.pth")
    assert archive.read("net/version") == b"3\n" and archive.read("net/byteorder") == b"little"

    class Machine(pickle.Unpickler):
        def find_class(self, module, name):
            if module == "torch._utils":
                return lambda storage, *claims: (name, storage, *claims)
            return super().find_class(module, name) if module == "collections" else f"{module}.{name}"

        def persistent_load(self, pid):
            return pid

    result = Machine(io.BytesIO(archive.read("net/data.pkl"))).load()
    assert type(result).__name__ == "OrderedDict" and list(result) == list(arrays)
    expected = ("_rebuild_tensor_v2", ("storage", "torch.FloatStorage", "0", "cpu", 6), 0, (3, 2), (2, 1), False, {})
    assert result["a"] == expected
    expected = ("_rebuild_tensor_v2", ("storage", "torch.LongStorage", "1", "cpu", 1), 0, (), (), False, {})
    assert result["n"] == expected
    again = read_state_dict(tmp_path / "net.pth")
    for name, array in arrays.items():
        assert again[name].dtype == array.dtype and np.array_equal(again[name], array), name


def test_a_failed_write_leaves_the_old_file(tmp_path, monkeypatch) -> None:
    path = tmp_path / "net.pth"
    write_state_dict(path, {"a": SIX})
    before = path.read_bytes()
    with pytest.raises(ValueError, match="a: PyTorch has no type complex64"):
        write_state_dict(path, {"a": SIX.astype(np.complex64)})
    monkeypatch.setattr(os, "replace", lambda *_: (_ for _ in ()).throw(OSError("disk full")))
    with pytest.raises(OSError, match="disk full"):
        write_state_dict(path, {"a": SIX + 1})
    assert path.read_bytes() == before
    assert [file.name for file in tmp_path.iterdir()] == ["net.pth"]


def test_half_a_set_does_not_keep_the_next_one_out(tmp_path, monkeypatch) -> None:
    state_dicts = {
        tmp_path / "out" / f"latest_net_{part}.pth": {"w": np.full([3], place, np.float32)}
        for place, part in enumerate("GDE")
    }
    replace, done = os.replace, []

    def dying(source, target) -> None:
        if target in state_dicts and len(done) == 2:
            raise KeyboardInterrupt
        done.extend([target] if target in state_dicts else [])
        replace(source, target)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "replace", dying)
        write_state_dicts(tmp_path / "out", state_dicts)
    assert len(list((tmp_path / "out").iterdir())) == 2
    (tmp_path / "out" / ".to_pytorch.partial").mkdir()  # as a kill leaves it
    assert write_state_dicts(tmp_path / "out", state_dicts) == []
    assert {*(tmp_path / "out").iterdir()} == {*state_dicts}
    first, *_, last = state_dicts
    first.unlink()
    last.write_bytes(b"mine")
    assert write_state_dicts(tmp_path / "out", state_dicts) == [last]
    assert last.read_bytes() == b"mine" and not first.exists()
