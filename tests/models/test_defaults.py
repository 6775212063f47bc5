"""The defaults of every model are its authors' numbers."""

import dataclasses

import keras
import pytest
from authors_defaults import AUTHORS
from relatives_defaults import RELATIVES
from tiny_models import built

from gan_zoo.layers.dropout import SeededDropout
from gan_zoo.layers.normalization import BatchNorm, InstanceNorm
from gan_zoo.models import MODELS

OURS = {
    "pix2pix": {"input_classes", "num_blocks", "skips"},
    "cyclegan": {"num_downs", "skips", "inference_mode"},
    "discogan": {"num_downs", "num_blocks", "skips", "upsampling", "inference_mode", "init_gain"}
    | {"discriminator_layers", "discriminator_scales", "lambda_gradient_penalty"}
    | {"decay_fraction", "decay_every", "decay_factor", "direction", "preprocess"},
    "dualgan": {"num_blocks", "skips", "upsampling", "bottleneck_norm", "beta_1", "beta_2"}
    | {"discriminator_layers", "discriminator_scales"}
    | {"decay_fraction", "decay_every", "decay_factor", "direction", "preprocess"},
    "cut": {"inference_mode", "nce_layers"},
    "fastcut": {"inference_mode", "nce_layers"},
    "bicyclegan": {"input_classes", "z_injection"},
    "colorization": {"inference_mode", "encoder", "encoder_weights", "blur", "hints"},
    "ugatit": {"unbiased_variance", "init_gain"},
    "unit": {"init_gain"},
    "srgan": {"load_scale", "decay_fraction", "flip", "trunk_end", "loss", "vgg_weights", "steps", "direction"},
    "stargan": {"direction", "decay_every", "decay_factor"} | {"classes", "attributes", "exclusive"},  # of the data
}
EVERYWHERE_OURS = {"seed", "mixed_precision", "input_range", "target_range", "colour_profiles"}


@pytest.mark.parametrize("model", MODELS)
def test_defaults_are_the_authors(model) -> None:
    config, authors = MODELS[model].config_class(), (AUTHORS | RELATIVES)[model]
    assert {name: getattr(config, name) for name in authors} == authors
    # A new setting takes its authors' number into the table, or a place among what is ours.
    names = {field.name for field in dataclasses.fields(config)}
    assert names - authors.keys() == OURS[model] | EVERYWHERE_OURS


# The wide blocks on the way up, but for the innermost: two of the seven that 128 px have; one in a residual block.
RATES = [
    ("pix2pix", [0.5, 0.5]),
    ("bicyclegan", [0.5, 0.5]),
    ("colorization", [0.5, 0.5]),
    ("cyclegan", [0.5]),
    ("cut", []),
]


@pytest.mark.parametrize(("model", "rates"), RATES)
def test_constants_of_the_layers_are_the_authors(model, rates) -> None:
    small = {"base_filters": 1, "discriminator_filters": 1, "image_size": 128}
    small |= {"dropout": True} if rates else {}
    small |= {"encoder_filters": 1} if model == "bicyclegan" else {}
    networks = built(model, **small).networks.values()
    layers = [layer for network in networks for layer in network.layers]
    assert {layer.negative_slope for layer in layers if isinstance(layer, keras.layers.LeakyReLU)} == {0.2}
    norms = [layer for layer in layers if isinstance(layer, (BatchNorm, InstanceNorm))]
    assert norms and {layer.epsilon for layer in norms} == {1e-5}
    assert {layer.momentum for layer in norms if isinstance(layer, BatchNorm)} <= {0.1}  # as PyTorch counts it
    generator = next(iter(networks))
    found = [layer.rate for layer in generator.layers if isinstance(layer, (keras.layers.Dropout, SeededDropout))]
    assert found == rates
