"""StarGAN's settings, losses in closed form, the turns of its generator, and what images are asked for."""

import itertools

import keras
import numpy as np
import pytest
import tensorflow as tf
from run_arrays import arrays
from tiny_models import built, noise_batch, tiny_config
from tiny_runs import run_train, use_eight_pictures

from gan_zoo.errors import UserError
from gan_zoo.learning.noise import example_noise
from gan_zoo.learning.schedules import EpochSchedule, TurnSchedule
from gan_zoo.models.labelled import asked_for
from gan_zoo.models.stargan import StarGAN, StarGANConfig

REFUSED = [
    ({"attributes": "a,b"}, "classes and attributes are both given"),
    ({"classes": "red,red"}, "classes=red,red: give names, each once"),
    ({"classes": "red,"}, "classes=red,: give names, each once"),
    ({"classes": "red"}, "classes=red: give two at least"),
    ({"classes": None, "attributes": "a,b", "exclusive": "a,c"}, "exclusive=a,c: c is no attribute; there are a, b"),
    ({"classes": None, "attributes": "a,b,c", "exclusive": "a,b;b,c"}, "an attribute can be in one group"),
    ({"input_channels": 1}, "input_channels=1 and target_channels=3"),
    ({"image_size": 34}, "image_size=34: give a multiple of 4"),
    ({"discriminator_layers": 6}, "discriminator_layers=6 need 64 px"),
    ({"preprocess": "none", "batch_size": 1}, "the discriminator takes one size"),
    ({"learning_rate": 0.0, "discriminator_learning_rate": 0.1}, "needs a learning_rate that is not 0"),
]


@pytest.mark.parametrize(("changes", "message"), REFUSED)
def test_what_cannot_be(changes, message) -> None:
    with pytest.raises(UserError, match=message):
        StarGAN(tiny_config("stargan", **changes))


def test_what_has_no_effect_and_what_is_needed() -> None:
    assert tiny_config("stargan").idle.keys() == {"direction", "exclusive", "decay_every", "decay_factor"}
    other = tiny_config("stargan", classes=None, attributes="a,b", gan_mode="hinge")
    assert other.idle.keys() == {"direction", "lambda_gradient_penalty", "decay_every", "decay_factor"}
    with pytest.raises(UserError, match="the names of the labels are needed: give --set classes="):
        StarGAN(StarGANConfig())


def test_every_size_that_is_chosen_reaches_the_networks() -> None:
    """Weights counted by hand: 3 channels, 3 labels."""
    wider = {"base_filters": 6, "num_blocks": 2, "discriminator_filters": 5, "discriminator_layers": 3}
    for changes in [{}, wider]:
        config = tiny_config("stargan", **changes)
        model = StarGAN(config)
        generator, discriminator = model.generator, model.discriminator
        f, blocks = config.base_filters, config.num_blocks
        kernels = 49 * (3 + 3) * f + 16 * (2 + 8) * f * f + blocks * 18 * 16 * f * f + 16 * (8 + 2) * f * f + 49 * f * 3
        assert generator.count_params() == kernels + 2 * (1 + 2 + 4 + 8 * blocks + 2 + 1) * f
        gammas = [weight.numpy() for weight in generator.trainable_variables if weight.path.endswith("gamma")]
        assert len(gammas) == 5 + 2 * blocks and all((gamma == 1).all() for gamma in gammas)
        d, layers = config.discriminator_filters, config.discriminator_layers
        widths = [3, *(d * 2**level for level in range(layers))]
        hidden = sum(16 * x * y + y for x, y in itertools.pairwise(widths))
        side = config.image_size // 2**layers
        assert discriminator.count_params() == hidden + 9 * widths[-1] + 3 * side * side * widths[-1]
    bilinear = StarGAN(tiny_config("stargan", **wider, upsampling="bilinear", input_channels=1, target_channels=1))
    # 4x4 kernels become 3x3, and the image at both ends has two channels less.
    less = (16 - 9) * (8 + 2) * f * f + 2 * 49 * 2 * f
    assert generator.count_params() - bilinear.generator.count_params() == less
    assert bilinear.generator.output.shape[-1] == 1


def without_networks(config: StarGANConfig) -> StarGAN:
    model = StarGAN.__new__(StarGAN)
    keras.Model.__init__(model)
    model.config = config
    return model


LOGITS = np.array([[0.5, -1.0, 2.0], [1.5, 0.0, -0.5]], np.float32)
LABEL = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], np.float32)
SOFTMAX = np.mean(np.log(np.exp(LOGITS).sum(-1)) - (LOGITS * LABEL).sum(-1))
SIGMOID = np.mean((np.log1p(np.exp(LOGITS)) - LOGITS * LABEL).sum(-1))
PATCHES = 0.25  # of every patch
OF_MODES = {  # for an image that is to be called real by the generator; by the discriminator; a fake by it
    "wgangp": (-0.25, -0.25, 0.25),
    "lsgan": (0.75**2, 0.75**2, 0.25**2),
    "vanilla": (np.log1p(np.exp(-0.25)), np.log1p(np.exp(-0.25)), np.log1p(np.exp(0.25))),
    "hinge": (-0.25, 0.75, 1.25),
}


@pytest.mark.parametrize("mode", OF_MODES)
@pytest.mark.parametrize("labels", ["classes", "attributes"])
def test_losses_in_closed_form(mode, labels) -> None:
    names = {"classes": None, labels: "a,b,c"}
    weights = {"lambda_classification": 3.0, "lambda_reconstruction": 5.0}
    more = {"lambda_gradient_penalty": 7.0} if mode == "wgangp" else {}
    found = {}
    for seed in (0, 1):
        model = without_networks(tiny_config("stargan", **names, **weights, **more, gan_mode=mode, seed=seed))
        # Patches that all say 0.25, with the image as their slope.
        model._judge = lambda image: [PATCHES + tf.square(image) / 2 - tf.stop_gradient(tf.square(image)) / 2, LOGITS]
        random = np.random.default_rng(0)
        image, fake = (tf.constant(random.uniform(-0.1, 0.1, (2, 4, 4, 3)), tf.float32) for _ in range(2))
        index = tf.constant([5, 8], tf.int64)
        judgement = [tf.fill([2, 4, 4, 1], PATCHES), tf.constant(LOGITS)]
        generator = model.generator_losses(image, image + 0.5, tf.constant(LABEL), judgement)
        discriminator = model.discriminator_losses(image, fake, tf.constant(LABEL), index)
        classification = SOFTMAX if labels == "classes" else SIGMOID
        gan, real, of_fake = OF_MODES[mode]
        expected = {"gan": gan, "classification_fake": 3.0 * classification, "reconstruction": 5.0 * 0.5}
        assert {key: float(value) for key, value in generator.items()} == pytest.approx(expected, rel=1e-5)
        expected = {"discriminator_real": real, "discriminator_fake": of_fake}
        expected["classification_real"] = 3.0 * classification
        if mode == "wgangp":
            alpha = example_noise((seed, 40), index, 1, uniform=True).numpy()[:, :, np.newaxis, np.newaxis]
            mixture = alpha * image + (1 - alpha) * fake
            norms = np.sqrt(np.sum(np.square(mixture), axis=(1, 2, 3)))
            expected["gradient_penalty"] = 7.0 * np.mean((norms - 1) ** 2)
        # The square and its copy leave a few units in the last place of 0.25.
        assert {key: float(value) for key, value in discriminator.items()} == pytest.approx(expected, rel=1e-4)
        found[seed] = discriminator
    if mode == "wgangp":
        assert float(found[0]["gradient_penalty"]) != float(found[1]["gradient_penalty"])


def test_rates_are_those_of_the_run_for_both() -> None:
    settings = {"n_critic": 3, "learning_rate": 0.5}
    model = without_networks(tiny_config("stargan", **settings, discriminator_learning_rate=0.25))
    assert model.learning_rate_of("generator", 0.5) == 0.5
    assert model.learning_rate_of("discriminator", 0.1) == pytest.approx(0.05)
    schedule = EpochSchedule(np.array([1.0, 2.0, 3.0]), 4)
    of_generator, of_discriminator = (model.learning_rate_of(name, schedule) for name in ("generator", "discriminator"))
    # Its steps 0, 1, 2 are the steps 2, 5, 8 of the run, of epochs of four steps.
    assert [float(of_generator(step)) for step in range(4)] == [1.0, 2.0, 3.0, 3.0]
    assert [float(of_discriminator(step)) for step in (0, 3, 4, 8)] == [0.5, 0.5, 1.0, 1.5]
    assert TurnSchedule.from_config(of_generator.get_config())(1) == 2.0
    assert without_networks(tiny_config("stargan")).learning_rate_of("discriminator", schedule) is schedule


@pytest.fixture
def eagerly():
    """For a few steps that is faster; `tests/test_strategy.py` has both turns as graphs."""
    tf.config.run_functions_eagerly(True)
    yield
    tf.config.run_functions_eagerly(False)


def test_the_generator_learns_in_every_third_step_and_where_a_run_goes_on_too(tmp_path, monkeypatch, eagerly) -> None:
    use_eight_pictures(monkeypatch, n_critic=3)
    words = ["--model=stargan", "--dataset=eight", "--log_every=1", "--sample_every=0", "--evaluate_every=0"]
    whole = run_train(*words, f"--workdir={tmp_path / 'whole'}", "--steps=4", "--set=schedule=constant")
    assert whole.code == 0, whole
    with_generator = ["reconstruction" in line for line in whole.out.splitlines() if line.startswith("epoch")]
    assert with_generator == [False, False, True, False]
    for steps in (2, 4):
        result = run_train(*words, f"--workdir={tmp_path / 'parts'}", f"--steps={steps}", "--set=schedule=constant")
        assert result.code == 0, result
    one, other = arrays(tmp_path / "whole"), arrays(tmp_path / "parts")
    assert one.keys() == other.keys()
    assert not [name for name in one if np.asarray(one[name]).tobytes() != np.asarray(other[name]).tobytes()]


def test_fakes_are_of_the_label_that_was_asked_for_and_go_back_to_their_own() -> None:
    model = built("stargan")
    batch, seen = noise_batch(model.config), []
    network = model.generator

    class Recorded:
        """The generator, which remembers the labels."""

        trainable_variables = network.trainable_variables

        def __call__(self, inputs, training):
            seen.append(np.asarray(inputs[1]))
            return network(inputs, training=training)

    model.__dict__["generator"], model.apply_gradients = Recorded(), lambda *_: None
    model.train_step(batch)
    assert len(seen) == 3
    for found, key in zip(seen, ("target_label", "target_label", "label"), strict=True):
        np.testing.assert_array_equal(found, batch[key])


def test_several_groups_of_attributes_exclude_each_other() -> None:
    config = tiny_config("stargan", classes=None, attributes="a,b,c,d,e", exclusive="a, b;c,d")
    asked = asked_for(config, tf.constant([[1.0, 0, 1, 0, 1]]))
    np.testing.assert_array_equal(
        asked[0], [[1, 0, 1, 0, 1], [0, 1, 1, 0, 1], [1, 0, 1, 0, 1], [1, 0, 0, 1, 1], [1, 0, 1, 0, 0]]
    )
    np.testing.assert_array_equal(asked_for(tiny_config("stargan"), tf.eye(2, 3)), [np.eye(3)] * 2)


def test_the_plateau_watches_the_way_there_and_back() -> None:
    model = without_networks(tiny_config("stargan"))
    model.translate = lambda image, label: image + label[:, :1, None, None] + 3 * label[:, 1:2, None, None]
    batch = {"input_image": tf.zeros([2, 4, 4, 3]), "label": tf.constant([[0.0, 1, 0], [0, 0, 1]])}
    # There with the first label, 1; back with their own, 3 and 0.
    assert float(model.validation_l1(batch)) == pytest.approx((4 + 1) / 2)
