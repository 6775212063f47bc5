"""What the importer refuses, naming it, before anything is built or written."""

import numpy as np
import pytest
from imported_runs import COUNT, TINY, messages, run, save
from tiny_runs import assert_one_line

from gan_zoo.authors_weights.files import read_network
from gan_zoo.authors_weights.importing import IMPORT_FILE, import_weights, write_pytorch
from gan_zoo.authors_weights.names import torch_variables
from gan_zoo.errors import UserError
from gan_zoo.models.cyclegan import CycleGAN, CycleGANConfig
from gan_zoo.models.pix2pix import Pix2Pix
from gan_zoo.networks.discriminators.patch_discriminator import patch_discriminator
from gan_zoo.pretrained.torch_writing import write_state_dict


@pytest.mark.parametrize(
    ("change", "parts"),
    [
        (
            lambda arrays: {k: v for k, v in arrays.items() if k != "model.model.1.model.5.weight"},
            ["model.model.1.model.5.weight is missing"],
        ),
        (lambda arrays: arrays | {"extra.weight": np.zeros(2, np.float32)}, ["extra.weight is left over"]),
        (lambda arrays: arrays | {"model.model.3.bias": np.zeros(4, np.float32)}, ["model.model.3.bias", "[4]", "[3]"]),
        (lambda arrays: arrays | {"model.model.3.bias": np.zeros(3, np.int64)}, ["model.model.3.bias", "int64"]),
        (
            lambda arrays: arrays | {"model.model.3.bias": np.full(3, np.nan, np.float32)},
            ["model.model.3.bias", "not finite"],
        ),
        (lambda arrays: {f"features.{k}": v for k, v in arrays.items()}, ["none of the authors' networks"]),
        (lambda arrays: arrays | {"model.model.0.weight": np.zeros(3, np.float32)}, ["model.model.0.weight"]),
        (lambda arrays: {"model.model.0.weight": arrays["model.model.0.weight"]}, ["none of the authors' networks"]),
        (lambda arrays: {}, ["none of the authors' networks"]),
        (lambda arrays: {f"{k}\n\x1b[2J": v for k, v in arrays.items()}, ["none of the authors' networks"]),
        (lambda arrays: arrays | {COUNT: np.array(np.nan, np.float32)}, [COUNT, "not the number of batches"]),
        (lambda arrays: arrays | {COUNT: np.array(-1)}, [COUNT, "not the number of batches"]),
        (lambda arrays: arrays | {COUNT: np.zeros(2, np.int64)}, [COUNT, "not the number of batches"]),
        (lambda arrays: arrays | {"model.model.3.bias": np.full(3, 1e300)}, ["model.model.3.bias", "float32"]),
    ],
)
def test_what_does_not_fit_is_named_and_nothing_is_written(tiny_pix2pix: Pix2Pix, tmp_path, change, parts) -> None:
    path = save(tmp_path / "latest_net_G.pth", tiny_pix2pix.generator, change)
    result = run(f"--weights={path}", f"--workdir={tmp_path / 'run'}", "--set", "image_size=32")
    assert_one_line(result, 2, str(path), *parts)
    assert [file.name for file in tmp_path.iterdir()] == ["latest_net_G.pth"]


def narrow(*names: str, **shapes: tuple[int, ...]) -> dict[str, np.ndarray]:
    """One number for a kernel that has none of the others' widths."""
    arrays = {name.replace("_", "."): np.ones(shape, np.float32) for name, shape in shapes.items()}
    return arrays | {name: np.ones((1, 1, 1, 1), np.float32) for name in names}


@pytest.mark.parametrize(
    ("part", "arrays", "parts"),
    [
        (
            "G",
            narrow(
                "model.10.conv_block.1.weight",
                "model.10.conv_block.5.weight",
                "model.4.weight",
                "model.7.weight",
                "model.11.weight",
                model_1_weight=(20000, 1, 1, 1),
                model_18_weight=(3, 1, 1, 1),
            ),
            ["ResNet of 1 blocks, 20000 filters", "model.4.weight", "[40000, 20000, 3, 3]"],
        ),
        (
            "G",
            narrow("model.model.1.model.1.weight", model_model_0_weight=(20000, 3, 1, 1), model_model_3_weight=(1, 3)),
            ["U-Net of 2 halvings, 20000 filters", "model.model.1.model.1.weight", "[40000, 20000, 4, 4]"],
        ),
        (
            "D",
            narrow("model.2.weight", "model.5.weight", model_0_weight=(20000, 6, 1, 1)),
            ["PatchGAN of 1 strided convolutions, 20000 filters", "model.2.weight", "[40000, 20000, 4, 4]"],
        ),
        (
            "E",
            narrow("conv.2.weight", conv_0_weight=(20000, 3, 1, 1), fc_0_weight=(8, 1)),
            ["encoder of 2 strided convolutions, 20000 filters", "conv.2.weight", "[40000, 20000, 4, 4]"],
        ),
    ],
)
def test_a_width_that_the_other_tensors_lack_is_refused_before_anything_is_built(
    tmp_path, monkeypatch, part, arrays, parts
) -> None:
    def build(*_) -> None:
        raise AssertionError("was built")

    monkeypatch.setattr("gan_zoo.authors_weights.importing.model_and_settings", build)
    path = tmp_path / f"latest_net_{part}.pth"
    write_state_dict(path, arrays)
    assert path.stat().st_size < 600_000
    for words in (["--dry_run"], [f"--workdir={tmp_path / 'run'}"]):
        assert_one_line(run(f"--weights={path}", *words), 2, str(path), *parts)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_numbers_that_tensors_share_count_for_each(tmp_path, monkeypatch) -> None:
    path = tmp_path / "latest_net_G.pth"
    path.write_bytes(bytes(1000))
    shared = np.ones((100, 3), np.float32)
    monkeypatch.setattr("gan_zoo.authors_weights.files.read_state_dict", lambda _: {"a": shared, "b": shared})
    with pytest.raises(UserError, match="share numbers"):
        read_network(path)


def test_networks_that_do_not_belong_together(tiny_pix2pix: Pix2Pix, tmp_path) -> None:
    generator = save(tmp_path / "latest_net_G.pth", tiny_pix2pix.generator)
    discriminators = {
        name: patch_discriminator(input_channels=5, num_layers=1, base_filters=2) for name in ("D", "D_A")
    }
    for name, network in discriminators.items():
        path = save(tmp_path / f"latest_net_{name}.pth", network)
        with pytest.raises(UserError, match=r"do(es)? not belong"):
            import_weights([generator, path], None)
    for files, what in (
        ({"G_A": generator}, "name it latest_net_G.pth"),
        ({"D": path}, "a model needs the generator"),
        ({"G": path}, "not what its name says"),
    ):
        folder = tmp_path / "-".join(files)
        folder.mkdir()
        for part, file in files.items():
            (folder / f"1_net_{part}.pth").write_bytes(file.read_bytes())
        with pytest.raises(UserError, match=what):
            import_weights([folder], None)


def test_the_flags(tiny_pix2pix: Pix2Pix, tmp_path) -> None:
    path = save(tmp_path / "latest_net_G.pth", tiny_pix2pix.generator)
    full = tmp_path / "full"
    full.mkdir()
    (full / "thesis.tex").touch()
    assert_one_line(run(f"--weights={path}", f"--workdir={full}"), 2, "not empty")
    assert_one_line(run(f"--weights={path}", f"--workdir={path}"), 2, "not empty")
    assert_one_line(run(f"--weights={path}"), 2, "--workdir is missing")
    assert_one_line(run(f"--workdir={full}"), 2, "--weights", "--to_pytorch")
    assert_one_line(run(f"--workdir={full}", f"--to_pytorch={full}", "--dry_run"), 2, "--dry_run")
    assert_one_line(run("--weights=", f"--workdir={full}"), 2, "--weights is empty")
    assert_one_line(run(f"--weights={tmp_path / 'nothing.pth'}", "--dry_run"), 2, "nothing.pth", "no file")
    assert_one_line(run(f"--weights={path}", "--dry_run", "--set", "image_size=40"), 2, "image_size=40")
    before = sorted(tmp_path.rglob("*"))
    result = run(f"--weights={path}", f"--workdir={tmp_path / 'run'}", "--dry_run", "--set", "image_size=32")
    assert result.code == 0 and "model pix2pix" in result.out
    assert sorted(tmp_path.rglob("*")) == before


def test_what_the_authors_code_has_not_is_not_written(tmp_path) -> None:
    for settings in (
        {"norm": "layer"},
        {"discriminator_norm": "spectral"},
        {"discriminator_type": "image"},
        {"generator_type": "adalin", "num_blocks": 1},
    ):
        model = CycleGAN(CycleGANConfig(**TINY | {"num_blocks": 1, "pool_size": 0} | settings))
        with pytest.raises(UserError, match="the authors' code"):
            for network in model.networks.values():
                torch_variables(network)


def test_files_that_are_there_are_not_overwritten(tiny_pix2pix: Pix2Pix, tmp_path) -> None:
    save(tmp_path / "latest_net_G.pth", tiny_pix2pix.generator)
    messages(tmp_path, tmp_path / "run")
    before = b"of another run"  # equal ones would be what a killed process has left
    (tmp_path / "latest_net_G.pth").write_bytes(before)
    with pytest.raises(UserError, match="exists: give another folder"):
        write_pytorch(tmp_path / "run", tmp_path)
    assert (tmp_path / "latest_net_G.pth").read_bytes() == before
    assert not (tmp_path / "latest_net_D.pth").exists()
    for damaged in ("{", "[]", '{"generator": {}}', '{"generator": {"num_batches_tracked": "7"}}'):
        (tmp_path / "run" / IMPORT_FILE).write_text(damaged)
        with pytest.raises(UserError, match=r"imported\.json is damaged"):
            write_pytorch(tmp_path / "run", tmp_path / "back")
