"""U-GAT-IT's file of weights, a dict of six state_dicts: what it tells, and how it calls the variables of ours.

znxlwm/UGATIT-pytorch saves it as `horse2zebra_params_0100000.pt` and the like.
"""

import dataclasses
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np

from gan_zoo.errors import UserError
from gan_zoo.layers.normalization import SpectralConv2D

GENERATORS = ("genA2B", "genB2A")
DISCRIMINATORS = ("disGA", "disGB", "disLA", "disLB")
FILE_NAME = re.compile(r".*_params_(?P<step>\d+|latest)\.pth?")
MAX_BLOCKS, MAX_LAYERS = 100, 8

Arrays = Mapping[str, np.ndarray]
Layers = Mapping[str, keras.layers.Layer]
Shapes = Iterator[tuple[str, tuple[int, ...]]]


@dataclasses.dataclass(frozen=True)
class Rearranged:
    """A variable whose numbers PyTorch has in another shape or order; of it, what the importer asks of a variable.

    Attributes:
        variable: ours.
        shape: as Keras would have it, so that `torch_shape` and `to_keras_layout` lead to PyTorch's and back.
        window: of a vector over the entries of a kernel its `[h, w, in]`, which PyTorch walks through as [in, h, w].
    """

    variable: keras.Variable
    shape: tuple[int, ...]
    window: tuple[int, int, int] | None = None

    def assign(self, array: np.ndarray) -> None:
        if self.window is not None:
            height, width, inputs = self.window
            array = np.reshape(array, (inputs, height, width)).transpose(1, 2, 0)
        self.variable.assign(np.reshape(array, self.variable.shape))

    def numpy(self) -> np.ndarray:
        array = self.variable.numpy()
        if self.window is not None:
            array = array.reshape(self.window).transpose(2, 0, 1)
        return array.reshape(self.shape)


Named = Iterator[tuple[str, keras.Variable | Rearranged]]


def attention_network(layers: Layers) -> Named:
    """`ResnetGenerator`, or `Discriminator`: the names of a network's variables in the order of its state_dict."""
    return _generator(layers) if "conv_in" in layers else _discriminator(layers)


def _channels(path: str, variable: keras.Variable) -> tuple[str, Rearranged]:
    return path, Rearranged(variable, (1, 1, variable.shape[0], 1))


def _conv(path: str, layer: keras.layers.Conv2D, dense: bool = False) -> Named:
    """A convolution, or with `dense` a 1x1 one that is a dense layer there."""
    if layer.bias is not None:
        yield f"{path}.bias", layer.bias
    spectral = isinstance(layer, SpectralConv2D)
    kernel = Rearranged(layer.kernel, tuple(layer.kernel.shape[2:])) if dense else layer.kernel
    yield f"{path}.{'weight_orig' if spectral else 'weight'}", kernel
    if spectral:
        yield f"{path}.weight_u", layer.u
        yield f"{path}.weight_v", Rearranged(layer.v, tuple(layer.v.shape), tuple(layer.kernel.shape[:3]))


def _attention(layers: Layers) -> Named:
    yield from _conv("gap_fc", layers["attention"].mean, dense=True)
    yield from _conv("gmp_fc", layers["attention"].maximum, dense=True)
    yield "conv1x1.weight", layers["attention_conv"].kernel
    yield "conv1x1.bias", layers["attention_conv"].bias


def _generator(layers: Layers) -> Named:
    num_blocks = sum(re.fullmatch(r"encoder_\d+", name) is not None for name in layers)
    yield from _attention(layers)
    for name in ("gamma", "beta"):
        yield f"{name}.weight", layers[name].kernel
    for block in range(num_blocks):
        for place in (0, 1):
            path = f"UpBlock1_{block + 1}"
            yield f"{path}.conv{place + 1}.weight", layers[f"decoder_{block}_conv_{place}"].kernel
            yield _channels(f"{path}.norm{place + 1}.rho", layers[f"decoder_{block}_norm_{place}"].rho)
    for name, place in (("conv_in", 1), ("down_0", 5), ("down_1", 9)):
        yield from _conv(f"DownBlock.{place}", layers[name])
    for block in range(num_blocks):
        for number, place in enumerate((1, 5)):
            name = f"DownBlock.{12 + block}.conv_block.{place}.weight"
            yield name, layers[f"encoder_{block}_conv_{number}"].kernel
    for number, place in enumerate((0, 2)):
        yield f"FC.{place}.weight", layers[f"style_{number}"].kernel
    for name, place in (("up_1", 2), ("up_0", 7)):
        yield from _conv(f"UpBlock2.{place}", layers[name])
        for what in ("rho", "gamma", "beta"):
            yield _channels(f"UpBlock2.{place + 1}.{what}", getattr(layers[f"{name}_norm"], what))
    yield from _conv("UpBlock2.11", layers["conv_out"])


def _discriminator(layers: Layers) -> Named:
    last = sum(re.fullmatch(r"conv_\d+", name) is not None for name in layers) - 1
    if not isinstance(layers["conv_0"], SpectralConv2D):
        raise TypeError("the authors' code normalizes all of them")
    yield from _attention(layers)
    yield from _conv("conv", layers[f"conv_{last}"])
    for index in range(last):
        yield from _conv(f"model.{3 * index + 1}", layers[f"conv_{index}"])


@dataclasses.dataclass(frozen=True)
class AttentionNetwork:
    """A network of a bundle that was recognised.

    Attributes:
        is_generator: or a discriminator.
        channels: of what it sees.
        filters: of its first convolution.
        depth: residual blocks of each half, or convolutions.
        outputs: channels of the image that it makes; 1 for a discriminator.
        grid: side of the features that the dense layers of a full generator see; 1 for a light one.
    """

    is_generator: bool
    channels: int
    filters: int
    depth: int
    outputs: int = 1
    grid: int = 1

    def __str__(self) -> str:
        if not self.is_generator:
            return f"discriminator with attention of {self.depth} layers, {self.filters} filters"
        kind = "light" if self.grid == 1 else f"full, of {4 * self.grid} px"
        return (
            f"ResNet with attention ({kind}) of 2 x {self.depth} blocks, {self.filters} filters, "
            f"{self.channels} -> {self.outputs} channels"
        )

    def shapes(self) -> Shapes:
        """All names, and PyTorch's shapes: what a file has to hold before a network of such a width is made."""
        width = self.filters * (4 if self.is_generator else 2 ** (self.depth - 2))
        ends = ("weight",) if self.is_generator else ("weight_orig", "weight_u", "weight_v")
        for name in ("gap_fc", "gmp_fc"):
            yield from zip((f"{name}.{end}" for end in ends), ((1, width), (1,), (width,)), strict=False)
        yield from (("conv1x1.weight", (width, 2 * width, 1, 1)), ("conv1x1.bias", (width,)))
        yield from self._generator(width) if self.is_generator else self._discriminator(width)

    def _generator(self, width: int) -> Shapes:
        for name in ("gamma", "beta", "FC.2"):
            yield f"{name}.weight", (width, width)
        yield "FC.0.weight", (width, width * self.grid**2)
        for block in range(self.depth):
            for place in (1, 2):
                yield f"UpBlock1_{block + 1}.conv{place}.weight", (width, width, 3, 3)
                yield f"UpBlock1_{block + 1}.norm{place}.rho", (1, width, 1, 1)
            for place in (1, 5):
                yield f"DownBlock.{12 + block}.conv_block.{place}.weight", (width, width, 3, 3)
        yield "DownBlock.1.weight", (self.filters, self.channels, 7, 7)
        for place, level in ((5, 1), (9, 2)):
            yield f"DownBlock.{place}.weight", (self.filters * 2**level, self.filters * 2 ** (level - 1), 3, 3)
        for place, level in ((2, 1), (7, 0)):
            outputs = self.filters * 2**level
            yield f"UpBlock2.{place}.weight", (outputs, 2 * outputs, 3, 3)
            for what in ("rho", "gamma", "beta"):
                yield f"UpBlock2.{place + 1}.{what}", (1, outputs, 1, 1)
        yield "UpBlock2.11.weight", (self.outputs, self.filters, 7, 7)

    def _discriminator(self, width: int) -> Shapes:
        widths = [self.channels, *(self.filters * 2**index for index in range(self.depth - 1))]
        convs = [(f"model.{3 * index + 1}", *widths[index : index + 2]) for index in range(self.depth - 1)]
        for path, inputs, outputs in (*convs, ("conv", width, 1)):
            yield f"{path}.weight_orig", (outputs, inputs, 4, 4)
            yield f"{path}.weight_u", (outputs,)
            yield f"{path}.weight_v", (16 * inputs,)
            if path != "conv":
                yield f"{path}.bias", (outputs,)


def recognise_attention(part: str, arrays: Arrays) -> AttentionNetwork:
    """Finds out what the state_dict called `part` in a bundle belongs to.

    Raises:
        UserError: if it is none of the networks that the authors' code builds; the message ends a sentence.
    """
    is_generator = part in GENERATORS
    first, last = ("DownBlock.1.weight", "UpBlock2.11.weight") if is_generator else ("model.1.weight_orig",) * 2
    pattern = r"UpBlock1_\d+\.conv1\.weight" if is_generator else r"model\.\d+\.weight_orig"
    count = sum(re.fullmatch(pattern, name) is not None for name in arrays)
    if not all(name in arrays and arrays[name].ndim == 4 for name in (first, last)):
        raise UserError(f"has no {first} of a network of U-GAT-IT's in {part}")
    filters, channels = arrays[first].shape[:2]
    if not is_generator:
        network = AttentionNetwork(False, channels, filters, count + 1)
    else:
        dense = arrays.get("FC.0.weight", np.zeros((1, 0)))
        grid = math.isqrt(dense.shape[-1] // max(4 * filters, 1)) if dense.ndim == 2 else 0
        network = AttentionNetwork(True, channels, filters, count, arrays[last].shape[0], grid)
    if not (0 if is_generator else 2) < network.depth <= (MAX_BLOCKS if is_generator else MAX_LAYERS):
        raise UserError(f"has in {part} a {network}, which is no network of U-GAT-IT's")
    shapes = dict(network.shapes())
    wrong = [name for name in {**shapes, **arrays} if name not in arrays or arrays[name].shape != shapes.get(name)]
    if wrong:
        has = list(arrays[wrong[0]].shape) if wrong[0] in arrays else "missing"
        raise UserError(f"has in {part} a {network}, to which {wrong[0][:80]} does not fit: it is {has}")
    return network


def ugatit_settings(networks: Mapping[str, AttentionNetwork]) -> tuple[str, dict[str, Any], list[str]]:
    """Puts networks together to a model, as `gan_zoo.authors_weights.settings.model_and_settings` does.

    Raises:
        UserError: if they do not belong together.
    """
    if not set(GENERATORS) <= networks.keys():
        raise UserError(f"U-GAT-IT has {' and '.join(GENERATORS)}; the file has {', '.join(networks)}")
    there, back = (networks[part] for part in GENERATORS)
    if back != dataclasses.replace(there, channels=there.outputs, outputs=there.channels):
        raise UserError(f"genA2B and genB2A do not belong together: {there}; {back}")
    settings: dict[str, Any] = {
        "image_size": 256 if there.grid == 1 else 4 * there.grid,
        "input_channels": there.channels,
        "target_channels": there.outputs,
        "light": there.grid == 1,
        "num_blocks": there.depth,
        "base_filters": there.filters,
        "unbiased_variance": True,
    }
    if there.channels != there.outputs:
        settings |= {"lambda_identity": 0.0, "lambda_cam": 0.0}
    for reach, pair in (("global", DISCRIMINATORS[:2]), ("local", DISCRIMINATORS[2:])):
        settings |= _of_discriminators(reach, [networks[part] for part in pair if part in networks])
    filters = {networks[part].filters for part in DISCRIMINATORS if part in networks}
    if len(filters) > 1:
        raise UserError("the discriminators do not belong together: their filters differ")
    remarks = ["the variances of AdaLIN are those of the authors' PyTorch code: unbiased_variance=true"]
    if there.grid == 1:
        remarks.insert(0, "image_size=256 is assumed: the weights of a light generator do not tell")
    return "ugatit", settings, remarks


def _of_discriminators(reach: str, pair: Sequence[AttentionNetwork]) -> dict[str, int]:
    if len({dataclasses.replace(network, channels=0) for network in pair}) > 1:
        raise UserError(f"the {reach} discriminators do not belong together: {'; '.join(map(str, pair))}")
    return {f"{reach}_layers": pair[0].depth, "discriminator_filters": pair[0].filters} if pair else {}
