"""Whatever network the settings choose: it is exported, and translates pictures of any size as it does in Python."""

import numpy as np
import pytest
import tensorflow as tf
from network_choices import mixed_choices
from small_run import small, with_large_weights
from tiny_models import tiny_config

from gan_zoo.export import saved_model
from gan_zoo.layers.normalization import NORMS
from gan_zoo.models import MODELS
from gan_zoo.models.base import Translator
from gan_zoo.translation import translating
from gan_zoo.translation.labels import first_label

# Of discriminators, which no export has, or of what the networks learn.
NOT_EXPORTED = {"discriminator_type", "discriminator_norm", "discriminator_head"}
NOT_EXPORTED |= {"discriminators", "conditional", "shared_discriminator", "objective"}
NOT_EXPORTED |= {"negatives", "head", "identity_nce", "flip_equivariance"}
# Colorization's U-Net is pix2pix': of it one is enough, a bilinear one.
SIZES = [(40, 33), (32, 64)]  # the first is padded


def choices() -> dict[str, tuple[str, object]]:
    found = {}
    for name in MODELS:
        if name in ("fastcut", "cyclegan"):  # whose networks are CUT's, and pix2pix'
            continue
        if name in ("discogan", "dualgan"):
            chosen = list(mixed_choices(name, NOT_EXPORTED, most=2))
            own = MODELS[name].config_class().generator_type  # the others are pix2pix'
            chosen = [(changes, config) for changes, config in chosen if changes["generator_type"] == own]
        elif name == "cut":
            chosen = list(mixed_choices(name, NOT_EXPORTED, most=2))  # the other norms are pix2pix'
        else:
            chosen = list(mixed_choices(name, NOT_EXPORTED))
        if name == "colorization":
            of_unet = [pair for pair in chosen if pair[0]["generator_type"] == "unet"]
            chosen = [pair for pair in chosen if pair not in of_unet[1:]]
        for changes, config in chosen:
            found["-".join([name, *map(str, changes.values())])] = (name, config)
    return found


CHOICES = choices()


def together(translators: list[Translator]) -> Translator:
    """One that answers with the pictures, and the z, of all, one behind the other in the batch: one export for all.

    Of enlarged pictures it gives as many pixels as the others have.
    """

    def function(image: tf.Tensor) -> tf.Tensor:
        answers = []
        for each in translators:
            noise = [translating.no_noise(each, tf.shape(image)[0])] if translating.takes_noise(each) else []
            if each.labels:
                noise = [first_label(each, tf.shape(image)[0])]
            answer = each.function(image[..., : each.input_channels], *noise)
            answers.append(answer[:, :: each.scale, :: each.scale])
        return tf.concat(answers, axis=0)

    def encode(image: tf.Tensor) -> list[tf.Tensor]:
        pairs = [each.encode(image) for each in translators if each.encode is not None]
        return [tf.concat(values, axis=0) for values in zip(*pairs, strict=True)]

    return Translator(
        function=function,
        encode=encode,
        networks={},
        input_channels=3,
        output_channels=3,
        image_size=32,
        size_multiple=max(each.size_multiple for each in translators),
    )


@pytest.fixture(scope="module")
def answers(tmp_path_factory) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each size what the export and what Python answer, `[choices, H, W, 3]`."""
    models = [with_large_weights(MODELS[name](config)) for name, config in CHOICES.values()]
    translator = together([next(iter(model.translators.values())) for model in models])
    # So large a graph is used so rarely that making it faster takes the longest.
    before = tf.config.optimizer.get_experimental_options()
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    try:
        path = saved_model.export({"translate": translator}, tmp_path_factory.mktemp("export"), 1)
        loaded = tf.saved_model.load(str(path)).signatures
        found = []
        for size in SIZES:
            image = tf.constant(np.random.default_rng(0).integers(0, 256, (1, *size, 3), np.uint8))
            pair = (loaded["serving_default"](image=image)["translation"], translating.translate(translator, image))
            found.append(tuple(np.array(pictures, int) for pictures in pair))
        styles = loaded["encode"](image=image)
    finally:
        tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": False} | before)
    for key, expected in zip(("mu", "logvar"), translating.encode(translator, image), strict=True):
        np.testing.assert_allclose(styles[key], expected, atol=1e-4)
    return found


@pytest.mark.parametrize("choice", CHOICES)
def test_a_choice_is_exported_and_translates_two_sizes(choice, answers) -> None:
    place = list(CHOICES).index(choice)
    for size, (exported, expected) in zip(SIZES, answers, strict=True):
        assert exported.shape == expected.shape == (len(CHOICES), *size, 3)
        difference = np.abs(exported[place] - expected[place])
        # Other kernels round otherwise: a value at the edge of two levels may take the one beside.
        assert difference.max() <= 1 and (difference > 0).mean() < 0.02
        assert expected[place].std() > 1  # a picture, not a grey area that anything would equal


def test_every_value_occurs_and_noise_too() -> None:
    configs = [config for _, config in CHOICES.values()]
    for kind in ("unet", "resnet"):
        of_kind = [config for name, config in CHOICES.values() if name == "pix2pix" and config.generator_type == kind]
        assert {config.norm for config in of_kind} == set(NORMS)
        assert {config.upsampling for config in of_kind} == {"transposed", "bilinear"}
    assert any(getattr(config, "takes_seed", False) for config in configs)
    assert {config.encoder_type for config in configs if hasattr(config, "encoder_type")} == {"resnet", "plain"}


@pytest.mark.parametrize("name", MODELS)
def test_a_second_size_needs_no_other_graph_than_translate_makes(name) -> None:
    bilinear = {"upsampling": "bilinear"} if hasattr(tiny_config(name), "upsampling") else {}
    translator = next(iter(small(name, **bilinear).translators.values()))
    translate = tf.function(lambda image: translating.translate(translator, image), reduce_retracing=True)
    for height, width in (*SIZES, (50, 70)):
        answer = translate(tf.zeros([1, height, width, translator.input_channels], tf.uint8))
        assert answer.shape == (1, height * translator.scale, width * translator.scale, 3)
    # The first size, then any.
    assert translate.experimental_get_tracing_count() == 2
