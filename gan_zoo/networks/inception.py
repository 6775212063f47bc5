"""The Inception of FID and KID: the network that Google published on 2015-12-05, not the Inception v3 of Keras.

Szegedy et al. 2015 (arXiv 1512.00567), as the graph that the authors of FID use has it, with the tensors' names that it
got in PyTorch (torchvision's, in pytorch-fid and torch-fidelity). What differs from torchvision's Inception v3: 1008
classes, average pooling that leaves the padding out, and a maximum instead of an average in the last block.
"""

from collections.abc import Callable, Mapping

import keras
import numpy as np

from gan_zoo.errors import UserError

SIZE = 299  # pixels, squared
NUM_CLASSES = 1008
EPSILON = 0.001  # of the batch norms
BATCH_NORM = ("bn.weight", "bn.bias", "bn.running_mean", "bn.running_var")

Convolution = Callable[..., keras.KerasTensor]


def fid_inception(state: Mapping[str, np.ndarray]) -> keras.Model:
    """Builds the network with its weights: there is none without them, since features of random weights mean nothing.

    Args:
        state: PyTorch's tensors by name (`Mixed_5b.branch1x1.conv.weight`), as `gan_zoo.pretrained.torch_files` reads
            them. The classifier `fc.*` and the numbers of batches are not used.

    Returns:
        A model from `[B, 299, 299, 3]` float32 in [0, 255] (for how to get there from other sizes, see
        `gan_zoo.metrics.features.inception`) to a dict of features averaged over the image: `"64"`, `"192"`, `"768"`,
        `"2048"`, each `[B, that number]`. FID and KID are defined on the last.

    Raises:
        UserError: if tensors are missing or have other shapes, or belong to torchvision's Inception v3.
    """
    if "fc.weight" in state and len(state["fc.weight"]) != NUM_CLASSES:
        raise UserError(
            f"these are the weights of another Inception, of {len(state['fc.weight'])} classes; FID is defined by the "
            f"one of 2015-12-05, which has {NUM_CLASSES}"
        )
    layers: dict[str, keras.layers.Conv2D] = {}

    def conv(
        x: keras.KerasTensor,
        name: str,
        filters: int,
        kernel: int | tuple[int, int],
        *,
        strides: int = 1,
        pad: bool = True,
    ) -> keras.KerasTensor:
        layers[name] = keras.layers.Conv2D(
            filters,
            kernel,
            strides=strides,
            padding="same" if pad else "valid",
            activation="relu",
            kernel_initializer="zeros",
            name=name.replace(".", "_"),
        )
        return layers[name](x)

    image = keras.Input((SIZE, SIZE, 3), name="image")
    network = keras.Model(image, _features(image, conv), name="fid_inception")
    load_folded(layers, state)
    network.trainable = False
    return network


def _features(image: keras.KerasTensor, conv: Convolution) -> dict[str, keras.KerasTensor]:
    features = {}

    def keep(x: keras.KerasTensor) -> None:
        features[str(x.shape[-1])] = keras.layers.GlobalAveragePooling2D()(x)

    x = keras.layers.Rescaling(1 / 128, offset=-1.0)(image)
    x = conv(x, "Conv2d_1a_3x3", 32, 3, strides=2, pad=False)  # [B, 149, 149, 32]
    x = conv(x, "Conv2d_2a_3x3", 32, 3, pad=False)
    x = conv(x, "Conv2d_2b_3x3", 64, 3)
    x = _halve(x)  # [B, 73, 73, 64]
    keep(x)
    x = conv(x, "Conv2d_3b_1x1", 80, 1)
    x = conv(x, "Conv2d_4a_3x3", 192, 3, pad=False)
    x = _halve(x)  # [B, 35, 35, 192]
    keep(x)
    for name, pooled in (("Mixed_5b", 32), ("Mixed_5c", 64), ("Mixed_5d", 64)):
        x = _block_35(x, conv, name, pooled)
    x = _to_17(x, conv, "Mixed_6a")  # [B, 17, 17, 768]
    for name, width in (("Mixed_6b", 128), ("Mixed_6c", 160), ("Mixed_6d", 160), ("Mixed_6e", 192)):
        x = _block_17(x, conv, name, width)
    keep(x)
    x = _to_8(x, conv, "Mixed_7a")  # [B, 8, 8, 1280]
    x = _block_8(x, conv, "Mixed_7b", _mean)
    x = _block_8(x, conv, "Mixed_7c", _maximum)
    keep(x)
    return features


def _block_35(x: keras.KerasTensor, conv: Convolution, name: str, pooled: int) -> keras.KerasTensor:
    ones = conv(x, f"{name}.branch1x1", 64, 1)
    fives = conv(x, f"{name}.branch5x5_1", 48, 1)
    fives = conv(fives, f"{name}.branch5x5_2", 64, 5)
    threes = conv(x, f"{name}.branch3x3dbl_1", 64, 1)
    threes = conv(threes, f"{name}.branch3x3dbl_2", 96, 3)
    threes = conv(threes, f"{name}.branch3x3dbl_3", 96, 3)
    return _join(ones, fives, threes, conv(_mean(x), f"{name}.branch_pool", pooled, 1))


def _to_17(x: keras.KerasTensor, conv: Convolution, name: str) -> keras.KerasTensor:
    threes = conv(x, f"{name}.branch3x3", 384, 3, strides=2, pad=False)
    twice = conv(x, f"{name}.branch3x3dbl_1", 64, 1)
    twice = conv(twice, f"{name}.branch3x3dbl_2", 96, 3)
    twice = conv(twice, f"{name}.branch3x3dbl_3", 96, 3, strides=2, pad=False)
    return _join(threes, twice, _halve(x))


def _block_17(x: keras.KerasTensor, conv: Convolution, name: str, width: int) -> keras.KerasTensor:
    ones = conv(x, f"{name}.branch1x1", 192, 1)
    sevens = conv(x, f"{name}.branch7x7_1", width, 1)
    sevens = conv(sevens, f"{name}.branch7x7_2", width, (1, 7))
    sevens = conv(sevens, f"{name}.branch7x7_3", 192, (7, 1))
    twice = conv(x, f"{name}.branch7x7dbl_1", width, 1)
    twice = conv(twice, f"{name}.branch7x7dbl_2", width, (7, 1))
    twice = conv(twice, f"{name}.branch7x7dbl_3", width, (1, 7))
    twice = conv(twice, f"{name}.branch7x7dbl_4", width, (7, 1))
    twice = conv(twice, f"{name}.branch7x7dbl_5", 192, (1, 7))
    return _join(ones, sevens, twice, conv(_mean(x), f"{name}.branch_pool", 192, 1))


def _to_8(x: keras.KerasTensor, conv: Convolution, name: str) -> keras.KerasTensor:
    threes = conv(x, f"{name}.branch3x3_1", 192, 1)
    threes = conv(threes, f"{name}.branch3x3_2", 320, 3, strides=2, pad=False)
    sevens = conv(x, f"{name}.branch7x7x3_1", 192, 1)
    sevens = conv(sevens, f"{name}.branch7x7x3_2", 192, (1, 7))
    sevens = conv(sevens, f"{name}.branch7x7x3_3", 192, (7, 1))
    sevens = conv(sevens, f"{name}.branch7x7x3_4", 192, 3, strides=2, pad=False)
    return _join(threes, sevens, _halve(x))


def _block_8(
    x: keras.KerasTensor, conv: Convolution, name: str, pool: Callable[[keras.KerasTensor], keras.KerasTensor]
) -> keras.KerasTensor:
    ones = conv(x, f"{name}.branch1x1", 320, 1)
    threes = conv(x, f"{name}.branch3x3_1", 384, 1)
    wide, high = conv(threes, f"{name}.branch3x3_2a", 384, (1, 3)), conv(threes, f"{name}.branch3x3_2b", 384, (3, 1))
    twice = conv(x, f"{name}.branch3x3dbl_1", 448, 1)
    twice = conv(twice, f"{name}.branch3x3dbl_2", 384, 3)
    twice_wide = conv(twice, f"{name}.branch3x3dbl_3a", 384, (1, 3))
    twice_high = conv(twice, f"{name}.branch3x3dbl_3b", 384, (3, 1))
    return _join(ones, wide, high, twice_wide, twice_high, conv(pool(x), f"{name}.branch_pool", 192, 1))


def _join(*branches: keras.KerasTensor) -> keras.KerasTensor:
    return keras.layers.Concatenate()(list(branches))


def _halve(x: keras.KerasTensor) -> keras.KerasTensor:
    return keras.layers.MaxPooling2D(3, strides=2)(x)


def _mean(x: keras.KerasTensor) -> keras.KerasTensor:
    return keras.layers.AveragePooling2D(3, strides=1, padding="same")(x)  # the padding is not counted


def _maximum(x: keras.KerasTensor) -> keras.KerasTensor:
    return keras.layers.MaxPooling2D(3, strides=1, padding="same")(x)


def load_folded(layers: Mapping[str, keras.layers.Conv2D], state: Mapping[str, np.ndarray]) -> None:
    """Loads convolutions, each with the batch norm behind it, which is spared its own pass over the activations.

    Args:
        layers: built convolutions with a bias, by the name of PyTorch's pair of `conv` (without bias) and `bn`.
        state: PyTorch's tensors by name.

    Raises:
        UserError: if tensors are missing or have other shapes; nothing has been loaded then.
    """
    names = [f"{name}.{part}" for name in layers for part in ("conv.weight", *BATCH_NORM)]
    missing = [name for name in names if name not in state]
    if missing:
        shown = ", ".join(missing[:3]) + (" ..." if len(missing) > 3 else "")
        raise UserError(f"the weights of the FID Inception lack {len(missing)} of {len(names)} tensors: {shown}")
    for name, layer in layers.items():
        height, width, channels, filters = layer.kernel.shape
        shapes = {"conv.weight": (filters, channels, height, width), **dict.fromkeys(BATCH_NORM, (filters,))}
        for part, expected in shapes.items():
            if state[f"{name}.{part}"].shape != expected:
                raise UserError(f"{name}.{part} must have shape {expected}, not {state[f'{name}.{part}'].shape}")
    for name, layer in layers.items():
        gamma, beta, mean, variance = (state[f"{name}.{part}"].astype(np.float64) for part in BATCH_NORM)
        scale = gamma / np.sqrt(variance + EPSILON)
        kernel = state[f"{name}.conv.weight"].transpose(2, 3, 1, 0)  # [out, in, h, w] -> [h, w, in, out]
        layer.kernel.assign(kernel * scale)
        layer.bias.assign(beta - mean * scale)
