"""CUT's weights: recognised, computing what they computed, and back again with the constant filters of its blurs."""

import json

import numpy as np
import pytest
from drawn_weights import drawn_weights
from imported_runs import PARITY, run, save, shapes
from tiny_runs import assert_one_line

from gan_zoo.authors_weights.architecture import recognise
from gan_zoo.authors_weights.kernels import inner_kernels
from gan_zoo.networks.discriminators.patch_discriminator import patch_discriminator
from gan_zoo.networks.projection_heads import projection_heads
from gan_zoo.networks.resnet import resnet
from gan_zoo.pretrained.torch_files import read_state_dict
from gan_zoo.pretrained.torch_writing import write_state_dict
from gan_zoo.runs.loading import load_run

# What the authors' modules keep: place in the Sequential, channels, a row of the filter, and what it sums up to.
DOWN, UP = ([1, 2, 1], 1), ([1, 3, 3, 1], 4)
FILTERS = {
    "G": {7: (8, *DOWN), 11: (16, *DOWN), 21: (16, *UP), 25: (8, *UP)},
    "D": {2: (4, *DOWN), 6: (8, *DOWN), 10: (16, *DOWN)},
    "F": {},
}


def blur(channels: int, row: list[int], total: int) -> np.ndarray:
    square = np.outer(row, row) / np.sum(row) ** 2 * total
    return np.tile(square[None, None], (channels, 1, 1, 1)).astype(np.float32)


def with_filters(part: str, weights: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """In the order of the modules, in which a state_dict has them."""
    arrays = weights | {f"model.{place}.filt": blur(*about) for place, about in FILTERS[part].items()}
    return arrays if part == "F" else dict(sorted(arrays.items(), key=lambda item: int(item[0].split(".")[1])))


def files(folder, change=lambda part, arrays: arrays) -> list:
    recorded = np.load(PARITY / "cut_64.npz")
    paths = []
    for part in FILTERS:
        paths.append(folder / f"latest_net_{part}.pth")
        write_state_dict(paths[-1], change(part, with_filters(part, drawn_weights(recorded, f"cut_64.{part}."))))
    return paths


def test_all_three_networks_and_the_way_back(tmp_path) -> None:
    paths = files(tmp_path)
    words = ["--set", "image_size=64"]
    result = run(f"--weights={tmp_path}", f"--workdir={tmp_path / 'run'}", *words)
    assert result.code == 0, result
    assert "ResNet of 9 blocks, 4 filters, 3 -> 3 channels, instance norm, blur pooling, blur upsampling" in result.out
    assert "PatchGAN of 3 strided convolutions, 4 filters, 3 -> 1 channels, instance norm, blur pooling" in result.out
    assert "5 projection heads, 16 filters, of features of 3, 8, 16, 16, 16 channels" in result.out
    assert "model cut" in result.out and "CUT and FastCUT look alike" in result.out
    command = result.out.split("to train on")[1]
    for word in (
        "antialias=true",
        "upsampling=blur",
        "head_width=16",
        "nce_layers=image,down_0,down_1,block_0,block_4",
    ):
        assert f"--set {word}" in command
    written = run(f"--workdir={tmp_path / 'run'}", f"--to_pytorch={tmp_path / 'back'}")
    assert written.code == 0, written
    for path in paths:
        before, after = read_state_dict(path), read_state_dict(tmp_path / "back" / path.name)
        assert list(before) == list(after)
        for name, array in before.items():
            assert array.dtype == after[name].dtype and np.array_equal(array, after[name]), (path.name, name)

    _, model, _ = load_run(tmp_path / "run")
    recorded = np.load(PARITY / "cut_64.npz")
    image_a, image_b = (recorded[f"real_{domain}/0"].astype(np.float32) for domain in "AB")
    for ours, key in ((model.generator(image_a), "fake_B"), (model.discriminator(image_b), "D_real")):
        theirs = recorded[f"step0/{key}"]
        assert np.max(np.abs(ours - theirs)) < 1e-4 * np.max(np.abs(theirs))


def without_filters(part: str, arrays: dict) -> dict:
    return {name: array for name, array in arrays.items() if not name.endswith("filt")}


def test_filters_may_be_missing_and_come_back(tmp_path) -> None:
    path = files(tmp_path, without_filters)[0]
    workdir = tmp_path / "run"
    assert run(f"--weights={path}", f"--workdir={workdir}", "--set", "discriminator_filters=2").code == 0
    assert run(f"--workdir={workdir}", f"--to_pytorch={tmp_path / 'back'}").code == 0
    back = read_state_dict(tmp_path / "back" / path.name)
    assert len([name for name in back if name.endswith("filt")]) == 4
    np.testing.assert_array_equal(back["model.25.filt"], blur(8, *UP))


def another(place: int, array: np.ndarray):
    return lambda part, arrays: arrays | ({f"model.{place}.filt": array} if part == "G" else {})


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (another(7, blur(8, [1, 2, 1], 4)), ["model.7.filt is another filter"]),
        (another(7, blur(8, *UP)), ["model.7.filt has the shape [8, 1, 4, 4] instead of [8, 1, 3, 3]"]),
        (another(21, blur(8, *UP)), ["model.21.filt has the shape [8, 1, 4, 4] instead of [16, 1, 4, 4]"]),
        (another(9, blur(8, *DOWN)), ["model.9.filt is left over"]),
        (another(7, np.zeros((8, 1, 3, 3), np.float32)), ["'model.7.filt'", "none of the constant filters"]),
    ],
)
def test_other_filters_are_refused(tmp_path, change, parts) -> None:
    files(tmp_path, change)
    assert_one_line(run(f"--weights={tmp_path}", "--dry_run"), 2, "latest_net_G.pth", *parts)


@pytest.mark.parametrize(
    ("options", "found"),
    [
        ({"antialias": True, "upsampling": "blur", "norm": "batch"}, ("blur", True)),
        ({"antialias": True, "upsampling": "transposed"}, ("transposed", True)),
        ({"antialias": False, "upsampling": "blur", "norm": "none"}, ("blur", False)),
        ({"antialias": True, "upsampling": "bilinear"}, ("bilinear", True)),
    ],
)
def test_every_way_to_halve_and_double_is_recognised(options, found) -> None:
    arrays = shapes(resnet(input_channels=1, output_channels=2, num_blocks=2, base_filters=2, **options))
    architecture = recognise(arrays)
    assert (architecture.upsampling, architecture.antialias, architecture.depth) == (*found, 2)
    assert (architecture.norm, architecture.output_channels) == (options.get("norm", "instance"), 2)
    kernels = dict(inner_kernels(architecture))
    assert len(kernels) == 6 and all(arrays[name].shape == shape for name, shape in kernels.items())


def test_discriminators_and_heads_are_recognised() -> None:
    for norm in ("batch", "instance", "none"):
        arrays = shapes(patch_discriminator(input_channels=3, base_filters=2, num_layers=2, norm=norm, antialias=True))
        architecture = recognise(arrays)
        assert (architecture.depth, architecture.norm, architecture.antialias) == (2, norm, True)
        assert dict(inner_kernels(architecture)) == {"model.3.weight": (4, 2, 4, 4), "model.7.weight": (8, 4, 4, 4)}
    arrays = shapes(projection_heads(channels=[3, 5], width=7))
    assert dict(inner_kernels(recognise(arrays))) == {name: a.shape for name, a in arrays.items() if "weight" in name}


def test_what_does_not_belong_together(tmp_path) -> None:
    def said(**networks) -> str:
        for path in tmp_path.glob("*.pth"):
            path.unlink()
        for part, network in networks.items():
            save(tmp_path / f"latest_net_{part}.pth", network)
        result = run(f"--weights={tmp_path}", "--dry_run", "--set", "image_size=32")
        assert (result.code, result.err.count("\n")) == (2, 1), result
        return result.err

    shared = {"input_channels": 3, "output_channels": 3, "num_blocks": 1, "base_filters": 2}
    blurred, plain = resnet(antialias=True, upsampling="blur", **shared), resnet(**shared)
    heads = projection_heads(channels=[3, 8], width=4)
    judge = patch_discriminator(input_channels=3, base_filters=2, num_layers=1)
    assert "a model needs the generator G" in said(F=heads)
    assert "G and D do not belong together" in said(G=blurred, D=judge)
    assert "without dropout here, not a ResNet of 1 blocks" in said(G=resnet(dropout=True, **shared), F=heads)
    assert "the network G_A has blur pooling, which cyclegan has not" in said(G_A=blurred, G_B=blurred)
    assert "latest_net_F.pth does not fit" in said(G=plain, F=heads)
    # A setting says which features the heads look at.
    workdir = tmp_path / "run"
    words = ["image_size=32", "nce_layers=image,down_1", "discriminator_filters=2"]
    result = run(f"--weights={tmp_path}", f"--workdir={workdir}", *(f"--set={word}" for word in words))
    assert result.code == 0 and json.loads((workdir / "config.json").read_text())["settings"]["antialias"] is False
