"""SRGAN against arrays recorded from leftthomas/SRGAN (7ddfdf2, b0323c6) and torchvision's VGG19.

Their images are in [0, 1]; of large ones the recordings hold every third pixel of every third row. Gradients and
updates are compared in float64, see `test_bicyclegan_parity.py`.
"""

import pathlib

import numpy as np
import pytest
import tensorflow as tf
from authors_weights import assign
from drawn_weights import drawn_weights

from gan_zoo.authors_weights.names import BATCHES, torch_variables
from gan_zoo.learning.losses import squared_loss
from gan_zoo.models.srgan import SRGAN, SRGANConfig
from gan_zoo.networks.perceptual import VGGFeatures

PARITY = pathlib.Path(__file__).parents[1] / "parity"
# What makes ours theirs; the weight 1e-3 of the adversarial loss is the paper's too.
SCRIPTS = {
    "loss": "scripts",
    "num_blocks": 5,
    "discriminator_head": "pool",
    "learning_rate": 1e-3,
    "batch_size": 2,
    "pretrain_epochs": 0,
}
LOSSES = {"image": "pixels", "adversarial": "gan", "tv": "total_variation"}
WEIGHTS = {"image": 1.0, "adversarial": 1e-3, "tv": 2e-8}
NETWORKS = {"G": "generator", "D": "discriminator"}


def relative_error(ours, theirs) -> float:
    """The largest absolute error over the largest absolute value."""
    return float(np.max(np.abs(np.asarray(ours) - theirs)) / np.max(np.abs(theirs)))


def in_our_range(image: np.ndarray) -> tf.Tensor:
    return tf.constant(2.0 * image.astype(np.float64) - 1.0)


def in_their_range(image: tf.Tensor) -> np.ndarray:
    return (image.numpy()[:, ::3, ::3] + 1.0) / 2.0


@pytest.mark.parametrize(("name", "trunk_end"), [("srgan_bn", "norm"), ("srgan_prelu", "prelu")])
def test_losses_gradients_and_two_updates_in_float64(name, trunk_end, float64) -> None:
    recorded = np.load(PARITY / f"{name}.npz")
    model = SRGAN(SRGANConfig(trunk_end=trunk_end, **SCRIPTS))
    model.compile()
    variables = {}
    for theirs, ours in NETWORKS.items():
        network = model.networks[ours]
        counts = {key: None for key in torch_variables(network) if key.endswith(BATCHES)}
        variables[theirs] = assign(network, drawn_weights(recorded, f"{name}.{theirs}.") | counts)
    norms, fakes = {}, []

    def remember(network: str, gradients: list[tf.Tensor]) -> None:
        for variable, gradient in zip(model.networks[network].trainable_variables, gradients, strict=True):
            norms.setdefault(id(variable), float(tf.norm(gradient)))
        type(model).apply_gradients(model, network, gradients)

    def generator_losses(target_image: tf.Tensor, fake_image: tf.Tensor, fake_logits: list[tf.Tensor]) -> dict:
        fakes.append(fake_image)
        return SRGAN.generator_losses(model, target_image, fake_image, fake_logits)

    model.apply_gradients, model.generator_losses = remember, generator_losses
    for step in (0, 1):
        batch = {key: in_our_range(recorded[f"{key}/{step}"]) for key in ("input_image", "target_image")}
        logs = {key: float(value) for key, value in model.train_step(batch).items()}
        values = dict(zip(recorded["loss_names"], recorded["losses"][step].tolist(), strict=True))
        for theirs, ours in LOSSES.items():
            assert logs[ours] == pytest.approx(WEIGHTS[theirs] * values[theirs], rel=1e-5), (step, theirs)
        assert logs["discriminator_real"] == pytest.approx(1.0 - values["D_real"], rel=1e-5), step
        assert logs["discriminator_fake"] == pytest.approx(values["D_fake"], rel=1e-5), step
    assert relative_error(in_their_range(fakes[0]), recorded["step0/fake"]) < 1e-6

    compared = 0
    for theirs, by_name in variables.items():
        prefix = f"step0/grad_norm/{theirs}/"
        of_network = {
            key.removeprefix(prefix): float(recorded[key]) for key in recorded.files if key.startswith(prefix)
        }
        # Below that, gradients are zero by construction (a bias before a batch norm) and hold rounding noise.
        floor = 1e-4 * max(of_network.values())
        for key, value in of_network.items():
            if value > floor:
                assert norms[id(by_name[key])] == pytest.approx(value, rel=1e-5), (theirs, key)
                compared += 1
    assert compared > 60

    after = model.generator(in_our_range(recorded["input_image/0"]), training=True)
    assert relative_error(in_their_range(after), recorded["after/fake"]) < 1e-4
    real = model.discriminator(in_our_range(recorded["target_image/0"]), training=True)
    # Through Adam, whose first steps are the signs of gradients.
    assert relative_error(tf.reshape(real, [-1]), recorded["after/D_real_logit"]) < 1e-4
    fake = model.discriminator(fakes[0], training=True)
    assert relative_error(tf.reshape(fake, [-1]), recorded["after/D_fake_logit"]) < 1e-4


def test_the_features_are_torchvisions_and_so_is_the_gradient_of_their_loss(float64) -> None:
    recorded = np.load(PARITY / "srgan_vgg54.npz")
    features = VGGFeatures("vgg54", drawn_weights(recorded, "vgg19."))
    truth, fake = (in_our_range(recorded[key]) for key in ("hr", "sr"))
    with tf.GradientTape() as tape:
        tape.watch(fake)
        of_fake = features(fake)
        loss = squared_loss(of_fake, features(truth))
    assert relative_error(12.75 * of_fake, recorded["relu5_4_sr"]) < 1e-5
    assert float(loss) == pytest.approx(float(recorded["loss"]), rel=1e-5)
    gradient = 2.0 * tape.gradient(loss, fake)[:, ::3, ::3]
    assert relative_error(gradient, recorded["grad_sr"]) < 1e-5
