"""What the names and shapes of the authors' PyTorch weights tell of the network that they belong to."""

import dataclasses
import re
from collections.abc import Iterator, Mapping

import numpy as np

from gan_zoo.errors import UserError

Arrays = Mapping[str, np.ndarray]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Architecture:
    """A network that was recognised.

    Attributes:
        family: unet, resnet, sr resnet, patch, pixel, resnet encoder or plain encoder.
        input_channels: of what it sees; for a U-Net with z at the image those of z are among them.
        output_channels: of the image that it makes, the length of z for an encoder, 1 for a discriminator.
        filters: of its first convolution.
        depth: a U-Net's halvings, a ResNet's blocks (SRResNet's too), a discriminator's strided convolutions, an
            encoder's blocks or convolutions.
        norm: batch, instance or none.
        scales: of a discriminator.
        latent_dim: length of the z that joins every level of a U-Net; 0: none does.
        upsampling: transposed or bilinear, for a generator.
        dropout: whether a ResNet has it; None where the weights do not tell.
        scale: how many times as large an SRResNet's output is.
        trunk_end: norm or prelu, for an SRResNet.
    """

    family: str
    input_channels: int
    output_channels: int
    filters: int
    depth: int
    norm: str
    scales: int = 1
    latent_dim: int = 0
    upsampling: str = "transposed"
    dropout: bool | None = None
    scale: int = 1
    trunk_end: str = ""

    def __str__(self) -> str:
        depths = {
            "unet": "U-Net of {} halvings",
            "resnet": "ResNet of {} blocks",
            "sr resnet": "SRResNet of {} blocks",
            "patch": "PatchGAN of {} strided convolutions",
            "pixel": "PixelGAN",
            "resnet encoder": "encoder of {} residual blocks",
            "plain encoder": "encoder of {} strided convolutions",
        }
        words = [depths[self.family].format(self.depth), f"{self.filters} filters"]
        words.append(f"{self.input_channels} -> {self.output_channels} channels")
        if self.latent_dim:
            words.append(f"z of length {self.latent_dim} at every level")
        if self.scales > 1:
            words.append(f"{self.scales} scales")
        if self.scale > 1:
            words.append(f"{self.scale} times as large")
        words.append(f"{self.norm} norm")
        if self.trunk_end:
            words.append(f"{self.trunk_end} after the blocks")
        if self.family in ("unet", "resnet"):
            words.append(f"{self.upsampling} upsampling")
        if self.dropout is not None:
            words.append("dropout" if self.dropout else "no dropout")
        return ", ".join(words)


def recognise(arrays: Arrays) -> Architecture:
    """Finds out what the weights belong to.

    Raises:
        UserError: if it is none of the networks that the authors' code builds and ours does too.
    """
    for sign, describe in (
        ("fc.0.weight", _encoder),
        ("model.down.0.weight", _unet_with_z),
        ("model.model.0.weight", _plain_unet),
        ("model.1.weight", _resnet),
        ("model.0.weight", _patch),
        ("model_0.0.weight", _patch),
        ("net.0.weight", _pixel),
        ("block1.0.weight", _sr_resnet),
    ):
        if sign in arrays:
            try:
                return describe(arrays)
            except KeyError as error:
                raise UserError(f"has {sign} but no {error.args[0]}: it is none of the authors' networks") from None
            except IndexError:
                raise UserError(f"has {sign}, but of other shapes than the authors' networks") from None
    names = ", ".join(list(arrays)[:3])
    raise UserError(f"is none of the authors' networks: its tensors are called {names} ...")


def inner_kernels(found: Architecture) -> Iterator[tuple[str, tuple[int, ...]]]:
    """Names and PyTorch's shapes of the kernels inside a network, which grow with the square of its width.

    A kernel that is not among them (of the way up, to or from an image) is about as large as one that is: a file that
    holds all of these is no smaller than a fraction of the network.
    """
    if found.family in ("resnet", "sr resnet", "resnet encoder"):
        yield from _residual_kernels(found)
        return
    most = {"unet": 8, "patch": 8, "pixel": 2, "plain encoder": 4}[found.family]  # times as wide as at first
    count = {"patch": found.depth + 1, "pixel": 2}.get(found.family, found.depth)
    side = 1 if found.family == "pixel" else 4
    for scale in range(found.scales):
        widths = [max(found.filters // 2**scale, 1) * min(2 ** min(level, 3), most) for level in range(count)]
        for index in range(1, count):
            path = {
                "unet": f"model.model.1{'.model.3' * (index - 1)}.model.1",
                "patch": f"model{f'_{scale}' if found.scales > 1 else ''}.{3 * index - 1}",
                "pixel": "net.2",
                "plain encoder": f"conv.{3 * index - 1}",
            }[found.family]
            if found.latent_dim:
                path = f"model{'.submodule' * index}.down.1"
            yield f"{path}.weight", (widths[index], widths[index - 1] + found.latent_dim, side, side)


def _residual_kernels(found: Architecture) -> Iterator[tuple[str, tuple[int, ...]]]:
    width = found.filters
    if found.family == "resnet":
        yield "model.4.weight", (2 * width, width, 3, 3)
        yield "model.7.weight", (4 * width, 2 * width, 3, 3)
    for block in range(found.depth):
        if found.family == "sr resnet":
            for place in (1, 2):
                yield f"block{block + 2}.conv{place}.weight", (width, width, 3, 3)
        elif found.family == "resnet":
            for place in (1, 6 if found.dropout else 5):
                yield f"model.{10 + block}.conv_block.{place}.weight", (4 * width, 4 * width, 3, 3)
        else:
            inputs, outputs = width * min(block + 1, 4), width * min(block + 2, 4)
            yield f"conv.{block + 1}.conv.2.weight", (inputs, inputs, 3, 3)
            yield f"conv.{block + 1}.conv.5.0.weight", (outputs, inputs, 3, 3)


def _norm(arrays: Arrays, conv: str, norm: str) -> str:
    """By the norm itself, or by the bias that the convolution before an instance norm has."""
    if f"{norm}.running_mean" in arrays:
        return "batch"
    if f"{norm}.weight" in arrays and arrays[f"{norm}.weight"].ndim == 1:
        raise UserError(
            f"has a norm {norm} with weights and without statistics: give a network with batch or instance norm"
        )
    return "instance" if f"{conv}.bias" in arrays else "none"


def _plain_unet(arrays: Arrays) -> Architecture:
    paths = ["model.model.0", "model.model.1.model.1"]
    while (deeper := paths[-1].removesuffix("1") + "3.model.1") + ".weight" in arrays:
        paths.append(deeper)
    up = arrays.get("model.model.3.weight")
    transposed = up is not None
    outermost = arrays[f"{paths[0]}.weight"]
    return Architecture(
        family="unet",
        input_channels=outermost.shape[1],
        output_channels=up.shape[1] if transposed else arrays["model.model.5.weight"].shape[0],
        filters=outermost.shape[0],
        depth=len(paths),
        norm=_norm(arrays, paths[0], "model.model.1.model.2"),
        upsampling="transposed" if transposed else "bilinear",
    )


def _unet_with_z(arrays: Arrays) -> Architecture:
    depth = 1
    while f"model{'.submodule' * depth}.down.1.weight" in arrays:
        depth += 1
    up = arrays.get("model.up.1.weight")
    transposed = up is not None
    outermost, second = arrays["model.down.0.weight"], arrays["model.submodule.down.1.weight"]
    latent_dim = second.shape[1] - outermost.shape[0]
    if latent_dim < 1:
        raise UserError("has model.submodule.down.1.weight, but no z joins there: it is none of the authors' networks")
    return Architecture(
        family="unet",
        input_channels=outermost.shape[1] - latent_dim,
        output_channels=up.shape[1] if transposed else arrays["model.up.3.weight"].shape[0],
        filters=outermost.shape[0],
        depth=depth,
        norm=_norm(arrays, "model.down.0", "model.submodule.down.2"),
        latent_dim=latent_dim,
        upsampling="transposed" if transposed else "bilinear",
    )


def _resnet(arrays: Arrays) -> Architecture:
    blocks = {int(found[1]) for name in arrays if (found := re.match(r"model\.(\d+)\.conv_block\.", name))}
    first = arrays["model.1.weight"]
    after = 10 + len(blocks)
    transposed = f"model.{after}.weight" in arrays
    last = arrays[f"model.{after + (7 if transposed else 11)}.weight"]
    # Dropout stands before the second convolution of a block and moves it a place on.
    places = [f"model.10.conv_block.{place}.weight" for place in (5, 6)]
    dropout = [name in arrays and arrays[name].ndim == 4 for name in places]
    return Architecture(
        family="resnet",
        input_channels=first.shape[1],
        output_channels=last.shape[0],
        filters=first.shape[0],
        depth=len(blocks),
        norm=_norm(arrays, "model.1", "model.2"),
        upsampling="transposed" if transposed else "bilinear",
        dropout=dropout[1] and not dropout[0],
    )


def _sr_resnet(arrays: Arrays) -> Architecture:
    num_blocks = sum(re.fullmatch(r"block\d+\.conv1\.weight", name) is not None for name in arrays)
    trunk, up = f"block{num_blocks + 2}", f"block{num_blocks + 3}"
    num_doublings = sum(re.fullmatch(rf"{up}\.\d+\.conv\.weight", name) is not None for name in arrays)
    first = arrays["block1.0.weight"]
    return Architecture(
        family="sr resnet",
        input_channels=first.shape[1],
        output_channels=arrays[f"{up}.{num_doublings}.weight"].shape[0],
        filters=first.shape[0],
        depth=num_blocks,
        norm=_norm(arrays, "block2.conv1", "block2.bn1"),
        scale=2**num_doublings,
        trunk_end="norm" if f"{trunk}.1.running_mean" in arrays else "prelu",
    )


def _patch(arrays: Arrays) -> Architecture:
    scales = len({name.split(".")[0] for name in arrays})
    path = "model" if "model.0.weight" in arrays else "model_0"
    convs = [name for name, array in arrays.items() if name.startswith(f"{path}.") and array.ndim == 4]
    first = arrays[f"{path}.0.weight"]
    return Architecture(
        family="patch",
        input_channels=first.shape[1],
        output_channels=arrays[convs[-1]].shape[0],
        filters=first.shape[0],
        depth=len(convs) - 2,
        norm=_norm(arrays, f"{path}.2", f"{path}.3"),
        scales=scales,
    )


def _pixel(arrays: Arrays) -> Architecture:
    first = arrays["net.0.weight"]
    return Architecture(
        family="pixel",
        input_channels=first.shape[1],
        output_channels=arrays["net.5.weight"].shape[0],
        filters=first.shape[0],
        depth=1,
        norm=_norm(arrays, "net.2", "net.3"),
    )


def _encoder(arrays: Arrays) -> Architecture:
    first = arrays["conv.0.weight"]
    residual = sum(re.fullmatch(r"conv\.\d+\.shortcut\.1\.weight", name) is not None for name in arrays)
    plain = sum(re.fullmatch(r"conv\.\d+\.weight", name) is not None for name in arrays)
    return Architecture(
        family="resnet encoder" if residual else "plain encoder",
        input_channels=first.shape[1],
        output_channels=arrays["fc.0.weight"].shape[0],
        filters=first.shape[0],
        depth=residual or plain,
        norm="batch" if any(name.endswith("running_mean") for name in arrays) else "instance",
    )
