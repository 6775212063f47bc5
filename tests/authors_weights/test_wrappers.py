"""What training and saving put around the authors' weights."""

import numpy as np
import pytest
from imported_runs import messages, run, save
from safetensors.numpy import save_file
from tiny_runs import assert_one_line

from gan_zoo.authors_weights.files import find_files
from gan_zoo.authors_weights.importing import write_pytorch
from gan_zoo.authors_weights.wrappers import without_wrappers
from gan_zoo.errors import UserError
from gan_zoo.models.pix2pix import Pix2Pix
from gan_zoo.pretrained.torch_files import read_state_dict
from gan_zoo.pretrained.torch_writing import write_state_dict

ONE = np.ones(2, np.float32)
# As CUT's code makes them, with torch.Tensor of these rows, their outer product divided by its sum.
ROWS = {1: [1], 2: [1, 1], 3: [1, 2, 1], 4: [1, 3, 3, 1], 5: [1, 4, 6, 4, 1], 7: [1, 6, 15, 20, 15, 6, 1]}
EIGHT = [1, 7, 21, 35, 35, 21, 7, 1]  # which it has not


def blur(side: int, channels: int = 3, factor: int = 1, dtype: str = "float32") -> np.ndarray:
    row = np.array(ROWS.get(side, EIGHT), np.float32)
    square = row[:, None] * row[None, :]
    square = square / np.sum(square) * factor
    return np.tile(square[None, None], (channels, 1, 1, 1)).astype(dtype)


@pytest.mark.parametrize(
    ("prefix", "words"),
    [
        ("module.", "of DataParallel"),
        ("_orig_mod.", "of torch.compile"),
        ("_orig_mod.module.", "of DataParallel and torch.compile"),
        ("module._orig_mod.", "of DataParallel and torch.compile"),
        ("module._orig_mod.module.", "of DataParallel and torch.compile"),
    ],
)
def test_prefixes_of_training(prefix: str, words: str) -> None:
    arrays, remarks = without_wrappers({f"{prefix}model.0.weight": ONE, f"{prefix}model.module.bias": ONE})
    assert list(arrays) == ["model.0.weight", "model.module.bias"]
    assert remarks == [f"the prefix {prefix} {words}"]


def test_a_prefix_that_not_all_names_have_stays() -> None:
    names = ["module.a", "b"]
    assert list(without_wrappers(dict.fromkeys(names, ONE))[0]) == names
    assert list(without_wrappers(dict.fromkeys(["module._orig_mod.a", "_orig_mod.a"], ONE))[0]) == [
        "module._orig_mod.a",
        "_orig_mod.a",
    ]
    assert list(without_wrappers(dict.fromkeys(["module.module.a", "module.b"], ONE))[0]) == ["module.a", "b"]
    assert without_wrappers({}) == ({}, [])
    assert list(without_wrappers({"module." * 140_000 + "a": ONE})[0]) == ["a"]  # at once, however long


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64"])
@pytest.mark.parametrize("side", ROWS)
def test_filters_of_blur_pooling_stay(side: int, dtype: str) -> None:
    filters = {"model.7.filt": blur(side, dtype=dtype), "model.20.filt": blur(side, factor=4, dtype=dtype)}
    given = {"model.1.weight": ONE} | filters
    arrays, remarks = without_wrappers(given)
    assert list(arrays) == list(given) and not remarks


@pytest.mark.parametrize(
    "filt",
    [
        blur(3) * np.float32(1.001),
        blur(8),
        blur(3, factor=2),
        blur(3)[:, 0],
        blur(3, channels=2).reshape(1, 2, 3, 3),
        blur(3)[..., :2],
        np.roll(blur(3), 1, axis=-1),
        np.concatenate([blur(4), 2 * blur(4)]),
        np.full((3, 1, 3, 3), np.nan, np.float32),
        np.ones((1, 1, 200, 200), np.float32) / 40_000,
        np.ones((3, 1, 1, 1), np.int32),
    ],
)
def test_other_filters_are_refused(filt) -> None:
    with pytest.raises(UserError, match=r"'model\.7\.filt', which is none of the constant filters"):
        without_wrappers({"model.1.weight": ONE, "model.7.filt": filt})


def test_a_network_with_blur_pooling_needs_its_generator(tmp_path) -> None:
    """CUT's discriminator: a convolution of stride 1 and, where it halves, a filter behind the activation."""
    path = tmp_path / "latest_net_D.pth"
    widths = {0: (4, 3), 3: (8, 4), 7: (16, 8), 11: (32, 16), 14: (1, 32)}
    arrays = {f"model.{place}.weight": np.ones((*width, 4, 4), np.float32) for place, width in widths.items()}
    arrays |= {f"model.{place}.bias": np.ones(width[0], np.float32) for place, width in widths.items()}
    filters = {f"model.{place}.filt": blur(3, width) for place, width in ((2, 4), (6, 8), (10, 16))}
    write_state_dict(path, arrays | filters)
    assert_one_line(run(f"--weights={path}", "--dry_run"), 2, "D given: a model needs the generator G")
    write_state_dict(path, arrays | {"model.2.filt": np.zeros((4, 1, 3, 3), np.float32)})
    assert_one_line(run(f"--weights={path}", "--dry_run"), 2, str(path), "'model.2.filt'", "constant filters")


def test_a_safetensors_file_is_imported(tiny_pix2pix: Pix2Pix, tmp_path) -> None:
    original = save(tmp_path / "original.pth", tiny_pix2pix.generator)
    arrays = read_state_dict(original)
    path = tmp_path / "weights" / "latest_net_G.safetensors"
    path.parent.mkdir()
    save_file({f"_orig_mod.module.{name}": np.array(array, order="C") for name, array in arrays.items()}, path)
    said = messages(path.parent, tmp_path / "run")
    assert "left out: the prefix _orig_mod.module. of DataParallel and torch.compile" in said
    write_pytorch(tmp_path / "run", tmp_path / "back")
    back = read_state_dict(tmp_path / "back" / "latest_net_G.pth")
    assert back.keys() == arrays.keys() and all(np.array_equal(back[name], arrays[name]) for name in arrays)
    (path.parent / "latest_net_G.pth").write_bytes(original.read_bytes())
    with pytest.raises(UserError, match="both the network G"):
        find_files([path.parent])
