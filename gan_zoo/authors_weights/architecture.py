"""What the names and shapes of the authors' PyTorch weights tell of the network that they belong to."""

import dataclasses
import re
from collections.abc import Mapping

import numpy as np

from gan_zoo.errors import UserError

Arrays = Mapping[str, np.ndarray]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Architecture:
    """A network that was recognised.

    Attributes:
        family: unet, resnet, sr resnet, patch, pixel, resnet encoder, plain encoder or heads.
        input_channels: of what it sees; for a U-Net with z at the image those of z are among them.
        output_channels: of the image that it makes, the length of z for an encoder, 1 for a discriminator.
        filters: of its first convolution; the width of heads.
        depth: a U-Net's halvings, a ResNet's blocks (SRResNet's too), a discriminator's strided convolutions, an
            encoder's blocks or convolutions, how many heads.
        norm: batch, instance or none.
        scales: of a discriminator.
        latent_dim: length of the z that joins every level of a U-Net; 0: none does.
        upsampling: transposed, bilinear or blur, for a generator.
        antialias: whether a blur halves, in a ResNet or a PatchGAN.
        channels: of the features that heads see, one for each.
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
    antialias: bool = False
    channels: tuple[int, ...] = ()
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
            "heads": "{} projection heads",
        }
        words = [depths[self.family].format(self.depth), f"{self.filters} filters"]
        if self.family == "heads":
            return ", ".join([*words, f"of features of {', '.join(map(str, self.channels))} channels"])
        words.append(f"{self.input_channels} -> {self.output_channels} channels")
        if self.latent_dim:
            words.append(f"z of length {self.latent_dim} at every level")
        if self.scales > 1:
            words.append(f"{self.scales} scales")
        if self.scale > 1:
            words.append(f"{self.scale} times as large")
        words.append(f"{self.norm} norm")
        if self.antialias:
            words.append("blur pooling")
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
        ("mlp_0.0.weight", _projection_heads),
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
    antialias = _is_kernel(arrays, "model.8.weight")  # the blur moves the second halving a place on
    start = first_block(antialias)
    after = start + len(blocks)
    # What comes before the convolution of a doubling: nothing, a blur, or a resize and a padding.
    extra = next((extra for extra in (0, 1, 2) if _is_kernel(arrays, f"model.{after + extra}.weight")), 2)
    last = arrays[f"model.{after + 7 + 2 * extra}.weight"]
    # Dropout stands before the second convolution of a block and moves it a place on.
    dropout = [_is_kernel(arrays, f"model.{start}.conv_block.{place}.weight") for place in (5, 6)]
    return Architecture(
        family="resnet",
        input_channels=first.shape[1],
        output_channels=last.shape[0],
        filters=first.shape[0],
        depth=len(blocks),
        norm=_norm(arrays, "model.1", "model.2"),
        upsampling=("transposed", "blur", "bilinear")[extra],
        antialias=antialias,
        dropout=dropout[1] and not dropout[0],
    )


def _is_kernel(arrays: Arrays, name: str) -> bool:
    """Whether a convolution has that name, and no norm."""
    return name in arrays and arrays[name].ndim == 4


def first_block(antialias: bool) -> int:
    """The place of a ResNet's first block."""
    return 12 if antialias else 10


def _projection_heads(arrays: Arrays) -> Architecture:
    count = sum(re.fullmatch(r"mlp_\d+\.0\.weight", name) is not None for name in arrays)
    channels = tuple(arrays[f"mlp_{index}.0.weight"].shape[1] for index in range(count))
    width = arrays["mlp_0.0.weight"].shape[0]
    return Architecture(
        family="heads",
        input_channels=channels[0],
        output_channels=width,
        filters=width,
        depth=count,
        norm="none",
        channels=channels,
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
    convs = [name for name in arrays if name.startswith(f"{path}.") and name.endswith(".weight")]
    convs = [name for name in convs if arrays[name].ndim == 4]
    first = arrays[f"{path}.0.weight"]
    antialias = _is_kernel(arrays, f"{path}.3.weight")  # behind convolution, activation and blur
    second = 3 if antialias else 2
    return Architecture(
        family="patch",
        input_channels=first.shape[1],
        output_channels=arrays[convs[-1]].shape[0],
        filters=first.shape[0],
        depth=len(convs) - 2,
        norm=_norm(arrays, f"{path}.{second}", f"{path}.{second + 1}"),
        antialias=antialias,
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
