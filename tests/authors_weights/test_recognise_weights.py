"""What an import finds out from names and shapes, of files and of tensors."""

import dataclasses

import numpy as np
import pytest
from imported_runs import PARITY, shapes

from gan_zoo.authors_weights.architecture import recognise
from gan_zoo.authors_weights.files import find_files
from gan_zoo.authors_weights.kernels import inner_kernels
from gan_zoo.authors_weights.names import torch_variables
from gan_zoo.authors_weights.settings import model_and_settings
from gan_zoo.errors import UserError
from gan_zoo.networks.discriminators.patch_discriminator import patch_discriminator
from gan_zoo.networks.discriminators.pixel_discriminator import pixel_discriminator
from gan_zoo.networks.latent_encoder import plain_encoder
from gan_zoo.networks.resnet import resnet
from gan_zoo.networks.unet import unet
from gan_zoo.pretrained.torch_files import read_state_dict
from gan_zoo.pretrained.torch_layout import torch_shape


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


def test_the_length_of_z_is_found_where_it_joins_every_level() -> None:
    network = unet(input_channels=1, output_channels=3, num_downs=6, base_filters=2, latent_dim=3, z_injection="all")
    found = recognise(shapes(network))
    assert (found.latent_dim, found.input_channels, found.depth) == (3, 1, 6)


def test_norms_of_other_networks_are_refused() -> None:
    arrays = shapes(resnet(input_channels=3, output_channels=3, num_blocks=1, base_filters=2))
    with pytest.raises(UserError, match=r"model\.2 with weights and without statistics"):
        recognise(arrays | {"model.2.weight": np.ones(2), "model.2.bias": np.ones(2)})


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


def test_networks_that_are_too_deep_are_refused() -> None:
    arrays = shapes(unet(input_channels=3, output_channels=3, num_downs=5, base_filters=1))
    deep = dataclasses.replace(recognise(arrays), depth=40)
    with pytest.raises(UserError, match="the network G is deeper than any image has room for: U-Net of 40"):
        model_and_settings({"G": deep})


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
