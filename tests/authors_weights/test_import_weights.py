"""The authors' weights: what is found out from them, that they compute what they computed, and the way back.

The `.pth` files in tests/parity are those of the recordings beside them, saved by the authors' code with PyTorch 2.13.
"""

import json
import pathlib

import numpy as np
import pytest
import tensorflow as tf
from imported_runs import PARITY, messages, run, save
from tiny_runs import assert_one_line, run_train, use_eight_pictures

from gan_zoo.authors_weights.importing import import_weights, write_pytorch
from gan_zoo.learning.losses import gan_loss
from gan_zoo.models.parts import judge
from gan_zoo.models.pix2pix import Pix2Pix
from gan_zoo.networks.resnet import resnet
from gan_zoo.pretrained.torch_files import read_state_dict
from gan_zoo.pretrained.torch_writing import write_state_dict
from gan_zoo.runs.loading import load_run


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


def test_an_imported_run_translates_and_is_trained_on(tiny_pix2pix: Pix2Pix, eagerly, tmp_path, monkeypatch) -> None:
    save(tmp_path / "latest_net_G.pth", tiny_pix2pix.generator)
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


def test_old_files(tiny_pix2pix: Pix2Pix, tmp_path) -> None:
    def without_counts(arrays: dict) -> dict:
        kept = {name: array for name, array in arrays.items() if not name.endswith("num_batches_tracked")}
        return {f"module.{name}": array for name, array in kept.items()}

    save(tmp_path / "latest_net_G.pth", tiny_pix2pix.generator, without_counts)
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
