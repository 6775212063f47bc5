"""The defaults of every model are its authors' numbers."""

import dataclasses

import keras
import pytest
from tiny_models import built

from gan_zoo.layers.dropout import SeededDropout
from gan_zoo.layers.normalization import BatchNorm, InstanceNorm
from gan_zoo.models import MODELS

TRAINING = {  # of the authors of pix2pix, CycleGAN and BicycleGAN
    "image_size": 256,
    "load_scale": 286 / 256,
    "preprocess": "resize_and_crop",
    "flip": True,
    "direction": "a_to_b",
    "learning_rate": 2e-4,
    "beta_1": 0.5,
    "beta_2": 0.999,
    "epochs": 200,
    "steps": None,
    "schedule": "linear",
    "decay_fraction": 0.5,  # 100 + 100 epochs
    "decay_every": 50,
    "decay_factor": 0.1,
}
DISCRIMINATOR = {
    "discriminator_type": "patch",
    "discriminator_filters": 64,
    "discriminator_layers": 3,  # 70 px
    "discriminator_scales": 1,
    "init_type": "normal",
    "init_gain": 0.02,
    "lambda_gradient_penalty": 10.0,
}
UNET = {"base_filters": 64, "num_downs": None, "upsampling": "transposed", "norm": "batch", "dropout": True}
RGB = {"input_channels": 3, "target_channels": 3}
CUT = (
    TRAINING
    | DISCRIMINATOR
    | RGB
    | {
        "epochs": 400,
        "batch_size": 1,
        "num_blocks": 9,
        "base_filters": 64,
        "antialias": True,
        "upsampling": "blur",
        "norm": "instance",
        "discriminator_norm": "instance",
        "init_type": "xavier",
        "gan_mode": "lsgan",
        "lambda_gan": 1.0,
        "lambda_nce": 1.0,
        "identity_nce": True,
        "flip_equivariance": False,
        "num_patches": 256,
        "temperature": 0.07,
        "negatives": "image",
        "head": "mlp",
        "head_width": 256,
    }
)
AUTHORS = {
    "pix2pix": TRAINING
    | DISCRIMINATOR
    | UNET
    | RGB
    | {
        "batch_size": 1,
        "generator_type": "unet",
        "inference_mode": "train",  # dropout and the image's own statistics stay on in translation
        "discriminator_norm": "batch",
        "gan_mode": "vanilla",
        "conditional": True,
        "lambda_gan": 1.0,
        "lambda_l1": 100.0,
    },
    "cyclegan": TRAINING
    | DISCRIMINATOR
    | RGB
    | {
        "batch_size": 1,
        "generator_type": "resnet",
        "num_blocks": 9,
        "base_filters": 64,
        "upsampling": "transposed",
        "norm": "instance",
        "dropout": False,
        "discriminator_norm": "instance",
        "gan_mode": "lsgan",
        "lambda_cycle_a": 10.0,
        "lambda_cycle_b": 10.0,
        "lambda_identity": 0.5,
        "pool_size": 50,
    },
    "discogan": RGB
    | {
        "image_size": 64,
        "load_scale": 1.0,
        "flip": False,
        "batch_size": 64,
        "epochs": 5000,
        "steps": None,
        "schedule": "constant",
        "learning_rate": 2e-4,
        "beta_1": 0.5,
        "beta_2": 0.999,
        "weight_decay": 1e-5,
        "objective": "discogan",
        "generator_type": "encoder_decoder",
        "extra_layer": False,
        "base_filters": 64,
        "norm": "batch",
        "dropout": False,
        "discriminator_type": "image",
        "discriminator_filters": 64,
        "discriminator_norm": "batch",
        "init_type": "pytorch",
        "gan_mode": "vanilla",
        "lambda_gan": 0.1,
        "lambda_features": 0.9,
        "start_rate": 0.01,
        "rate": 0.5,
        "rate_change_step": 10_000,
        "discriminator_every": 3,
    },
    "dualgan": RGB
    | {
        "image_size": 256,
        "load_scale": 1.0,
        "flip": False,
        "batch_size": 1,
        "epochs": 50,
        "steps": None,
        "schedule": "constant",
        "optimizer": "rmsprop",
        "learning_rate": 5e-5,
        "rms_decay": 0.9,
        "rms_momentum": 0.0,
        "generator_type": "dual_unet",
        "base_filters": 64,
        "num_downs": None,
        "norm": "instance",
        "dropout": True,  # the paper's noise
        "inference_mode": "train",
        "discriminator_type": "dual_image",
        "discriminator_filters": 64,
        "discriminator_norm": "instance",
        "init_type": "truncated",
        "init_gain": 0.02,
        "gan_mode": "wgangp",
        "lambda_gradient_penalty": 10.0,
        "weight_clip": 0.01,
        "reconstruction": "l1",
        "lambda_cycle_a": 500.0,
        "lambda_cycle_b": 500.0,
        "n_critic": 1,
        "generator_updates": None,  # 2 with the cross-entropy
    },
    "cut": CUT,
    "fastcut": CUT
    | {
        "epochs": 200,
        "decay_fraction": 0.25,  # 150 + 50 epochs
        "lambda_nce": 10.0,
        "identity_nce": False,
        "flip_equivariance": True,
    },
    "bicyclegan": TRAINING
    | RGB
    | {
        "batch_size": 2,
        "latent_dim": 8,
        "objective": "bicyclegan",
        "num_downs": None,
        "base_filters": 64,
        "upsampling": "transposed",
        "init_gain": 0.02,
        "dropout": True,  # every one of their scripts passes it
        "encoder_type": "resnet",
        "encoder_filters": 64,
        "discriminator_filters": 64,
        "discriminator_layers": 3,
        "discriminator_scales": 2,
        "conditional": False,
        "shared_discriminator": False,
        "gan_mode": "lsgan",
        "lambda_gan_encoded": 1.0,
        "lambda_gan_random": 1.0,
        "lambda_l1": 10.0,
        "lambda_latent": 0.5,
        "lambda_kl": 0.01,
    },
    "colorization": TRAINING
    | DISCRIMINATOR
    | UNET
    | {
        "input_channels": 1,
        "target_channels": 3,
        "batch_size": 16,  # of the tutorial, as is the L1 loss alone at first, here off
        "pretrain_epochs": 0,
        "generator_type": "unet",
        "discriminator_norm": "batch",
        "gan_mode": "vanilla",
        "lambda_gan": 1.0,
        "lambda_l1": 100.0,
        "discriminator_learning_rate": None,  # one rate for both
    },
    "ugatit": TRAINING
    | RGB
    | {
        "batch_size": 1,
        "learning_rate": 1e-4,
        "weight_decay": 1e-4,
        "epochs": 294,  # a million steps over 3,400 pictures
        "light": False,
        "base_filters": 64,
        "num_blocks": 4,
        "discriminators": "both",
        "discriminator_filters": 64,
        "global_layers": 7,
        "local_layers": 5,
        "discriminator_norm": "spectral",
        "init_type": "pytorch",
        "gan_mode": "lsgan",
        "lambda_gan": 1.0,
        "lambda_cycle": 10.0,
        "lambda_identity": 10.0,
        "lambda_cam": 1000.0,
    },
    "srgan": RGB  # Ledig et al. 2017, section 3.2
    | {
        "image_size": 96,
        "preprocess": "crop",
        "batch_size": 16,
        "epochs": 240,  # in the paper's proportions: 1,000,000 steps of SRResNet, 100,000 and 100,000 of SRGAN
        "pretrain_epochs": 200,
        "schedule": "step",
        "decay_every": 220,
        "decay_factor": 0.1,
        "learning_rate": 1e-4,
        "beta_1": 0.9,
        "beta_2": 0.999,
        "scale": 4,
        "num_blocks": 16,
        "base_filters": 64,
        "norm": "batch",
        "discriminator_filters": 64,
        "discriminator_head": "dense",
        "content": "vgg54",
        "lambda_gan": 1e-3,
    },
    "unit": TRAINING
    | RGB
    | {
        "load_scale": 1.0,
        "batch_size": 1,
        "learning_rate": 1e-4,
        "weight_decay": 1e-4,
        "epochs": 1000,  # in the authors' proportions: a million steps, the rate halved every 100,000
        "schedule": "step",
        "decay_every": 100,
        "decay_factor": 0.5,
        "base_filters": 64,
        "num_downs": 2,
        "num_blocks": 4,
        "shared_blocks": 0,  # 1 in the paper
        "activation": "relu",
        "padding": "reflect",
        "init_type": "kaiming",
        "discriminator_filters": 64,
        "discriminator_layers": 4,
        "discriminator_scales": 3,
        "discriminator_norm": "none",
        "gan_mode": "lsgan",
        "lambda_gan": 1.0,
        "lambda_recon": 10.0,
        "lambda_cycle": 10.0,
        "lambda_kl": 0.01,
        "lambda_kl_cycle": 0.01,
    },
    "stargan": RGB
    | {
        "image_size": 128,
        "load_scale": 1.0,
        "preprocess": "resize_and_crop",
        "flip": True,
        "batch_size": 16,
        "epochs": 16,  # 202,599 - 2,000 pictures: 12,537 steps each, 200,000 in all
        "steps": None,
        "schedule": "linear",
        "decay_fraction": 0.5,
        "learning_rate": 1e-4,
        "discriminator_learning_rate": None,  # one rate for both
        "beta_1": 0.5,
        "beta_2": 0.999,
        "num_blocks": 6,
        "base_filters": 64,
        "upsampling": "transposed",
        "discriminator_filters": 64,
        "discriminator_layers": 6,
        "n_critic": 5,
        "gan_mode": "wgangp",
        "lambda_classification": 1.0,
        "lambda_reconstruction": 10.0,
        "lambda_gradient_penalty": 10.0,
    },
}
# What the authors have no number for, or what is said in the settings' help to differ from theirs.
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
    config, authors = MODELS[model].config_class(), AUTHORS[model]
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
