"""Every setting that shapes a network reaches it: the weights are counted by closed forms, and some parts by name."""

import itertools

import keras
import numpy as np
import pytest
from tiny_models import built

# Numbers that a norm behind a convolution adds for each channel: a bias, or a scale and an offset.
PER_CHANNEL = {"instance": 1, "spectral": 1, "batch": 2, "layer": 2, "none": 0}


def widths(filters: int, count: int, most: int = 8) -> list[int]:
    return [filters * min(2**level, most) for level in range(count)]


def unet(inputs, outputs, downs, filters, norm="instance", *, side=4, latent=0, at_every_level=False) -> int:
    """Of a U-Net whose convolutions on the way up are `side` pixels wide; the two ends of the way down have no norm."""
    down, bias = widths(filters, downs), norm == "instance"
    up = [2 * width for width in down[:-1]] + [down[-1]]  # what comes from below, and the skip
    z = [latent if level == 0 or at_every_level else 0 for level in range(downs)]
    count = sum(16 * (x + extra) * y for x, extra, y in zip([inputs, *down], z, down, strict=False))
    count += sum(side**2 * x * y for x, y in zip(up, [outputs, *down[:-1]], strict=True)) + outputs
    normalized = [*down[1:-1], *down[:-1]]
    return count + PER_CHANNEL[norm] * sum(normalized) + bias * (down[0] + down[-1])


def resnet(inputs, outputs, blocks, filters, norm) -> int:
    kernels = 49 * filters * (inputs + outputs) + 2 * 9 * (2 + 8) * filters**2 + blocks * 2 * 9 * 16 * filters**2
    return kernels + PER_CHANNEL[norm] * filters * (1 + 2 + 4 + 8 * blocks + 2 + 1) + outputs


def res_unet(inputs, outputs, downs, filters, norm) -> int:
    scales = PER_CHANNEL[norm] if norm in ("batch", "layer") else 0

    def unit(x: int, y: int, halves: bool = False) -> int:
        return 9 * x * y + 9 * y * y + (x * y if halves or x != y else 0) + scales * (x + y)

    width = widths(filters, downs + 1)
    count = unit(inputs, filters) - scales * inputs
    count += sum(unit(x, y, True) + unit(x + y, x) for x, y in itertools.pairwise(width))
    return count + filters * outputs + outputs


def patch(inputs, filters, layers, scales, norm="instance") -> int:
    count = 0
    for scale in range(scales):
        width = widths(filters // 2**scale, layers + 1)
        count += sum(16 * x * y for x, y in zip([inputs, *width], [*width, 1], strict=True))
        count += PER_CHANNEL[norm] * sum(width[1:]) + width[0] + 1
    return count


def heads(channels, width) -> int:
    return sum((count + 1) * width + (width + 1) * width for count in channels)


def pixel(inputs, filters, norm) -> int:
    bias = norm in ("instance", "spectral")
    return (inputs + 1) * filters + 2 * filters**2 + (PER_CHANNEL[norm] + 1) * 2 * filters + bias


def whole_image(inputs, filters, halvings, norm) -> int:
    width = widths(filters, halvings)
    kernels = sum(16 * x * y for x, y in zip([inputs, *width], [*width, 1], strict=True))
    return kernels + PER_CHANNEL[norm] * sum(width[1:]) + width[0] + 1


def residual_encoder(inputs, filters, blocks, latent) -> int:
    width = [filters * min(count, 4) for count in range(1, blocks + 2)]
    count = 16 * inputs * filters + filters
    count += sum(9 * x * x + x + 9 * x * y + y + x * y + y for x, y in itertools.pairwise(width))
    return count + 2 * (width[-1] + 1) * latent


def plain_encoder(inputs, filters, layers, latent) -> int:
    width = widths(filters, layers, most=4)
    count = sum(16 * x * y + y for x, y in zip([inputs, *width], width, strict=False))
    return count + 2 * (width[-1] + 1) * latent


def encoder_decoder(inputs, outputs, filters, norm, *, extra=False) -> int:
    """Four halvings and four doublings of 4x4 kernels; biases only without a norm."""
    width = widths(filters, 4)
    way = [inputs, *width, *width[-2::-1], outputs]
    normalized = [*width[1:], *width[-2::-1]] + ([100, width[-1]] if extra else [])
    count = 16 * sum(x * y for x, y in itertools.pairwise(way)) + 2 * 16 * 100 * width[-1] * extra
    biases = sum(way[1:]) + (100 + width[-1]) * extra
    return count + (biases if norm == "none" else 2 * sum(normalized))


def dual_unet(inputs, outputs, downs, filters, norm, *, bottleneck=False) -> int:
    """3x3 kernels, 5x5 at both ends, a bias everywhere; every norm has a scale and a shift."""
    down = widths(filters, downs)
    up = [2 * width for width in down[:-1]] + [down[-1]]
    pairs = [*zip([inputs, *down], down, strict=False), *zip(up, [outputs, *down[:-1]], strict=True)]
    count = sum((25 if end in (0, downs) else 9) * x * y + y for end, (x, y) in enumerate(pairs))
    normalized = [*down[1:-1], *down[:-1]] + [down[-1]] * bottleneck
    return count + 2 * sum(normalized) * (norm != "none")


def dual_discriminator(inputs, filters, last, norm) -> int:
    """`last` is how many pixels the last kernel has."""
    width = widths(filters, 5)
    sizes = [25, 9, 9, 9, 9, last]
    count = sum(n * x * y + y for n, x, y in zip(sizes, [inputs, *width], [*width, 1], strict=True))
    return count + 2 * sum(width[1:]) * (norm not in ("none", "spectral"))


OTHER_DISCRIMINATOR = {"discriminator_filters": 6, "discriminator_layers": 2, "discriminator_scales": 2}
# A model, its settings, the numbers of its networks' weights, and what sides of images are multiples of.
SIZES = [
    (
        "bicyclegan",
        {"input_channels": 1, "target_channels": 4, "latent_dim": 5, "base_filters": 3, "encoder_filters": 2}
        | {"conditional": True},
        [unet(1, 4, 5, 3, latent=5), plain_encoder(4, 2, 2, 5), *2 * [patch(5, 4, 1, 2)]],
        32,
    ),
    (
        "bicyclegan",
        {"z_injection": "all", "upsampling": "bilinear", "encoder_type": "resnet", "image_size": 64, "num_downs": 6}
        | {"discriminator_filters": 6, "discriminator_layers": 2, "discriminator_scales": 3},
        [unet(3, 3, 6, 4, side=3, latent=3, at_every_level=True), residual_encoder(3, 4, 2, 3)]
        + 2 * [patch(3, 6, 2, 3)],
        64,
    ),
    ("bicyclegan", {"image_size": 64, "num_downs": 5}, [unet(3, 3, 5, 4, latent=3), plain_encoder(3, 4, 3, 3)], 32),
    (
        "pix2pix",
        {"input_channels": 4, "target_channels": 1, "base_filters": 3, "norm": "instance", "upsampling": "bilinear"}
        | {"discriminator_norm": "none"}
        | OTHER_DISCRIMINATOR,
        [unet(4, 1, 5, 3, side=3), patch(5, 6, 2, 2, "none")],
        32,
    ),
    (
        "pix2pix",
        {"image_size": 64, "num_downs": 5, "norm": "none", "discriminator_type": "pixel", "conditional": False},
        [unet(3, 3, 5, 4, "none"), pixel(3, 4, "batch")],
        32,
    ),
    ("pix2pix", {"image_size": 64}, [unet(3, 3, 6, 4, "batch"), patch(6, 4, 1, 1, "batch")], 64),
    (
        "cyclegan",
        {"num_blocks": 2, "base_filters": 3, "norm": "batch", "discriminator_filters": 3, "discriminator_norm": "layer"}
        | {"input_channels": 1, "lambda_identity": 0.0, "discriminator_type": "image"},
        [resnet(*ends, 2, 3, "batch") for ends in ((1, 3), (3, 1))] + [whole_image(x, 3, 3, "layer") for x in (1, 3)],
        4,
    ),
    (
        "cyclegan",
        {"generator_type": "unet", "discriminator_norm": "batch"} | OTHER_DISCRIMINATOR,
        2 * [unet(3, 3, 5, 4)] + 2 * [patch(3, 6, 2, 2, "batch")],
        32,
    ),
    (
        "discogan",
        {"image_size": 64, "input_channels": 1, "base_filters": 3, "discriminator_filters": 2}
        | {"discriminator_type": "image", "discriminator_norm": "instance"},
        [encoder_decoder(1, 3, 3, "batch"), encoder_decoder(3, 1, 3, "batch")]
        + [whole_image(channels, 2, 4, "instance") - 2 - 1 for channels in (1, 3)],  # no bias at both ends
        16,
    ),
    (
        "discogan",
        {"image_size": 64, "norm": "none", "extra_layer": True, "discriminator_type": "patch"} | OTHER_DISCRIMINATOR,
        2 * [encoder_decoder(3, 3, 4, "none", extra=True)] + 2 * [patch(3, 6, 2, 2, "batch")],
        64,
    ),
    (
        "dualgan",
        {"image_size": 64, "input_channels": 1, "base_filters": 3, "num_downs": 5, "norm": "batch"}
        | {"discriminator_filters": 2, "discriminator_norm": "none"},
        [dual_unet(1, 3, 5, 3, "batch"), dual_unet(3, 1, 5, 3, "batch")]
        + [dual_discriminator(channels, 2, 4, "none") for channels in (1, 3)],
        32,
    ),
    (
        "dualgan",
        {"image_size": 64, "bottleneck_norm": True, "discriminator_type": "dual_patch"},
        2 * [dual_unet(3, 3, 6, 4, "instance", bottleneck=True)] + 2 * [dual_discriminator(3, 4, 9, "instance")],
        64,
    ),
    (
        "cut",
        {"num_blocks": 2, "base_filters": 3, "norm": "batch", "discriminator_norm": "layer", "head_width": 5}
        | {"input_channels": 1, "target_channels": 1}
        | OTHER_DISCRIMINATOR,
        [resnet(1, 1, 2, 3, "batch"), heads([1, 6, 12, 12, 12], 5), patch(1, 6, 2, 2, "layer")],
        4,
    ),
    (
        "colorization",
        {"hints": True, "base_filters": 3, "norm": "instance", "upsampling": "bilinear", "discriminator_norm": "none"}
        | OTHER_DISCRIMINATOR,
        [unet(4, 2, 5, 3, side=3), patch(3, 6, 2, 2, "none")],
        32,
    ),
    (
        "colorization",
        {"image_size": 64, "num_downs": 5, "discriminator_type": "pixel"},
        [unet(1, 2, 5, 4, "batch"), pixel(3, 4, "batch")],
        32,
    ),
    ("colorization", {"generator_type": "res_unet"}, [res_unet(1, 2, 3, 4, "batch")], 8),
    (
        "colorization",
        {"generator_type": "res_unet", "num_downs": 2, "base_filters": 3, "norm": "none"},
        [res_unet(1, 2, 2, 3, "none")],
        4,
    ),
]


@pytest.mark.parametrize(("name", "settings", "counts", "multiple"), SIZES)
def test_networks_have_the_sizes_that_were_asked_for(name, settings, counts, multiple) -> None:
    model = built(name, **settings)
    networks = model.networks.values()
    found = [sum(int(np.prod(v.shape)) for v in network.trainable_variables) for network in networks]
    assert found[: len(counts)] == counts
    channels = [1 if name == "colorization" else settings.get("input_channels", 3), settings.get("target_channels", 3)]
    for translator in model.translators.values():
        assert [translator.input_channels, translator.output_channels] == channels
        assert (translator.image_size, translator.size_multiple) == (settings.get("image_size", 32), multiple)
        assert translator.latent_dim == (settings.get("latent_dim", 3) if name == "bicyclegan" else 0)
        assert translator.takes_hints == settings.get("hints", False)
        channels.reverse()  # of the way back


def layers_of(network: keras.Model, kind: str) -> int:
    """How many layers have it in the name of their class."""
    return sum(kind in type(layer).__name__ for layer in network.layers)


def test_other_generators_have_the_parts_that_were_asked_for() -> None:
    generator = built("cyclegan", upsampling="bilinear").generator_a_to_b
    assert (layers_of(generator, "Transpose"), layers_of(generator, "BilinearUpsampling")) == (0, 2)
    settings = {"generator_type": "adalin", "num_blocks": 2, "skips": True, "base_filters": 3}
    model = built("pix2pix", **settings)
    generator = model.generator
    assert model.translators["translate"].size_multiple == 4
    # The residual blocks of both halves, and the joined features of two sizes.
    assert (layers_of(generator, "Add"), layers_of(generator, "Concatenate")) == (4, 2)
    assert generator.get_layer("decoder_1_conv_1").kernel.shape == (3, 3, 12, 12)  # four times as many channels
    settings = {"generator_type": "dynamic_unet", "encoder": "resnet34", "blur": True, "base_filters": 2}
    model = built("colorization", encoder_weights="imagenet", **settings)
    assert model.starting_weights.name == "resnet34"
    generator = model.generator
    assert model.translators["translate"].size_multiple == 32
    encoder = [v for v in generator.get_layer("encoder").trainable_variables if v.path.endswith("kernel")]
    # 33 convolutions of 16 blocks and the first one, and three shortcuts; five doublings with a blur.
    assert (len(encoder), encoder[0].shape[-1], layers_of(generator, "PairBlur")) == (36, 2, 5)
    assert generator.get_layer("middle_conv_0").filters == 2 * 8 * 2  # twice as many as come from the encoder


@pytest.mark.parametrize("name", ["bicyclegan", "colorization"])
def test_nothing_is_dropped_where_that_was_asked_for(name) -> None:
    generator = built(name, image_size=64, dropout=False).generator  # deep enough for one block that drops
    assert layers_of(generator, "Dropout") == 0
