"""UNIT beyond the recordings: what is shared, noise, weights of losses and of weights, what it refuses."""

import numpy as np
import pytest
import tensorflow as tf
from tiny_models import built, noise_batch, tiny_config

from gan_zoo.config import refuse_idle
from gan_zoo.errors import UserError
from gan_zoo.learning.losses import l1_loss
from gan_zoo.learning.noise import noise_like
from gan_zoo.models.unit import OTHER
from gan_zoo.networks.discriminators.multi_scale_discriminator import multi_scale_discriminator, smallest_side

INDEX = tf.constant([3, 8], tf.int64)


@pytest.fixture(scope="module")
def unit():
    """With blocks that both domains share."""
    return built("unit", num_blocks=2, discriminator_norm="instance", input_channels=1)


def count(network) -> int:
    return sum(int(np.prod(variable.shape)) for variable in network.trainable_variables)


def test_blocks_are_shared_and_counted(unit) -> None:
    block = 2 * (9 * 8 * 8 + 8)  # two convolutions of eight channels; instance norm has no weights
    for domain, channels in (("a", 1), ("b", 3)):
        encoder = (49 * channels + 1) * 4 + (16 * 4 + 1) * 8
        decoder = (25 * 8 + 1) * 4 + 2 * 4 + (49 * 4 + 1) * channels
        discriminator = 2 * ((16 * channels + 1) * 4 + (16 * 4 + 1) * 8 + 8 + 1)
        assert count(unit.networks[f"encoder_{domain}"]) == encoder + block
        assert count(unit.networks[f"decoder_{domain}"]) == decoder + block
        assert count(unit.networks[f"discriminator_{domain}"]) == discriminator
    assert count(unit.networks["shared_encoder"]) == count(unit.networks["shared_decoder"]) == block
    alone = built("unit", num_blocks=2, shared_blocks=0)
    assert (
        len(alone.networks) == 6
        and count(alone.encoder_a) == count(alone.encoder_b) == (49 * 3 + 1) * 4 + 520 + 2 * block
    )


def test_every_way_leads_through_what_is_shared(unit) -> None:
    image = noise_batch(unit.config)
    image = {"a": image["input_image"], "b": image["target_image"]}
    ways = {"a_to_b": "ab", "b_to_a": "ba", "reconstruct_a": "aa", "reconstruct_b": "bb"}
    ways |= {"sample_a_to_b": "ab", "sample_b_to_a": "ba"}
    assert list(unit.translators) == list(ways)
    for name, (here, there) in ways.items():
        translator, networks = unit.translators[name], unit.networks
        names = {f"encoder_{here}", "shared_encoder", "shared_decoder", f"decoder_{there}"}
        if translator.cycle is not None:
            names |= {f"encoder_{there}", f"decoder_{here}"}
        assert set(translator.networks) == names
        assert (translator.input_channels, translator.output_channels) == tuple(
            {"a": 1, "b": 3}[d] for d in (here, there)
        )
        assert (translator.cycle is not None) == (name in ("a_to_b", "b_to_a"))
        assert (translator.target_key is not None) == (here == there)
        code = networks["shared_encoder"](networks[f"encoder_{here}"](image[here]))
        if translator.takes_seed:
            code += noise_like((16, 0), INDEX, code)
        expected = networks[f"decoder_{there}"](networks["shared_decoder"](code))
        more = [INDEX] if translator.takes_seed else []
        np.testing.assert_allclose(translator.function(image[here], *more), expected, atol=1e-6)
    back = unit.translators["b_to_a"].function(unit.translators["a_to_b"].function(image["a"]))
    np.testing.assert_allclose(unit.translators["a_to_b"].cycle(image["a"]), back, atol=1e-6)
    distances = [l1_loss(unit.translators[way].cycle(image[way[0]]), image[way[0]]) for way in ("a_to_b", "b_to_a")]
    validation = float(unit.validation_l1({"input_image": image["a"], "target_image": image["b"]}))
    assert validation == pytest.approx(float(sum(distances)) / 2, rel=1e-6)


def test_a_sample_is_its_seeds_alone(unit) -> None:
    sample = unit.translators["sample_a_to_b"].function
    image = noise_batch(unit.config)["input_image"][:1]
    several = sample(tf.repeat(image, 3, axis=0), tf.constant([5, 6, 5], tf.int64)).numpy()
    np.testing.assert_allclose(several[0], several[2], atol=1e-6)
    np.testing.assert_allclose(sample(image, tf.constant([6], tf.int64))[0], several[1], atol=1e-6)
    assert np.abs(several[0] - several[1]).max() > 0.05


def test_noise_is_of_seed_purpose_domain_and_example(unit) -> None:
    code = tf.zeros([2, 16, 16, 8])
    drawn = [
        unit.noise(purpose, domain, code, INDEX) for purpose in ("discriminator", "forth", "back") for domain in OTHER
    ]
    drawn.append(noise_like((1, 10), INDEX, code))  # of another seed
    drawn = np.concatenate([noise.numpy().reshape(2, -1) for noise in drawn])
    # Of 2048 numbers the correlation is known to 0.022: five of them.
    np.testing.assert_allclose(np.corrcoef(drawn), np.eye(14), atol=0.11)
    assert drawn.std() == pytest.approx(1.0, abs=5 / np.sqrt(2 * drawn.size))
    np.testing.assert_array_equal(
        unit.noise("back", "b", code[:1], INDEX[1:])[0], unit.noise("back", "b", code, INDEX)[1]
    )
    assert noise_like((0, 1), INDEX, tf.zeros([2, 3], tf.float64)).dtype == tf.float64


def test_each_weight_multiplies_its_losses() -> None:
    factors = {"gan": 2.0, "recon": 3.0, "cycle": 5.0, "kl": 7.0, "kl_cycle": 11.0}
    weights = {f"lambda_{name}": factor for name, factor in factors.items()}
    logs = []
    for settings in (dict.fromkeys(weights, 1.0), weights):
        model = built("unit", **settings)
        model.apply_gradients = lambda *_: None
        logs.append({name: float(loss) for name, loss in model.train_step(noise_batch(model.config)).items()})
    plain, weighted = logs
    assert plain.keys() == {f"{name}_{domain}" for name in (*factors, "discriminator") for domain in OTHER}
    for name, loss in plain.items():
        factor = factors[name[:-2].replace("discriminator", "gan")]
        assert weighted[name] == pytest.approx(factor * loss, rel=1e-5) and loss > 0.01, name


def test_the_images_of_a_step_may_differ_in_size() -> None:
    model = built("unit", preprocess="none", batch_size=1)
    batch = {
        "input_image": tf.zeros([1, 32, 40, 3]),
        "target_image": tf.zeros([1, 64, 32, 3]),
        "example_index": INDEX[:1],
    }
    assert all(np.isfinite(loss) for loss in model.train_step(batch).values())


def test_all_weights_decay_into_their_gradients() -> None:
    model = built("unit", weight_decay=0.01, learning_rate=0.001)
    for name, network in model.networks.items():
        before = [variable.numpy() for variable in network.trainable_variables]
        model.apply_gradients(name, [tf.zeros_like(variable) for variable in network.trainable_variables])
        for old, variable in zip(before, network.trainable_variables, strict=True):
            # Adam's first step is the sign of the gradient, here of the weight, where that is far above epsilon.
            far = np.abs(old) > 1e-3
            np.testing.assert_allclose((variable.numpy() - old)[far], -0.001 * np.sign(old[far]), rtol=2e-3)
    assert {optimizer.l2 for optimizer in built("unit").optimizers.values()} == {1e-4}


def test_kernels_are_drawn_as_was_asked_for() -> None:
    for settings in ({}, {"init_type": "normal", "init_gain": 0.3}):
        for name, network in built(
            "unit", num_blocks=2, base_filters=8, discriminator_filters=16, **settings
        ).networks.items():
            for kernel in [variable for variable in network.trainable_variables if variable.path.endswith("kernel")]:
                *window, fan_in, _ = kernel.shape
                expected = settings.get("init_gain", np.sqrt(2 / (np.prod(window) * fan_in)))
                if name.startswith("discriminator"):
                    expected = 0.02
                size = int(np.prod(kernel.shape))
                assert kernel.numpy().std() == pytest.approx(expected, rel=5 / np.sqrt(2 * size)), kernel.path


@pytest.mark.parametrize(("num_layers", "num_scales"), [(3, 1), (2, 3)])
@pytest.mark.parametrize("padding", ["reflect", "zero"])
def test_the_smallest_side_leaves_one_logit(num_layers, num_scales, padding) -> None:
    smallest = smallest_side(num_layers, num_scales)
    shape = {"num_layers": num_layers, "num_scales": num_scales, "padding": padding}
    network = multi_scale_discriminator(input_channels=1, base_filters=1, **shape)

    def sides(side: int) -> list[int]:
        return [scale.shape[1] for scale in network(tf.zeros([1, side, side, 1]))]

    assert sides(smallest)[-1] == 1 and len(sides(smallest)) == num_scales
    if padding == "zero":
        assert sides(smallest - 1)[-1] == 0
    else:  # a pixel alone cannot be mirrored
        with pytest.raises(tf.errors.InvalidArgumentError):
            sides(smallest - 1)


def test_many_halvings_leave_a_code_that_can_be_mirrored() -> None:
    config = tiny_config("unit", num_downs=3)
    assert (config.size_multiple, tiny_config("unit").size_multiple) == (16, 2)
    translator = built("unit", num_downs=3, base_filters=1).translators["a_to_b"]
    assert translator.function(tf.zeros([1, 16, 16, 3])).shape == (1, 16, 16, 3)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"shared_blocks": 2}, "num_blocks=1"),
        ({"image_size": 33}, "multiple of 2$"),
        ({"image_size": 12, "discriminator_scales": 3}, "need 13 px"),
        ({"gan_mode": "hinge"}, "lsgan or vanilla"),
        ({"lambda_gan": 0.0}, "lambda_gan"),
    ],
)
def test_what_does_not_fit_is_refused(settings, message) -> None:
    with pytest.raises(UserError, match=message):
        tiny_config("unit", **settings)


def test_kaiming_has_no_gain() -> None:
    with pytest.raises(UserError, match="init_gain has no effect with init_type=kaiming"):
        refuse_idle(tiny_config("unit"), ["init_gain"])
    refuse_idle(tiny_config("unit", init_type="xavier"), ["init_gain"])
