"""The names that the authors' PyTorch code gives to the variables of our networks, in the order of its state_dicts.

pytorch-CycleGAN-and-pix2pix, BicycleGAN, CUT and leftthomas/SRGAN build most networks as `torch.nn.Sequential`, so that
a name is a path of positions, in which activations, paddings and dropout count and hold nothing. The networks here say
themselves, by their layers, how deep they are and which norm they have; so the same walk names the variables to read
and to write. That of U-GAT-IT's networks is in `ugatit`.
"""

import re
from collections.abc import Callable, Iterator, Mapping

import keras
import numpy as np

from gan_zoo.authors_weights.ugatit import Rearranged, attention_network
from gan_zoo.errors import UserError
from gan_zoo.layers.blur import DOWN_FILTER, UP_FILTER, BlurUp
from gan_zoo.layers.normalization import BatchNorm, InstanceNorm, LayerNorm, SpectralConv2D

BATCHES = "num_batches_tracked"
Layers = Mapping[str, keras.layers.Layer]
# None stands for the number of batches that a batch norm has seen, which ours does not count; an array is a constant.
Value = keras.Variable | Rearranged | np.ndarray | None
Named = Iterator[tuple[str, Value]]


def torch_variables(network: keras.Model) -> dict[str, Value]:
    """The variables of a network of ours by the authors' names, in their order.

    Args:
        network: a `unet`, `resnet`, `patch_discriminator`, `pixel_discriminator`, `resnet_encoder`, `plain_encoder`,
            `projection_heads`, `sr_resnet`, `sr_discriminator`, `attention_resnet` or `attention_discriminator`.

    Returns:
        Every variable that learns or is learnt, once; None for names that end in `num_batches_tracked`; and the
        constant filters of blur pooling, float32 in Keras' layout `[h, w, 1, C]`.

    Raises:
        UserError: for a network that the authors' code cannot build.
    """
    layers = {layer.name: layer for layer in network.layers}
    if "attention" not in layers and any(isinstance(layer, (LayerNorm, SpectralConv2D)) for layer in network.layers):
        raise UserError(f"{network.name}: the authors' code has neither layer norm nor spectral norm")
    walk = next((walk for sign, walk in _WALKS.items() if sign in layers), None)
    try:
        named = dict(walk(layers)) if walk else {}
    except (KeyError, TypeError):  # a layer that is not there, or is another one
        named = {}
    unnamed = {id(variable) for variable in network.variables if "seed_generator_state" not in variable.path}
    if unnamed - {id(getattr(variable, "variable", variable)) for variable in named.values()}:
        raise UserError(f"{network.name}: the authors' code has no such network")
    return named


def joined_inputs(network: keras.Model) -> dict[str, int]:
    """The kernels of a U-Net that meet a skip: the authors' names, and PyTorch's axis of the kernel's inputs.

    Ours, as BicycleGAN's code, joins [way up, skip], pix2pix' and CycleGAN's [skip, way up]; `swap_halves` leads from
    one to the other.
    """
    layers = {layer.name: layer for layer in network.layers}
    if "up_0" not in layers or "conv_in" in layers:
        return {}
    axis = 0 if isinstance(layers["up_0"], keras.layers.Conv2DTranspose) else 1
    joined = {id(layers[f"up_{level}"].kernel) for level in range(_count(layers, r"down_\d+") - 1)}
    return {name: axis for name, variable in torch_variables(network).items() if id(variable) in joined}


def swap_halves(array: np.ndarray, axis: int) -> np.ndarray:
    """Way up and skip are equally wide."""
    return np.roll(array, array.shape[axis] // 2, axis)


def _count(layers: Layers, pattern: str) -> int:
    return sum(re.fullmatch(pattern, name) is not None for name in layers)


def _kernel(path: str, layer: keras.layers.Layer) -> Named:
    yield f"{path}.weight", layer.kernel
    if layer.bias is not None:
        yield f"{path}.bias", layer.bias


def _norm(path: str, layer: keras.layers.Layer | None) -> Named:
    """An instance norm holds nothing, none stands for the authors' identity, and has a position too."""
    if isinstance(layer, BatchNorm):
        yield f"{path}.weight", layer.gamma
        yield f"{path}.bias", layer.beta
        yield f"{path}.running_mean", layer.moving_mean
        yield f"{path}.running_var", layer.moving_variance
        yield f"{path}.{BATCHES}", None
    elif layer is not None and not isinstance(layer, InstanceNorm):
        raise TypeError(f"{layer.name} is a {type(layer).__name__}")


def _blur(path: str, layer: keras.layers.Layer | None) -> Named:
    """The filter that the authors' blur pooling keeps, the same for each channel; nothing without one."""
    if layer is not None:
        square = UP_FILTER if isinstance(layer, BlurUp) else DOWN_FILTER
        yield f"{path}.filt", np.repeat(square[:, :, np.newaxis, np.newaxis], layer.output.shape[-1], axis=-1)


def _unet(layers: Layers) -> Named:
    """`UnetGenerator`, or BicycleGAN's `G_Unet_add_all` if z joins every level."""
    num_downs = _count(layers, r"down_\d+")
    # Resize and padding stand before the convolution where it is not transposed.
    extra = 0 if isinstance(layers["up_0"], keras.layers.Conv2DTranspose) else 2
    if "z_1" in layers:
        return _unet_with_z(layers, 0, "model", num_downs, extra)
    return _plain_unet(layers, 0, "model.model", num_downs, extra)


def _plain_unet(layers: Layers, level: int, path: str, num_downs: int, extra: int) -> Named:
    """A block is one row: activation, convolution, norm, the next block, activation, upsampling, norm."""
    outermost, innermost = level == 0, level == num_downs - 1
    place = 0 if outermost else 1
    yield from _kernel(f"{path}.{place}", layers[f"down_{level}"])
    if not outermost and not innermost:
        place += 1
        yield from _norm(f"{path}.{place}", layers.get(f"down_{level}_norm"))
    if not innermost:
        place += 1
        yield from _plain_unet(layers, level + 1, f"{path}.{place}.model", num_downs, extra)
    place += 2 + extra
    yield from _kernel(f"{path}.{place}", layers[f"up_{level}"])
    if not outermost:
        yield from _norm(f"{path}.{place + 1}", layers.get(f"up_{level}_norm"))


def _unet_with_z(layers: Layers, level: int, path: str, num_downs: int, extra: int) -> Named:
    """A block has three parts: `down`, the next block as `submodule`, `up`."""
    outermost, innermost = level == 0, level == num_downs - 1
    place = 0 if outermost else 1
    yield from _kernel(f"{path}.down.{place}", layers[f"down_{level}"])
    if not outermost and not innermost:
        yield from _norm(f"{path}.down.{place + 1}", layers.get(f"down_{level}_norm"))
    if not innermost:
        yield from _unet_with_z(layers, level + 1, f"{path}.submodule", num_downs, extra)
    yield from _kernel(f"{path}.up.{1 + extra}", layers[f"up_{level}"])
    if not outermost:
        yield from _norm(f"{path}.up.{2 + extra}", layers.get(f"up_{level}_norm"))


def _resnet(layers: Layers) -> Named:
    """`ResnetGenerator`: padding, then rows of convolution, norm, activation, with the blocks between them.

    In CUT's a blur follows each halving, and comes before the convolution of each doubling.
    """

    def conv(name: str, path: str, place: int) -> Named:
        yield from _kernel(f"{path}.{place}", layers[name])
        yield from _norm(f"{path}.{place + 1}", layers.get(f"{name}_norm"))

    num_blocks = _count(layers, r"block_\d+")
    dropout = 1 if "block_0_dropout" in layers else 0
    extra = next((length for sign, length in (("up_0_blur", 1), ("up_0_resize", 2)) if sign in layers), 0)
    yield from conv("conv_in", "model", 1)
    place = 4
    for name in ("down_0", "down_1"):
        yield from conv(name, "model", place)
        yield from _blur(f"model.{place + 3}", layers.get(f"{name}_blur"))
        place += 4 if f"{name}_blur" in layers else 3
    for block in range(num_blocks):
        path = f"model.{place + block}.conv_block"
        yield from conv(f"block_{block}_conv_0", path, 1)
        yield from conv(f"block_{block}_conv_1", path, 5 + dropout)
    place += num_blocks
    for name in ("up_1", "up_0"):
        yield from _blur(f"model.{place}", layers.get(f"{name}_blur"))
        yield from conv(name, "model", place + extra)
        place += 3 + extra
    yield from _kernel(f"model.{place + 1}", layers["conv_out"])


def _patch_discriminator(layers: Layers) -> Named:
    """`NLayerDiscriminator`, in CUT's with a blur behind each halving, or BicycleGAN's `D_NLayersMulti`."""
    num_scales = _count(layers, r"scale_\d+_conv_0")
    num_convs = _count(layers, r"scale_0_conv_\d+")
    for scale in range(num_scales):
        path = "model" if num_scales == 1 else f"model_{scale}"
        place = 0
        for index in range(num_convs):
            # convolution, activation, blur; convolution, norm, activation, blur; ...
            yield from _kernel(f"{path}.{place}", layers[f"scale_{scale}_conv_{index}"])
            if 0 < index < num_convs - 1:
                yield from _norm(f"{path}.{place + 1}", layers.get(f"scale_{scale}_norm_{index}"))
            place += 3 if index else 2
            blur = layers.get(f"scale_{scale}_blur_{index}")
            yield from _blur(f"{path}.{place}", blur)
            place += 0 if blur is None else 1


def _pixel_discriminator(layers: Layers) -> Named:
    """`PixelDiscriminator`."""
    if layers["conv_0"].kernel_size != (1, 1):
        return  # the discriminator of whole images has the same names
    for index, place in enumerate((0, 2, 5)):
        yield from _kernel(f"net.{place}", layers[f"conv_{index}"])
        if index == 1:
            yield from _norm("net.3", layers.get("norm_1"))


def _projection_heads(layers: Layers) -> Named:
    """CUT's `PatchSampleF`."""
    for index in range(_count(layers, r"head_\d+_dense_0")):
        for number, place in enumerate((0, 2)):
            yield from _kernel(f"mlp_{index}.{place}", layers[f"head_{index}_dense_{number}"])


def _heads(layers: Layers) -> Named:
    yield from _kernel("fc.0", layers["mu"])
    yield from _kernel("fcVar.0", layers["logvar"])


def _resnet_encoder(layers: Layers) -> Named:
    """BicycleGAN's `E_ResNet`."""
    yield from _heads(layers)
    yield from _kernel("conv.0", layers["conv_0"])
    for block in range(1, _count(layers, r"block_\d+") + 1):
        yield from _kernel(f"conv.{block}.conv.2", layers[f"block_{block}_conv_0"])
        yield from _kernel(f"conv.{block}.conv.5.0", layers[f"block_{block}_conv_1"])
        yield from _kernel(f"conv.{block}.shortcut.1", layers[f"block_{block}_shortcut"])


def _plain_encoder(layers: Layers) -> Named:
    """BicycleGAN's `E_NLayers`."""
    for index in range(_count(layers, r"conv_\d+")):
        yield from _kernel(f"conv.{max(3 * index - 1, 0)}", layers[f"conv_{index}"])
    yield from _heads(layers)


def _sr_resnet(layers: Layers) -> Named:
    """The `Generator` of leftthomas/SRGAN: block1, a block for each residual one, the trunk's end, and the way up."""
    num_blocks = _count(layers, r"block_\d+")
    yield from _kernel("block1.0", layers["conv_in"])
    yield "block1.1.weight", layers["conv_in_prelu"].slope
    for block in range(num_blocks):
        path = f"block{block + 2}"
        yield from _kernel(f"{path}.conv1", layers[f"block_{block}_conv_0"])
        yield from _norm(f"{path}.bn1", layers[f"block_{block}_norm_0"])
        yield f"{path}.prelu.weight", layers[f"block_{block}_prelu"].slope
        yield from _kernel(f"{path}.conv2", layers[f"block_{block}_conv_1"])
        yield from _norm(f"{path}.bn2", layers[f"block_{block}_norm_1"])
    path = f"block{num_blocks + 2}"
    yield from _kernel(f"{path}.0", layers["trunk"])
    if "trunk_prelu" in layers:
        yield f"{path}.1.weight", layers["trunk_prelu"].slope
    else:
        yield from _norm(f"{path}.1", layers["trunk_norm"])
    path = f"block{num_blocks + 3}"
    num_doublings = _count(layers, r"subpixel_\d+")
    for level in range(num_doublings):
        yield from _kernel(f"{path}.{level}.conv", layers[f"subpixel_{level}"])
        yield f"{path}.{level}.prelu.weight", layers[f"subpixel_{level}_prelu"].slope
    yield from _kernel(f"{path}.{num_doublings}", layers["conv_out"])


def _sr_discriminator(layers: Layers) -> Named:
    """The `Discriminator` of leftthomas/SRGAN: convolution, activation; convolution, norm, activation; ...; a mean."""
    for index in range(_count(layers, r"conv_\d+")):
        place = max(3 * index - 1, 0)
        yield from _kernel(f"net.{place}", layers[f"conv_{index}"])
        if index:
            yield from _norm(f"net.{place + 1}", layers[f"norm_{index}"])
    if "pool" in layers:  # the dense layers of the paper have no place there
        yield from _kernel("net.24", layers["dense_0"])
        yield from _kernel("net.26", layers["dense_1"])


# By a layer that no other family has; the first one found counts.
_WALKS: Mapping[str, Callable[[Layers], Named]] = {
    "attention": attention_network,
    "block_1_shortcut": _resnet_encoder,
    "logvar": _plain_encoder,
    "head_0_dense_0": _projection_heads,
    "subpixel_0": _sr_resnet,
    "dense_0": _sr_discriminator,
    "conv_in": _resnet,
    "up_0": _unet,
    "scale_0_conv_0": _patch_discriminator,
    "conv_2": _pixel_discriminator,
}
