"""Learning steps of every network with few filters; run by test_small_filters, since what it looks for is a crash."""

import json
from collections.abc import Iterator
from typing import Any

import keras
import tensorflow as tf
from network_choices import network_choices

from gan_zoo.layers.convolutions import StridedConv1x1
from gan_zoo.models import MODELS, colorization, parts

SIDE = 64
FILTERS = (4, 8, 12)
# They change no convolution's channels or strides: once, with the fewest filters, is enough.
ONCE = {"norm", "discriminator_norm", "dropout", "blur", "encoder", "hints"}
# They only say what networks there are, what they are fed, and what they are for.
OF_MODELS = {"inference_mode", "shared_discriminator", "objective", "conditional"}


def networks(name: str, config: Any) -> Iterator[keras.Model]:
    """Those of a model, each once: CycleGAN's are pix2pix', and so are colorization's U-Net and discriminators."""
    if name in ("bicyclegan", "srgan", "stargan"):
        yield from MODELS[name](config).networks.values()
        return
    settings = config.to_dict()
    of_generator = {key: value for key, value in settings.items() if not key.startswith("discriminator")}
    of_discriminator = {key: value for key, value in settings.items() if key not in of_generator}
    if name == "colorization":
        if config.generator_type != "unet" and _new(of_generator):
            yield colorization.build_generator(config)
        return
    if _new(of_generator):
        yield parts.build_generator(config, 3, 3, "generator")
    if _new(of_discriminator):
        yield parts.build_discriminator(config, 3, "discriminator")


_seen: set[str] = set()


def _new(settings: dict[str, Any]) -> bool:
    key = json.dumps(settings, sort_keys=True)
    new = key not in _seen
    _seen.add(key)
    return new


def learn(network: keras.Model) -> None:
    """Forwards and backwards through all of a network, in training."""
    inputs = [
        tf.zeros([2], tf.int64) if given.dtype == "int64" else tf.ones([2, *(side or SIDE for side in given.shape[1:])])
        for given in network.inputs
    ]
    with tf.GradientTape() as tape:
        tape.watch(inputs[0])
        outputs = keras.tree.flatten(network(inputs if len(inputs) > 1 else inputs[0], training=True))
        loss = tf.add_n([tf.reduce_sum(output) for output in outputs])
    gradients = tape.gradient(loss, [inputs[0], *(weight.value for weight in network.trainable_variables)])
    assert all(gradient.shape.is_fully_defined() for gradient in gradients if gradient is not None)


def strided_1x1(network: keras.Model) -> list[str]:
    """The layers that are the trap which `StridedConv1x1` avoids."""
    layers = network._flatten_layers(include_self=False)
    convolutions = [layer for layer in layers if isinstance(layer, keras.layers.Conv2D)]
    return [
        layer.name
        for layer in convolutions
        if layer.kernel_size == (1, 1) and layer.strides != (1, 1) and not isinstance(layer, StridedConv1x1)
    ]


def main() -> None:
    learnt, trapped = [], []
    for filters in FILTERS:
        for name in ("pix2pix", "colorization", "bicyclegan", "srgan"):
            fields = MODELS[name].config_class.__dataclass_fields__
            widths = dict.fromkeys((field for field in fields if field.endswith("_filters")), filters)
            skipped = OF_MODELS | (ONCE if filters > min(FILTERS) else set())
            for changes, config in network_choices(name, {"image_size": SIDE} | widths, skipped):
                for network in networks(name, config):
                    learn(network)
                    trapped += [(name, changes, layer) for layer in strided_1x1(network)]
                    learnt.append((name, changes, network.name, filters))
    print(json.dumps({"learnt": learnt, "trapped": trapped}))


if __name__ == "__main__":
    main()
