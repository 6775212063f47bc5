"""A tiny BicycleGAN as a run on disk, with weights so large that z, the image and rounding all show in its output.

And translators without a model: one that takes seeds, and two that lead to each other.
"""

import pathlib

import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny_runs import TINY

import command_line
import translate
from gan_zoo.images import decode_image
from gan_zoo.models import MODELS
from gan_zoo.models.base import TranslationModel, Translator
from gan_zoo.models.bicyclegan import BicycleGAN, BicycleGANConfig
from gan_zoo.runs.checkpoints import Checkpoints
from gan_zoo.runs.record import Run

STEP = 12
_RANDOM = np.random.default_rng(0)


def small_model(seed: int = 0, **settings) -> BicycleGAN:
    config = BicycleGANConfig(
        image_size=32,
        base_filters=4,
        encoder_filters=4,
        discriminator_filters=4,
        discriminator_layers=1,
        latent_dim=3,
        **settings,
    )
    return with_large_weights(BicycleGAN(config), seed)


def with_large_weights(model: TranslationModel, seed: int = 0) -> TranslationModel:
    generator = tf.random.Generator.from_seed(seed)
    for network in model.networks.values():
        for variable in network.trainable_variables:
            variable.assign(generator.normal(variable.shape, stddev=0.2))
    return model


def small(name: str, **settings) -> TranslationModel:
    """Any model of the zoo."""
    return with_large_weights(MODELS[name](MODELS[name].config_class.from_dict(TINY[name] | settings)))


def save_run(workdir: pathlib.Path, model: TranslationModel, step: int = STEP, name: str = "bicyclegan") -> None:
    """Writes what `train.py` would have left after `step` steps."""
    model.compile()
    run = Run(model=name, dataset="shapes", data_dir=None, settings=model.config.to_dict())
    workdir.mkdir(parents=True, exist_ok=True)
    run.write(workdir)
    Checkpoints(workdir, model, run).save(step)


def seeded_translator() -> Translator:
    """Shifts each image by a colour that its seed alone decides, between the two convolutions of its network."""
    first, second = (keras.layers.Conv2D(3, 3, padding="same", kernel_initializer=_normal(n)) for n in (1, 2))
    picture, shift = keras.Input((None, None, 3)), keras.Input((3,))
    network = keras.Model([picture, shift], keras.ops.tanh(second(first(picture) + shift[:, None, None])))

    def colour(seed: tf.Tensor) -> tf.Tensor:
        return tf.random.stateless_normal([3], [seed, 0], alg="philox")

    def function(image: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
        assert seed.dtype == tf.int64
        return network([image, tf.map_fn(colour, seed, fn_output_signature=tf.float32)])

    sizes = {"input_channels": 3, "output_channels": 3, "image_size": 16, "size_multiple": 8}
    return Translator(function=function, networks={"generator": network}, takes_seed=True, **sizes)


def there_and_back() -> dict[str, Translator]:
    """From grey (`a`) to colour (`b`), and the other way."""
    networks = {}
    for seed, (name, channels, filters) in enumerate([("generator_a_to_b", 1, 3), ("generator_b_to_a", 3, 1)]):
        picture = keras.Input((None, None, channels))
        convolution = keras.layers.Conv2D(
            filters, 3, padding="same", activation="tanh", kernel_initializer=_normal(seed)
        )
        networks[name] = keras.Model(picture, convolution(picture))

    def translator(forth: str, back: str, channels: tuple[int, int], input_key: str) -> Translator:
        return Translator(
            function=networks[forth],
            cycle=lambda image: networks[back](networks[forth](image)),
            networks={forth: networks[forth], back: networks[back]},
            input_channels=channels[0],
            output_channels=channels[1],
            image_size=16,
            size_multiple=4,
            input_key=input_key,
            target_key=None,
        )

    a, b = networks
    return {"a_to_b": translator(a, b, (1, 3), "input_image"), "b_to_a": translator(b, a, (3, 1), "target_image")}


def _normal(seed: int) -> keras.initializers.Initializer:
    return keras.initializers.RandomNormal(stddev=0.5, seed=seed)


def picture(height: int, width: int, channels: int = 3) -> np.ndarray:
    return _RANDOM.integers(0, 256, (height, width, channels), np.uint8)


def run_translate(capsys, *arguments: object) -> tuple[int, str, str]:
    """Runs translate.py in this process: exit code, stdout, stderr."""
    argv = ["translate.py", *map(str, arguments)]
    with pytest.raises(SystemExit) as leaving:
        command_line.run(translate.main, translate.define_flags(), translate.USAGE, argv=argv)
    return leaving.value.code, *capsys.readouterr()


def read(path) -> np.ndarray:
    return decode_image(path.read_bytes())
