"""The authors' colorization: a U-Net from lightness to ab, and a PatchGAN that sees both.

The weights are those of the recorded pix2pix in tests/parity, saved by the authors' code, with fewer channels at the
images. What they must compute, that pix2pix does: the kernel of one channel is the sum of the three of RGB.
"""

import pathlib

import numpy as np
import pytest
import tensorflow as tf
from imported_runs import PARITY, messages, run
from test_import_weights import assert_close
from tiny_runs import assert_one_line

from gan_zoo.authors_weights.importing import import_weights
from gan_zoo.errors import UserError
from gan_zoo.lab import rgb_to_lab
from gan_zoo.models.parts import judge
from gan_zoo.pretrained.torch_files import read_state_dict
from gan_zoo.pretrained.torch_writing import write_state_dict
from gan_zoo.runs.loading import load_run

FIRST, LAST, LAST_BIAS, JUDGE = "model.model.0.weight", "model.model.3.weight", "model.model.3.bias", "model.0.weight"


def recorded(part: str) -> dict[str, np.ndarray]:
    return dict(read_state_dict(PARITY / f"pix2pix_unet_128_net_{part}.pth"))


def write_colorization(folder: pathlib.Path) -> pathlib.Path:
    """Lightness is all three channels of the input, a and b the first two of the output; the third is 0."""
    folder.mkdir()
    generator, discriminator = recorded("G"), recorded("D")
    generator[FIRST] = generator[FIRST].sum(axis=1, keepdims=True)
    generator[LAST], generator[LAST_BIAS] = generator[LAST][:, :2], generator[LAST_BIAS][:2]
    kernel = discriminator[JUDGE]  # [filters, input and output, 4, 4]
    discriminator[JUDGE] = np.concatenate([kernel[:, :3].sum(axis=1, keepdims=True), kernel[:, 3:5]], axis=1)
    write_state_dict(folder / "latest_net_G.pth", generator)
    write_state_dict(folder / "latest_net_D.pth", discriminator)
    return folder


def test_it_computes_what_the_authors_networks_do_and_goes_back(tmp_path) -> None:
    files = write_colorization(tmp_path / "color_pix2pix")
    workdir = tmp_path / "run"
    result = run(f"--weights={files}", f"--workdir={workdir}", "--set", "dropout=false")
    assert result.code == 0, result
    assert "1 -> 2 channels, batch norm, transposed upsampling" in result.out and "model colorization:" in result.out
    assert "inference_mode=train" in result.out and "image_size=128 is assumed" in result.out
    loaded, model, _ = load_run(workdir)
    assert loaded.model == "colorization"
    originals = [PARITY / f"pix2pix_unet_128_net_{part}.pth" for part in "GD"]
    import_weights(originals, tmp_path / "pix2pix", ["dropout=false"], [].append)
    _, pix2pix, _ = load_run(tmp_path / "pix2pix")

    lightness = np.random.default_rng(0).uniform(-1, 1, [2, 128, 128, 1]).astype(np.float32)
    three = np.repeat(lightness, 3, axis=-1)
    ab = model.generator(lightness, training=True)
    expected = pix2pix.generator(three, training=True).numpy()[..., :2]
    assert_close(ab, expected)
    ours = judge(model.discriminator, tf.concat([lightness, ab], axis=-1))
    theirs = judge(pix2pix.discriminator, tf.concat([three, expected, np.zeros_like(lightness)], axis=-1))
    assert_close(ours[0], theirs[0].numpy())
    # At the border stand pictures: L / 50 - 1 goes in, ab / 110 comes out. Of dull colours, which sRGB has all.
    model.generator.get_layer("up_0").kernel.assign(0.02 * model.generator.get_layer("up_0").kernel)
    grey = np.full([1, 128, 128, 1], 0.1, np.float32)
    lab = rgb_to_lab(tf.repeat(grey, 3, axis=-1)).numpy()
    predicted = model.generator(lab[..., :1] / 50 - 1, training=False).numpy()
    colour = rgb_to_lab(model.translators["translate"].function(tf.constant(grey))).numpy()
    assert np.abs(predicted).max() > 0.005
    np.testing.assert_allclose(colour[..., 1:], 110 * predicted, atol=0.02)
    np.testing.assert_allclose(colour[..., 0], lab[..., 0], atol=0.02)

    assert run(f"--workdir={workdir}", f"--to_pytorch={tmp_path / 'back'}").code == 0
    for part in "GD":
        before, after = (read_state_dict(folder / f"latest_net_{part}.pth") for folder in (files, tmp_path / "back"))
        assert list(before) == list(after)
        for name, array in before.items():
            assert array.dtype == after[name].dtype and np.array_equal(array, after[name]), (part, name)


def test_the_generator_alone_is_enough(tmp_path) -> None:
    files = write_colorization(tmp_path / "files")
    said = messages(files / "latest_net_G.pth", None, "image_size=128")
    assert "model colorization" in said and "not given, and as before any training: discriminator" in said
    assert "input_channels" not in said and "target_channels" not in said


def test_a_discriminator_of_pix2pix_does_not_belong_to_it(tmp_path) -> None:
    files = write_colorization(tmp_path / "files")
    write_state_dict(files / "latest_net_D.pth", recorded("D"))
    assert_one_line(run(f"--weights={files}", "--dry_run"), 2, "sees 6 channels", "do not belong together")
    with pytest.raises(UserError, match="lightness and ab, 3"):
        import_weights([files], None)
