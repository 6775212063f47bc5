"""What colorization's encoder starts from."""

import typing

import numpy as np
from narrow_backbones import narrow_state
from tiny_models import built, tiny_config

from gan_zoo.models.base import StartingWeights
from gan_zoo.models.colorization import Colorization, ColorizationConfig
from gan_zoo.networks.backbones import BACKBONES


def test_trained_weights_go_into_the_encoder() -> None:
    dynamic = {"generator_type": "dynamic_unet"}
    model = Colorization(tiny_config("colorization", encoder_weights="imagenet", **dynamic))
    assert model.starting_weights == StartingWeights(setting="encoder_weights", name="resnet18")
    backbone = model.generator.get_layer("encoder").layers[-1]
    model.load_pretrained(narrow_state())
    np.testing.assert_array_equal(backbone.get_layer("bn1").gamma, narrow_state()["bn1.weight"])
    given = Colorization(tiny_config("colorization", encoder_weights="mine.pth", **dynamic))
    assert given.starting_weights == StartingWeights(setting="encoder_weights", file="mine.pth")
    assert built("colorization").starting_weights is None  # without an encoder there is nothing to load


def test_every_backbone_can_be_chosen() -> None:
    assert typing.get_args(typing.get_type_hints(ColorizationConfig)["encoder"]) == BACKBONES
