"""What BicycleGAN alone does: sizes, objectives, who learns from what, and what it refuses."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_zoo.errors import UserError
from gan_zoo.models.bicyclegan import BicycleGAN, BicycleGANConfig
from gan_zoo.networks.discriminators.patch_discriminator import patch_discriminator
from gan_zoo.networks.latent_encoder import resnet_encoder
from gan_zoo.networks.unet import unet

SMALL = {
    "image_size": 32,
    "base_filters": 4,
    "encoder_filters": 4,
    "discriminator_filters": 4,
    "discriminator_layers": 2,
    "batch_size": 4,
}


def small_model(**settings) -> BicycleGAN:
    keras.utils.set_random_seed(0)
    model = BicycleGAN(BicycleGANConfig(**{**SMALL, **settings}))
    model.compile()
    return model


def batch(config: BicycleGANConfig) -> dict[str, tf.Tensor]:
    random = np.random.default_rng(1)
    shape = (config.batch_size, config.image_size, config.image_size)
    return {
        "input_image": tf.constant(random.uniform(-1, 1, (*shape, config.input_channels)), tf.float32),
        "target_image": tf.constant(random.uniform(-1, 1, (*shape, config.target_channels)), tf.float32),
        "example_index": tf.range(config.batch_size, dtype=tf.int64),
    }


def moved(model: BicycleGAN, data: dict[str, tf.Tensor]) -> dict[str, bool]:
    """Which networks one step changes."""
    before = {name: [variable.numpy() for variable in net.trainable_variables] for name, net in model.networks.items()}
    model.train_step(data)
    return {
        name: any((old != new.numpy()).any() for old, new in zip(before[name], net.trainable_variables, strict=True))
        for name, net in model.networks.items()
    }


@pytest.mark.parametrize(
    ("network", "parameters"),
    [
        (lambda: unet(input_channels=3, output_channels=3, num_downs=8, latent_dim=8, z_injection="all"), 54_794_627),
        (lambda: unet(input_channels=1, output_channels=3, num_downs=8, latent_dim=8, z_injection="all"), 54_792_579),
        (lambda: resnet_encoder(input_channels=3, latent_dim=8, num_blocks=4), 2_590_032),
        (lambda: patch_discriminator(input_channels=3, num_scales=2), 2_764_737 + 694_241),
    ],
    ids=["generator", "generator of grey", "encoder", "discriminator"],
)
def test_parameter_counts_at_full_size(network, parameters) -> None:
    assert network().count_params() == parameters


@pytest.mark.parametrize(("num_layers", "field"), [(1, 16), (2, 34), (3, 70), (4, 142)])
def test_a_logit_sees_a_patch_of_the_paper(num_layers, field) -> None:
    # Without the normalization, which looks at the whole image, the gradient of one logit marks what it sees.
    network = patch_discriminator(input_channels=1, base_filters=1, num_layers=num_layers)
    plain = keras.models.clone_model(
        network,
        clone_function=lambda layer: (
            keras.layers.Identity(name=layer.name)
            if "norm" in layer.name
            else type(layer).from_config(layer.get_config())
        ),
    )
    for variable in plain.trainable_variables:
        variable.assign(tf.ones_like(variable))
    image = tf.Variable(tf.ones([1, 320, 320, 1]))
    with tf.GradientTape() as tape:
        logits = plain(image)
        logits = logits[0] if isinstance(logits, (list, tuple)) else logits
        middle = logits[0, logits.shape[1] // 2, logits.shape[2] // 2, 0]
    rows = np.flatnonzero(np.abs(tape.gradient(middle, image).numpy()[0, :, :, 0]).sum(1))
    assert rows[-1] - rows[0] + 1 == field


@pytest.mark.parametrize(
    ("settings", "networks", "losses"),
    [
        (
            {},
            {"generator", "encoder", "discriminator_encoded", "discriminator_random"},
            {"gan_encoded", "gan_random", "l1", "latent", "kl", "discriminator_encoded", "discriminator_random"},
        ),
        (
            {"shared_discriminator": True},
            {"generator", "encoder", "discriminator_encoded"},
            {"gan_encoded", "gan_random", "l1", "latent", "kl", "discriminator_encoded", "discriminator_random"},
        ),
        (
            {"objective": "cvae_gan", "batch_size": 3},
            {"generator", "encoder", "discriminator_encoded"},
            {"gan_encoded", "l1", "kl", "discriminator_encoded"},
        ),
        (
            {"objective": "clr_gan", "conditional": True},
            {"generator", "encoder", "discriminator_random"},
            {"gan_random", "latent", "discriminator_random"},
        ),
        ({"objective": "noise"}, {"generator", "discriminator_random"}, {"gan_random", "l1", "discriminator_random"}),
        (
            {"encoder_type": "plain", "upsampling": "bilinear", "z_injection": "all", "discriminator_scales": 1},
            {"generator", "encoder", "discriminator_encoded", "discriminator_random"},
            {"gan_encoded", "gan_random", "l1", "latent", "kl", "discriminator_encoded", "discriminator_random"},
        ),
    ],
    ids=["whole", "shared discriminator", "cVAE-GAN", "cLR-GAN", "noise", "other parts"],
)
def test_objectives_have_their_networks_and_losses(settings, networks, losses) -> None:
    model = small_model(**settings)
    data = batch(model.config)
    logs = model.train_step(data)
    assert set(logs) == losses
    assert all(np.isfinite(float(loss)) for loss in logs.values())
    assert moved(model, data) == dict.fromkeys(networks, True)


def test_losses_do_not_grow_with_the_batch() -> None:
    # The KL is a sum; all others are means, for one scale of the discriminators too, which Keras unpacks from its list.
    model = small_model(discriminator_scales=1)
    data = batch(model.config)
    pair = {key: tf.gather(value, [0, 2]) for key, value in data.items()}
    repeated = {key: tf.gather(value, [0, 0, 0, 2, 2, 2]) for key, value in data.items()}
    model.apply_gradients = lambda name, gradients: None
    few, many = model.train_step(pair), model.train_step(repeated)
    for name, loss in few.items():
        # The same numbers, averaged over three copies: float32 sums in another order.
        assert float(many[name]) == pytest.approx(float(loss) * (3 if name == "kl" else 1), rel=1e-5, abs=1e-9), name


def test_the_encoder_never_learns_from_reading_random_translations() -> None:
    # With all that reaches it through its own path weighted zero, the latent regression alone must leave it as it is.
    settings = {"lambda_gan_encoded": 0.0, "lambda_l1": 0.0, "lambda_kl": 0.0}
    model = small_model(**settings)
    assert moved(model, batch(model.config))["encoder"] is False
    # ... while it is what teaches the encoder where there is no other path.
    model = small_model(objective="clr_gan", lambda_gan_random=0.0)
    assert moved(model, batch(model.config))["encoder"] is True


def test_both_paths_translate_the_first_half_and_judge_their_own_reals() -> None:
    model = small_model()
    data = batch(model.config)
    parts = model._parts(data)
    np.testing.assert_array_equal(parts["encoded"]["condition"], data["input_image"][:2])
    np.testing.assert_array_equal(parts["random"]["condition"], data["input_image"][:2])
    np.testing.assert_array_equal(parts["encoded"]["target_image"], data["target_image"][:2])
    np.testing.assert_array_equal(parts["random"]["target_image"], data["target_image"][2:])


def test_dropout_is_on_in_training_alone() -> None:
    generator = unet(input_channels=3, output_channels=3, num_downs=6, base_filters=4, latent_dim=2, dropout=True)
    image, z = tf.random.stateless_normal([1, 64, 64, 3], [1, 2]), tf.zeros([1, 2])
    np.testing.assert_array_equal(generator([image, z], training=False), generator([image, z], training=False))
    assert not np.allclose(generator([image, z], training=True), generator([image, z], training=True), atol=1e-6)


@pytest.mark.parametrize("z_injection", ["input", "all"])
def test_z_changes_the_translation(z_injection) -> None:
    translator = small_model(z_injection=z_injection).translators["translate"]
    image = tf.random.stateless_normal([1, 64, 32, 3], [1, 2])
    first, second = (translator.function(image, tf.fill([1, 8], value)) for value in (-1.0, 1.0))
    assert first.shape == (1, 64, 32, 3)
    assert float(tf.reduce_max(tf.abs(first - second))) > 1e-4


def test_mixed_precision_computes_in_bfloat16_and_learns_in_float32() -> None:
    keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        model = small_model()
    finally:
        keras.config.set_dtype_policy("float32")
    assert model.generator.get_layer("up_1").compute_dtype == "bfloat16"
    assert {variable.dtype for variable in model.generator.trainable_variables} == {"float32"}
    data = batch(model.config)
    exact = small_model().train_step(data)
    logs = model.train_step(data)
    assert all(loss.dtype == tf.float32 for loss in logs.values())
    for name, loss in logs.items():
        # bfloat16 keeps 8 bits: 0.4 % a rounding, which a dozen layers add up to a few per cent.
        assert float(loss) == pytest.approx(float(exact[name]), rel=0.1, abs=0.02), name


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"batch_size": 3}, "batch_size=3: BicycleGAN needs an even batch"),
        ({"image_size": 100}, "image_size=100: a U-Net of 5 halvings needs a multiple of 32"),
        ({"image_size": 64, "num_downs": 7}, "image_size=64: a U-Net of 7 halvings needs a multiple of 128"),
        ({"num_downs": 4}, "num_downs=4: expected at least 5"),
        ({"z_injection": "middle"}, "z_injection='middle': expected input or all"),
    ],
)
def test_settings_that_cannot_work_are_refused_in_one_line(settings, message) -> None:
    with pytest.raises(UserError) as error:
        BicycleGANConfig(**{**SMALL, **settings})
    assert message in str(error.value)
    assert "\n" not in str(error.value)
