"""The authors' weights: what is found out from them, that they compute what they computed, and the way back.

The `.pth` files in tests/parity are those of the recordings beside them, saved by the authors' code with PyTorch 2.13.
"""

import contextlib
import dataclasses
import io
import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from tiny_runs import Result, assert_one_line, run_train, use_eight_pictures

import command_line
import import_weights as script
from gan_zoo.errors import UserError
from gan_zoo.losses import gan_loss
from gan_zoo.models.cyclegan import CycleGAN, CycleGANConfig
from gan_zoo.models.loading import load_run
from gan_zoo.models.parts import judge
from gan_zoo.models.pix2pix import Pix2Pix, Pix2PixConfig
from gan_zoo.networks.latent_encoder import plain_encoder
from gan_zoo.networks.patch_discriminator import patch_discriminator
from gan_zoo.networks.pixel_discriminator import pixel_discriminator
from gan_zoo.networks.resnet import resnet
from gan_zoo.networks.torch_architecture import inner_kernels, recognise
from gan_zoo.networks.torch_names import torch_shape, torch_variables
from gan_zoo.networks.unet import unet
from gan_zoo.torch_files import read_state_dict, write_state_dict
from gan_zoo.torch_settings import model_and_settings
from gan_zoo.weights import IMPORT_FILE, find_files, import_weights, read_network, write_pytorch

COUNT = "model.model.1.model.2.num_batches_tracked"
PARITY = pathlib.Path(__file__).parent / "parity"
TINY = {"image_size": 32, "num_downs": 5, "base_filters": 4, "discriminator_filters": 4, "discriminator_layers": 1}

SMALL = ["image_size=32", "discriminator_filters=2", "discriminator_layers=1"]


def run(*words: str) -> Result:
    """Runs import_weights.py in this process."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err), pytest.raises(SystemExit) as leaving:
        command_line.run(script.main, script.define_flags(), script.USAGE, argv=["import_weights.py", *words])
    return Result(leaving.value.code, out.getvalue(), err.getvalue())


def imported(case: str, parts: list[str], folder: pathlib.Path, *words: str):
    """Imports files of a case, checks the way back, and gives the model, the recorded arrays and what was said."""
    files = {part: PARITY / f"{case}_net_{part}.pth" for part in parts}
    workdir = folder / "run"
    result = run(f"--weights={','.join(map(str, files.values()))}", f"--workdir={workdir}", *words)
    assert result.code == 0, result
    written = run(f"--workdir={workdir}", f"--to_pytorch={folder / 'back'}")
    assert written.code == 0, written
    for part, path in files.items():
        before, after = read_state_dict(path), read_state_dict(folder / "back" / f"latest_net_{part}.pth")
        assert list(before) == list(after)
        for name, array in before.items():
            assert array.dtype == after[name].dtype and np.array_equal(array, after[name]), (part, name)
    _, model, step = load_run(workdir)
    assert step == 0
    recorded = np.load(PARITY / f"{case}.npz")
    return model, lambda key: recorded[key].astype(np.float32), result.out


def assert_close(ours, theirs) -> None:
    assert np.max(np.abs(np.asarray(ours) - theirs)) < 1e-4 * np.max(np.abs(theirs))


def test_pix2pix(tmp_path) -> None:
    model, recorded, out = imported("pix2pix_unet_128", ["G", "D"], tmp_path, "--set", "dropout=false")
    assert "U-Net of 7 halvings, 4 filters, 3 -> 3 channels, batch norm, transposed upsampling" in out
    assert "PatchGAN of 3 strided convolutions, 4 filters, 6 -> 1 channels, batch norm" in out
    assert "dropout leaves no trace" in out
    condition, target = recorded("input_image/0"), recorded("target_image/0")
    fake = model.generator(condition, training=True)  # recorded with the statistics of its batch of two
    assert_close(fake, recorded("step0/fake_B"))
    # The discriminator's losses before its first update.
    names = dict(zip(np.load(PARITY / "pix2pix_unet_128.npz")["loss_names"], recorded("losses")[0], strict=True))
    for key, image, is_real in (("D_fake", fake, False), ("D_real", target, True)):
        logits = judge(model.discriminator, tf.concat([condition, image], axis=-1))
        assert float(gan_loss(logits, target_is_real=is_real, mode="vanilla")) == pytest.approx(names[key], rel=1e-4)


def test_cyclegan(tmp_path) -> None:
    parts = ["G_A", "G_B", "D_A", "D_B"]
    model, recorded, out = imported("cyclegan_resnet6_64", parts, tmp_path, "--set", "image_size=64")
    assert "ResNet of 6 blocks, 4 filters, 3 -> 3 channels, instance norm, transposed upsampling, no dropout" in out
    assert model.config.image_size == 64 and model.config.num_blocks == 6
    image_a, image_b = recorded("input_image/0"), recorded("target_image/0")
    fake_b, fake_a = model.generator_a_to_b(image_a), model.generator_b_to_a(image_b)
    assert_close(fake_b, recorded("step0/fake_B"))
    assert_close(fake_a, recorded("step0/fake_A"))
    assert_close(model.generator_b_to_a(fake_b), recorded("step0/rec_A"))
    losses = dict(zip(np.load(PARITY / "cyclegan_resnet6_64.npz")["loss_names"], recorded("losses")[0], strict=True))
    judged = {"D_A": (model.discriminator_b, image_b, fake_b), "D_B": (model.discriminator_a, image_a, fake_a)}
    for key, (discriminator, real, fake) in judged.items():
        loss = gan_loss(judge(discriminator, real), target_is_real=True, mode="lsgan")
        loss += gan_loss(judge(discriminator, fake), target_is_real=False, mode="lsgan")
        assert float(loss) / 2 == pytest.approx(losses[key], rel=1e-4), key


def test_bicyclegan(tmp_path) -> None:
    model, recorded, out = imported("bicyclegan_all_128", ["G", "E", "D", "D2"], tmp_path)
    assert "z of length 8 at every level" in out and "encoder of 3 residual blocks" in out and "2 scales" in out
    # Dropout leaves no trace in the weights: who trains on has to say what was assumed, whatever a data set recommends.
    assert "--set dropout=true" in out.split("to train on")[1]
    condition, target = recorded("input_image/0")[:2], recorded("target_image/0")[:2]
    mu, logvar = model.encoder(target)
    assert_close(mu, recorded("step0/mu"))
    assert_close(logvar, recorded("step0/logvar"))
    fake_encoded = model.generator([condition, recorded("step0/z_encoded")])
    assert_close(fake_encoded, recorded("step0/fake_encoded"))
    for scale, logits in enumerate(judge(model.discriminator_encoded, fake_encoded)):
        assert_close(logits, recorded(f"step0/D_fake_encoded/{scale}"))


@pytest.mark.parametrize(
    ("file", "prefix", "build"),
    [
        (
            "net_G_unet_256_batch",
            "weights/",
            lambda found: unet(
                input_channels=3, output_channels=3, num_downs=found.depth, base_filters=found.filters, norm=found.norm
            ),
        ),
        (
            "bicyclegan_input_128",
            "weights/G/",
            lambda found: unet(
                input_channels=found.input_channels - 8,
                output_channels=3,
                num_downs=found.depth,
                base_filters=found.filters,
                latent_dim=8,
                upsampling=found.upsampling,
            ),
        ),
        (
            "net_G_resnet_9blocks_instance",
            "weights/",
            lambda found: resnet(
                input_channels=3, output_channels=3, num_blocks=found.depth, base_filters=found.filters, norm=found.norm
            ),
        ),
        (
            "net_D_n_layers5_instance",
            "weights/",
            lambda found: patch_discriminator(
                input_channels=found.input_channels,
                base_filters=found.filters,
                num_layers=found.depth,
                norm=found.norm,
            ),
        ),
        (
            "net_D_pixel_batch",
            "weights/",
            lambda found: pixel_discriminator(
                input_channels=found.input_channels, base_filters=found.filters, norm=found.norm
            ),
        ),
        (
            "bicyclegan_input_128",
            "weights/E/",
            lambda found: plain_encoder(
                input_channels=3, latent_dim=found.output_channels, num_layers=found.depth, base_filters=found.filters
            ),
        ),
    ],
    ids=lambda value: None if callable(value) else value,
)
def test_other_networks_of_the_authors_are_recognised_and_named(file: str, prefix: str, build) -> None:
    arrays = np.load(PARITY / f"{file}.npz")
    weights = {key.removeprefix(prefix): arrays[key] for key in arrays.files if key.startswith(prefix)}
    named = torch_variables(build(recognise(weights)))
    assert {name: torch_shape(variable) for name, variable in named.items()} == {
        name: array.shape for name, array in weights.items()
    }
    assert list(named) == list(weights)


def test_dropout_moves_the_second_convolution_of_a_block() -> None:
    network = resnet(input_channels=3, output_channels=1, num_blocks=1, base_filters=2, norm="batch", dropout=True)
    named = torch_variables(network)
    assert "model.10.conv_block.6.weight" in named and "model.10.conv_block.7.running_mean" in named
    found = recognise(shapes(network))
    assert found.dropout is True and found.norm == "batch" and (found.depth, found.output_channels) == (1, 1)


def shapes(network) -> dict[str, np.ndarray]:
    return {name: np.zeros(torch_shape(variable)) for name, variable in torch_variables(network).items()}


def test_the_length_of_z_is_found_where_it_joins_every_level() -> None:
    network = unet(input_channels=1, output_channels=3, num_downs=6, base_filters=2, latent_dim=3, z_injection="all")
    found = recognise(shapes(network))
    assert (found.latent_dim, found.input_channels, found.depth) == (3, 1, 6)


def test_norms_of_other_networks_are_refused() -> None:
    arrays = shapes(resnet(input_channels=3, output_channels=3, num_blocks=1, base_filters=2))
    with pytest.raises(UserError, match=r"model\.2 with weights and without statistics"):
        recognise(arrays | {"model.2.weight": np.ones(2), "model.2.bias": np.ones(2)})


def save(path: pathlib.Path, network, change=lambda arrays: arrays) -> pathlib.Path:
    """Writes random weights for a network."""
    random = np.random.default_rng(0)
    arrays = {
        name: np.array(7) if variable is None else random.standard_normal(torch_shape(variable)).astype(np.float32)
        for name, variable in torch_variables(network).items()
    }
    write_state_dict(path, change(arrays))
    return path


@pytest.fixture(scope="module")
def tiny() -> Pix2Pix:
    return Pix2Pix(Pix2PixConfig(**TINY))


def messages(path: pathlib.Path, workdir: pathlib.Path | None = None, *assignments: str) -> str:
    lines: list[str] = []
    import_weights([path], workdir, [*SMALL, *assignments], lines.append)
    return "\n".join(lines)


def test_an_imported_run_translates_and_is_trained_on(tiny: Pix2Pix, tmp_path, monkeypatch) -> None:
    save(tmp_path / "latest_net_G.pth", tiny.generator)
    said = messages(tmp_path, tmp_path / "run")
    assert "not given, and as before any training: discriminator" in said
    _, before, _ = load_run(tmp_path / "run")
    kernel = before.generator.get_layer("down_0").kernel.numpy()
    image = tf.zeros([1, 32, 32, 3])
    assert before.translators["translate"].function(image, tf.zeros([1], tf.int64)).shape == image.shape
    use_eight_pictures(monkeypatch)
    command = said[said.index("--model=pix2pix") :].replace("--dataset=...", "--dataset=eight")
    assert "--set num_downs=5" in command and "--set norm=batch" in command
    words = [*command.split(), "--steps=1", "--sample_every=0"]
    unfit = run_train(*words, "--set", "base_filters=8")
    assert_one_line(unfit, 2, "step-0 does not fit these settings", "those that import_weights.py printed")
    assert "damaged" not in unfit.err
    assert json.loads((tmp_path / "run" / "config.json").read_text())["settings"]["base_filters"] == 4
    # Another schedule and batch size than the default ones: only the weights come from the import.
    more = ["--set", "learning_rate=0", "--set", "schedule=plateau", "--batch_size=2"]
    trained = run_train(*words, *more)
    assert trained.code == 0, trained
    _, after, step = load_run(tmp_path / "run")
    assert step == 1
    np.testing.assert_array_equal(after.generator.get_layer("down_0").kernel.numpy(), kernel)
    # Seven batches in the file, and one since.
    write_pytorch(tmp_path / "run", tmp_path / "back")
    assert read_state_dict(tmp_path / "back" / "latest_net_G.pth")["model.model.1.model.2.num_batches_tracked"] == 8


def test_old_files(tiny: Pix2Pix, tmp_path) -> None:
    def without_counts(arrays: dict) -> dict:
        kept = {name: array for name, array in arrays.items() if not name.endswith("num_batches_tracked")}
        return {f"module.{name}": array for name, array in kept.items()}

    save(tmp_path / "latest_net_G.pth", tiny.generator, without_counts)
    assert "left out: the prefix module. of DataParallel" in messages(tmp_path, tmp_path / "run")
    write_pytorch(tmp_path / "run", tmp_path / "back")
    before = read_state_dict(tmp_path / "latest_net_G.pth")
    after = read_state_dict(tmp_path / "back" / "latest_net_G.pth")
    assert [name.removeprefix("module.") for name in before] == list(after)


def test_statistics_of_instance_norms_are_left_out(tmp_path) -> None:
    network = resnet(input_channels=1, output_channels=3, num_blocks=1, base_filters=2)

    def with_statistics(arrays: dict) -> dict:
        return arrays | {f"model.2.{name}": np.ones(2, np.float32) for name in ("running_mean", "running_var")}

    # A generator alone, under the name by which it was handed on.
    path = save(tmp_path / "horse2zebra.pth", network, with_statistics)
    said = messages(path, tmp_path / "run")
    assert "2 statistics of instance norms" in said and "model pix2pix" in said and "generator_type=resnet" in said
    _, model, _ = load_run(tmp_path / "run")
    assert model.config.input_channels == 1 and model.config.norm == "instance" and not model.config.dropout


def test_z_at_the_image_needs_the_encoder_to_be_told(tmp_path) -> None:
    arrays = np.load(PARITY / "bicyclegan_input_128.npz")
    for part in ("G", "E", "D"):
        prefix = f"weights/{part}/"
        weights = {key.removeprefix(prefix): arrays[key] for key in arrays.files if key.startswith(prefix)}
        write_state_dict(tmp_path / f"shoes_net_{part}.pth", weights)
    lines: list[str] = []
    import_weights([tmp_path], None, (), lines.append)
    said = "\n".join(lines)
    for word in ("input_channels=1", "z_injection=input", "encoder_type=plain", "conditional=true", "image_size=128"):
        assert word in said
    assert "shared_discriminator=true" in said and "upsampling=bilinear" in said
    (tmp_path / "shoes_net_E.pth").unlink()
    lines.clear()
    import_weights([tmp_path], None, ["encoder_filters=2"], lines.append)
    assert "latent_dim=8, the authors', is assumed: with z at the image only E tells" in lines
    assert "not given, and as before any training: encoder" in lines


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
def test_what_does_not_fit_is_named_and_nothing_is_written(tiny: Pix2Pix, tmp_path, change, parts) -> None:
    path = save(tmp_path / "latest_net_G.pth", tiny.generator, change)
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

    monkeypatch.setattr("gan_zoo.weights.model_and_settings", build)
    path = tmp_path / f"latest_net_{part}.pth"
    write_state_dict(path, arrays)
    assert path.stat().st_size < 600_000
    for words in (["--dry_run"], [f"--workdir={tmp_path / 'run'}"]):
        assert_one_line(run(f"--weights={path}", *words), 2, str(path), *parts)
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize(
    "case", ["cyclegan_resnet6_64_net_G_A", "bicyclegan_all_128_net_E", "bicyclegan_all_128_net_D"]
)
def test_every_kernel_that_is_compared_is_one_of_the_authors(case: str) -> None:
    arrays = read_state_dict(PARITY / f"{case}.pth")
    kernels = dict(inner_kernels(recognise(arrays)))
    assert kernels and kernels == {name: arrays[name].shape for name in kernels}
    # What is not compared is no larger than what is: the bound holds for all of the network.
    sizes = sum(array.size for array in arrays.values())
    assert sum(np.prod(shape) for shape in kernels.values()) > sizes / 4


def test_numbers_that_tensors_share_count_for_each(tmp_path, monkeypatch) -> None:
    path = tmp_path / "latest_net_G.pth"
    path.write_bytes(bytes(1000))
    shared = np.ones((100, 3), np.float32)
    monkeypatch.setattr("gan_zoo.weights.read_state_dict", lambda _: {"a": shared, "b": shared})
    with pytest.raises(UserError, match="share numbers"):
        read_network(path)


def test_networks_that_are_too_deep_are_refused() -> None:
    arrays = shapes(unet(input_channels=3, output_channels=3, num_downs=5, base_filters=1))
    deep = dataclasses.replace(recognise(arrays), depth=40)
    with pytest.raises(UserError, match="the network G is deeper than any image has room for: U-Net of 40"):
        model_and_settings({"G": deep})


def test_networks_that_do_not_belong_together(tiny: Pix2Pix, tmp_path) -> None:
    generator = save(tmp_path / "latest_net_G.pth", tiny.generator)
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


def test_which_epoch_is_taken(tmp_path) -> None:
    for name in ("5_net_G", "20_net_G", "20_net_D", "100_optimizer", "latest_net_D"):
        (tmp_path / f"{name}.pth").touch()
    assert {part: path.name for part, path in find_files([tmp_path]).items()} == {"D": "latest_net_D.pth"}
    (tmp_path / "latest_net_D.pth").unlink()
    assert {part: path.name for part, path in find_files([tmp_path]).items()} == {
        "G": "20_net_G.pth",
        "D": "20_net_D.pth",
    }
    assert find_files([tmp_path / "5_net_G.pth", tmp_path / "20_net_D.pth"]).keys() == {"G", "D"}
    for name in ("maps_net_G.pth", "shoes_net_G.pth"):
        (tmp_path / "b").mkdir(exist_ok=True)
        (tmp_path / "b" / name).touch()
    for weights, what in (
        ([tmp_path / "b"], "several runs"),
        ([tmp_path / "5_net_G.pth", tmp_path / "20_net_G.pth"], "both the network G"),
        ([tmp_path / "5_net_G.pth", tmp_path / "other.pth"], "does not say which network"),
    ):
        with pytest.raises(UserError, match=what):
            find_files(weights)
    (tmp_path / "empty").mkdir()
    with pytest.raises(UserError, match=r"no \*_net_\*.pth"):
        find_files([tmp_path / "empty"])


def test_the_flags(tiny: Pix2Pix, tmp_path) -> None:
    path = save(tmp_path / "latest_net_G.pth", tiny.generator)
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


def test_files_that_are_there_are_not_overwritten(tiny: Pix2Pix, tmp_path) -> None:
    save(tmp_path / "latest_net_G.pth", tiny.generator)
    messages(tmp_path, tmp_path / "run")
    before = (tmp_path / "latest_net_G.pth").read_bytes()
    with pytest.raises(UserError, match="exists: give another folder"):
        write_pytorch(tmp_path / "run", tmp_path)
    assert (tmp_path / "latest_net_G.pth").read_bytes() == before
    assert not (tmp_path / "latest_net_D.pth").exists()
    for damaged in ("{", "[]", '{"generator": {}}', '{"generator": {"num_batches_tracked": "7"}}'):
        (tmp_path / "run" / IMPORT_FILE).write_text(damaged)
        with pytest.raises(UserError, match=r"imported\.json is damaged"):
            write_pytorch(tmp_path / "run", tmp_path / "back")
