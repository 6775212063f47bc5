"""Which model the authors' networks make up, and its settings."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from gan_zoo.authors_weights.architecture import Architecture
from gan_zoo.errors import UserError

# Model -> what the authors' file names call a network -> what ours is called.
NETWORKS: Mapping[str, Mapping[str, str]] = {
    "pix2pix": {"G": "generator", "D": "discriminator"},
    "cyclegan": {
        "G_A": "generator_a_to_b",
        "G_B": "generator_b_to_a",
        # The authors name a discriminator by the generator that it judges, we by the domain.
        "D_A": "discriminator_b",
        "D_B": "discriminator_a",
    },
    "colorization": {"G": "generator", "D": "discriminator"},
    "bicyclegan": {
        "G": "generator",
        "E": "encoder",
        "D": "discriminator_encoded",
        "D2": "discriminator_random",
    },
    "cut": {"G": "generator", "F": "heads", "D": "discriminator"},
    "fastcut": {"G": "generator", "F": "heads", "D": "discriminator"},
    "srgan": {"G": "generator"},  # the discriminator starts anew
    "ugatit": {  # in one file
        "genA2B": "generator_a_to_b",
        "genB2A": "generator_b_to_a",
        "disGA": "discriminator_global_a",
        "disGB": "discriminator_global_b",
        "disLA": "discriminator_local_a",
        "disLB": "discriminator_local_b",
    },
}
FAMILIES = {
    "G": ("unet", "resnet", "sr resnet"),
    "D": ("patch", "pixel"),
    "E": ("resnet encoder", "plain encoder"),
    "F": ("heads",),
}
CHANNELS = range(1, 17)
PICTURE_CHANNELS = (1, 3, 4)
AUTHORS_LATENT_DIM = 8
# Halvings, strided convolutions, residual blocks and scales: far more than any image has room for, or anyone trained.
MAX_DEPTH = {
    "unet": 12,
    "resnet": 100,
    "sr resnet": 100,
    "patch": 12,
    "pixel": 1,
    "resnet encoder": 8,
    "plain encoder": 9,
    "heads": 100,
}
MAX_SCALES = 8
Found = tuple[str, dict[str, Any], list[str]]


def model_and_settings(networks: Mapping[str, Architecture]) -> Found:
    """Puts networks together to a model.

    Args:
        networks: what was recognised, by the authors' names: G, D, E, F, D2, G_A, G_B, D_A, D_B.

    Returns:
        The model's name, the settings that the networks need, and lines that say what was assumed.

    Raises:
        UserError: if they do not belong together.
    """
    for part in networks:
        if networks[part].family not in FAMILIES[part[0]]:
            raise UserError(f"the network {part} is not what its name says, but a {networks[part]}")
        if networks[part].depth > MAX_DEPTH[networks[part].family] or networks[part].scales > MAX_SCALES:
            raise UserError(f"the network {part} is deeper than any image has room for: {networks[part]}")
    name, build = _model(networks)
    surplus = [part for part in networks if part not in NETWORKS[name]]
    if surplus:
        generators = ", ".join(part for part in networks if part.startswith("G"))
        raise UserError(f"{', '.join(surplus)} does not belong to the generator {generators}")
    blurred = [part for part in networks if _blurs(networks[part])]
    if blurred and name != "cut":
        raise UserError(f"the network {blurred[0]} has blur pooling, which {name} has not")
    settings, remarks = build(networks)
    for key in {"input_channels", "target_channels"} & settings.keys():
        if settings[key] not in CHANNELS:
            raise UserError(f"{key}={settings[key]}: images have 1 to 16 channels")
    return name, settings, remarks


def _model(networks: Mapping[str, Architecture]) -> tuple[str, Callable[[Mapping[str, Architecture]], Any]]:
    """The model's name, and what finds its settings."""
    if {"G_A", "G_B"} <= set(networks):
        return "cyclegan", _cyclegan
    if [part for part in networks if part.startswith("G")] != ["G"]:
        raise UserError(
            f"{', '.join(networks) or 'nothing'} given: a model needs the generator G, or G_A and G_B "
            "(to import one of these alone, name it latest_net_G.pth)"
        )
    if "F" in networks or _blurs(networks["G"]):
        return "cut", _cut
    if networks["G"].family == "sr resnet":
        return "srgan", _srgan
    if _has_z(networks):
        return "bicyclegan", _bicyclegan
    if _gives_ab(networks["G"]):
        return "colorization", _colorization
    return "pix2pix", _pix2pix


def _blurs(network: Architecture) -> bool:
    return network.antialias or network.upsampling == "blur"


def _has_z(networks: Mapping[str, Architecture]) -> bool:
    generator = networks["G"]
    if generator.latent_dim or "E" in networks:
        return True
    # Of 9, 11 or 12 channels: a picture's, and z. Another count without E is a picture of so many channels.
    with_z = generator.input_channels - AUTHORS_LATENT_DIM in PICTURE_CHANNELS
    return with_z and generator.family == "unet" and generator.norm == "instance"


def _gives_ab(generator: Architecture) -> bool:
    """The authors' `--model colorization`: a U-Net from lightness to ab, both scaled as ours are."""
    return generator.family == "unet" and (generator.input_channels, generator.output_channels) == (1, 2)


def _image_size(generator: Architecture) -> int:
    """U-Nets of 7 and 8 halvings are the authors' for 128 and 256 px."""
    if generator.family == "unet":
        return 128 if generator.depth == 7 else max(256, 2**generator.depth)
    return 256


def _generator(generator: Architecture) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "image_size": _image_size(generator),
        "input_channels": generator.input_channels,
        "target_channels": generator.output_channels,
        "generator_type": generator.family,
        "num_downs" if generator.family == "unet" else "num_blocks": generator.depth,
        "base_filters": generator.filters,
        "norm": generator.norm,
        "discriminator_norm": generator.norm,  # one flag of the authors' for both
        "upsampling": generator.upsampling,
    }
    return settings if generator.dropout is None else settings | {"dropout": generator.dropout}


def _discriminator(discriminator: Architecture) -> dict[str, Any]:
    settings: dict[str, Any] = {"discriminator_filters": discriminator.filters}
    if discriminator.family == "patch":
        settings |= {"discriminator_layers": discriminator.depth, "discriminator_scales": discriminator.scales}
    return settings


def _assumptions(settings: Mapping[str, Any], networks: Mapping[str, Architecture]) -> list[str]:
    remarks = []
    if "E" not in networks:
        remarks.append(f"image_size={settings['image_size']} is assumed: the weights do not tell")
    if any(network.family == "unet" for network in networks.values()):
        remarks.append("dropout leaves no trace in a U-Net's weights: the model's default is assumed")
    return remarks


def _pix2pix(networks: Mapping[str, Architecture]) -> tuple[dict[str, Any], list[str]]:
    generator, discriminator = networks["G"], networks.get("D")
    settings = _generator(generator)
    if discriminator is not None:
        settings |= _discriminator(discriminator)
        settings |= {"discriminator_type": discriminator.family, "discriminator_norm": discriminator.norm}
        settings["conditional"] = _is_conditional(discriminator, settings)
    return settings, _assumptions(settings, networks)


def _colorization(networks: Mapping[str, Architecture]) -> tuple[dict[str, Any], list[str]]:
    discriminator = networks.get("D")
    settings = _generator(networks["G"])
    # Of the model's images, grey and RGB: the generator's own are within it.
    del settings["input_channels"], settings["target_channels"]
    if discriminator is not None:
        if discriminator.input_channels != 3:
            raise UserError(
                f"the discriminator sees {discriminator.input_channels} channels, colorization's sees lightness and "
                "ab, 3: they do not belong together"
            )
        settings |= _discriminator(discriminator)
        settings |= {"discriminator_type": discriminator.family, "discriminator_norm": discriminator.norm}
    remark = (
        "1 -> 2 channels are taken for lightness and ab; the authors' test.py translates with inference_mode=train, "
        "unless it is told --eval"
    )
    return settings, [remark, *_assumptions(settings, networks)]


def _is_conditional(discriminator: Architecture, settings: Mapping[str, Any]) -> bool:
    """Whether it sees the input beside the output."""
    target = settings["target_channels"]
    both = settings["input_channels"] + target
    if discriminator.input_channels not in (target, both):
        raise UserError(
            f"the discriminator sees {discriminator.input_channels} channels, the generator's output has {target}, "
            f"with its input {both}: they do not belong together"
        )
    return discriminator.input_channels == both


def _cyclegan(networks: Mapping[str, Architecture]) -> tuple[dict[str, Any], list[str]]:
    generator, back = networks["G_A"], networks["G_B"]
    channels = {"input_channels": generator.output_channels, "output_channels": generator.input_channels}
    if back != dataclasses.replace(generator, **channels):
        raise UserError(f"G_A and G_B do not belong together: {generator}; {back}")
    settings = _generator(generator)
    if generator.input_channels != generator.output_channels:
        settings["lambda_identity"] = 0.0
    discriminators = [networks[part] for part in ("D_A", "D_B") if part in networks]
    if discriminators:
        shapes = {dataclasses.replace(each, input_channels=0) for each in discriminators}
        if len(shapes) > 1:
            raise UserError(f"D_A and D_B do not belong together: {'; '.join(map(str, discriminators))}")
        settings |= _discriminator(discriminators[0])
        settings |= {"discriminator_type": discriminators[0].family, "discriminator_norm": discriminators[0].norm}
    return settings, _assumptions(settings, networks)


def _cut(networks: Mapping[str, Architecture]) -> tuple[dict[str, Any], list[str]]:
    generator, heads, discriminator = (networks.get(part) for part in "GFD")
    if generator.family != "resnet" or generator.dropout:
        raise UserError(f"CUT's generator is a ResNet without dropout here, not a {generator}")
    settings = _generator(generator) | {"antialias": generator.antialias}
    del settings["generator_type"], settings["dropout"]
    if heads is not None:
        settings["head_width"] = heads.filters
        wide = 4 * generator.filters
        if heads.channels == (generator.input_channels, wide // 2, wide, wide, wide) and generator.depth > 4:
            settings["nce_layers"] = "image,down_0,down_1,block_0,block_4"  # the authors' 0,4,8,12,16
    if discriminator is not None:
        if discriminator.family == "patch" and discriminator.antialias != generator.antialias:
            raise UserError(f"G and D do not belong together: {generator}; {discriminator}")
        settings |= _discriminator(discriminator)
        settings |= {"discriminator_type": discriminator.family, "discriminator_norm": discriminator.norm}
    remark = "the weights of CUT and FastCUT look alike: the settings of CUT are assumed"
    return settings, [remark, *_assumptions(settings, networks)]


def _srgan(networks: Mapping[str, Architecture]) -> tuple[dict[str, Any], list[str]]:
    generator = networks["G"]
    settings: dict[str, Any] = {
        "input_channels": generator.input_channels,
        "target_channels": generator.output_channels,
        "scale": generator.scale,
        "num_blocks": generator.depth,
        "base_filters": generator.filters,
        "norm": generator.norm,
        "trunk_end": generator.trunk_end,
    }
    return settings, ["the generator knows no loss: the model's default is assumed"]


def _bicyclegan(networks: Mapping[str, Architecture]) -> tuple[dict[str, Any], list[str]]:
    generator, encoder, discriminator = networks["G"], networks.get("E"), networks.get("D") or networks.get("D2")
    if generator.family != "unet" or any(network.norm != "instance" for network in networks.values()):
        raise UserError("BicycleGAN is a U-Net with instance norm here; these networks are not")
    at_every_level = generator.latent_dim > 0
    latent_dim = generator.latent_dim or (encoder.output_channels if encoder else AUTHORS_LATENT_DIM)
    settings: dict[str, Any] = {
        "image_size": _image_size(generator),
        "input_channels": generator.input_channels - (0 if at_every_level else latent_dim),
        "target_channels": generator.output_channels,
        "latent_dim": latent_dim,
        "z_injection": "all" if at_every_level else "input",
        "num_downs": generator.depth,
        "base_filters": generator.filters,
        "upsampling": generator.upsampling,
    }
    remarks = []
    if encoder is not None:
        residual = encoder.family == "resnet encoder"
        # The authors average the last 8x8 pixels.
        settings["image_size"] = 2 ** (encoder.depth + (4 if residual else 3))
        settings |= {"encoder_type": "resnet" if residual else "plain", "encoder_filters": encoder.filters}
    else:
        remarks.append("without the encoder E styles cannot be borrowed")
        if not at_every_level:
            remarks.append(f"latent_dim={latent_dim}, the authors', is assumed: with z at the image only E tells")
    if discriminator is not None:
        if discriminator.family != "patch":
            raise UserError(f"BicycleGAN's discriminators are PatchGANs, not {discriminator}")
        settings |= _discriminator(discriminator)
        settings["conditional"] = _is_conditional(discriminator, settings)
        settings["shared_discriminator"] = "D" in networks and "D2" not in networks
    return settings, remarks + _assumptions(settings, networks)
