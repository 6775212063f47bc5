"""Weights of leftthomas/SRGAN: recognised, computing what they computed, and back again."""

import pathlib

import numpy as np
import pytest
import tensorflow as tf
from imported_runs import run, save, shapes
from set5 import SET5, needs_set5, set5

from gan_zoo.authors_weights.architecture import recognise
from gan_zoo.authors_weights.kernels import inner_kernels
from gan_zoo.images import to_float
from gan_zoo.metrics.image_pairs import luma
from gan_zoo.metrics.psnr import psnr
from gan_zoo.networks.sr_resnet import sr_resnet
from gan_zoo.pretrained.torch_files import read_state_dict
from gan_zoo.runs.loading import load_run
from gan_zoo.translation.translating import translate

RELEASED = SET5.parent / "weights" / "srgan_x4"


def there_and_back(file: pathlib.Path, folder: pathlib.Path):
    """Imports a file, checks the way back, and gives the model and what was said."""
    imported = run(f"--weights={file}", f"--workdir={folder / 'run'}", "--set", "discriminator_filters=2")
    assert imported.code == 0, imported
    written = run(f"--workdir={folder / 'run'}", f"--to_pytorch={folder / 'back'}")
    assert written.code == 0, written
    before, after = read_state_dict(file), read_state_dict(folder / "back" / "latest_net_G.pth")
    assert list(before) == list(after)
    for name, array in before.items():
        assert array.dtype == after[name].dtype and np.array_equal(array, after[name]), name
    return load_run(folder / "run")[1], imported.out


@pytest.mark.parametrize(("scale", "num_blocks", "trunk_end"), [(2, 1, "prelu"), (4, 3, "norm"), (8, 2, "prelu")])
def test_any_generator_is_recognised(tmp_path, scale, num_blocks, trunk_end) -> None:
    network = sr_resnet(channels=3, scale=scale, num_blocks=num_blocks, base_filters=4, trunk_end=trunk_end)
    model, out = there_and_back(save(tmp_path / "netG_epoch_1.pth", network), tmp_path)
    said = f"SRResNet of {num_blocks} blocks, 4 filters, 3 -> 3 channels, {scale} times as large, batch norm, "
    assert said + f"{trunk_end} after the blocks" in out and "model srgan" in out
    config = model.config
    assert (config.scale, config.num_blocks, config.base_filters, config.trunk_end) == (
        *(scale, num_blocks, 4, trunk_end),
    )
    assert f"--set trunk_end={trunk_end}" in out.split("to train on")[1]
    image = tf.zeros([1, 8, 8, 3])
    assert model.translators["translate"].function(image).shape == (1, 8 * scale, 8 * scale, 3)


def test_every_kernel_that_is_compared_is_one_of_the_networks() -> None:
    arrays = shapes(sr_resnet(num_blocks=2, base_filters=4))
    kernels = dict(inner_kernels(recognise(arrays)))
    assert len(kernels) == 4 and all(arrays[name].shape == shape for name, shape in kernels.items())


def test_what_it_is_not_is_one_line(tmp_path) -> None:
    def without_trunk(arrays: dict) -> dict:
        return {name: array for name, array in arrays.items() if not name.startswith("block3.0")}

    path = save(tmp_path / "a.pth", sr_resnet(num_blocks=1, base_filters=4), without_trunk)
    result = run(f"--weights={path}", f"--workdir={tmp_path / 'run'}")
    assert result.code == 2 and "block3.0.weight is missing" in result.err and result.err.count("\n") == 1
    # A discriminator does not belong to it: it starts anew.
    network = sr_resnet(num_blocks=1, base_filters=4)
    for part in ("G", "D"):
        save(tmp_path / f"latest_net_{part}.pth", network)
    both = ",".join(str(tmp_path / f"latest_net_{part}.pth") for part in ("G", "D"))
    result = run(f"--weights={both}", f"--workdir={tmp_path / 'run'}")
    assert result.code == 2 and "the network D is not what its name says" in result.err
    assert not (tmp_path / "run").exists()


@needs_set5
def test_the_released_weights_give_their_figures(tmp_path) -> None:
    model, out = there_and_back(RELEASED / "netG_epoch_4_100.pth", tmp_path)
    assert "SRResNet of 5 blocks, 64 filters" in out and "prelu after the blocks" in out
    translator = model.translators["translate"]
    figures = {}
    for name, (truth, small) in set5(4).items():
        output = translate(translator, tf.constant(small[np.newaxis])).numpy()
        in_y = [luma(image[:, 4:-4, 4:-4].astype(np.float64)) for image in (output, truth[np.newaxis])]
        figures[name] = (
            float(psnr(output, truth[np.newaxis])[0]),
            float(10.0 * np.log10(255.0**2 / np.mean((in_y[0] - in_y[1]) ** 2))),
        )
    # Measured by a plain computation in float64.
    assert np.mean(list(figures.values()), axis=0) == pytest.approx([28.68, 30.66], abs=0.02)
    assert figures["butterfly"] == pytest.approx((24.79, 26.37), abs=0.02)

    recorded = np.load(RELEASED / "srgan_x4_released.npz")
    output = translator.function(to_float(set5(4)["butterfly"][1][np.newaxis])).numpy() / 2.0 + 0.5
    assert np.abs(output - recorded["output"]).max() < 1e-3  # it is stored as float16
    np.testing.assert_allclose(output.mean((0, 1, 2)), recorded["output_mean"], atol=1e-5)
