"""One training step of every model of the zoo, on pictures of noise: what all of them owe to the rest."""

import dataclasses

import keras
import numpy as np
import pytest
import tensorflow as tf
from tiny_models import built, noise_batch, tiny_config
from tiny_runs import TINY

from gan_zoo.images import MIN_SIDE
from gan_zoo.models import MODELS
from gan_zoo.runs.checkpoints import Checkpoints, restore_networks
from gan_zoo.runs.record import Run
from gan_zoo.training.setup import build_model


@pytest.fixture(scope="module", params=list(MODELS))
def stepped(request):
    """A model after a step: (name, model, logs, gradients by network, weights before)."""
    model = built(request.param)
    before = {name: [np.array(v) for v in net.trainable_variables] for name, net in model.networks.items()}
    gradients = {}

    def remember(name: str, values: list[tf.Tensor]) -> None:
        gradients[name] = [np.array(value) for value in values]
        type(model).apply_gradients(model, name, values)

    model.apply_gradients = remember
    logs = model.train_step(noise_batch(model.config))
    return request.param, model, logs, gradients, before


def test_every_model_has_a_tiny_configuration() -> None:
    assert TINY.keys() == MODELS.keys()


def test_losses_have_names_and_are_finite(stepped) -> None:
    _, _, logs, _, _ = stepped
    assert logs and all(name.isidentifier() for name in logs)
    assert all(np.ndim(loss) == 0 and np.isfinite(loss) for loss in logs.values()), logs


def test_every_trainable_weight_moves(stepped) -> None:
    _, model, _, gradients, before = stepped
    assert gradients.keys() == model.networks.keys()
    for name, network in model.networks.items():
        largest = max(np.abs(gradient).max() for gradient in gradients[name])
        moved = 0
        for variable, old, gradient in zip(network.trainable_variables, before[name], gradients[name], strict=True):
            # A bias before an instance norm has no gradient but rounding: float32 leaves 1e-7 of the largest.
            if np.abs(gradient).max() > 1e-6 * largest:
                assert np.any(variable.numpy() != old), variable.path
                moved += 1
            else:
                assert variable.path.endswith("bias"), variable.path
        assert moved >= len(network.trainable_variables) / 2


def test_translators_do_what_they_say(stepped) -> None:
    _, model, _, _, _ = stepped
    assert model.translators
    for translator in model.translators.values():
        side = max(translator.size_multiple, MIN_SIDE)
        image = tf.random.uniform([2, side, 2 * side, translator.input_channels], -1, 1)
        more = [tf.random.normal([2, translator.latent_dim])] if translator.latent_dim else []
        more += [tf.constant([1, 2], tf.int64)] if translator.takes_seed else []
        more += [tf.eye(2, len(translator.labels))] if translator.labels else []
        output = translator.function(image, *more)
        scale = translator.scale
        assert output.shape == (2, side * scale, 2 * side * scale, translator.output_channels)
        assert np.abs(output).max() <= 1
        for network in translator.networks.values():
            assert any(network is other for other in model.networks.values())
        if translator.encode is not None:
            mu, logvar = translator.encode(output)
            assert mu.shape == logvar.shape == (2, translator.latent_dim)
        if translator.cycle is not None:
            own = more * 2 if translator.labels else []  # the label to give, and the image's own
            assert translator.cycle(image, *own).shape == image.shape
        assert {translator.input_key, translator.target_key} <= {"input_image", "target_image", None}
    assert np.isfinite(model.validation_l1(noise_batch(model.config)))


def test_weights_go_round_through_a_checkpoint(stepped, tmp_path) -> None:
    name, model, _, _, _ = stepped
    run = Run(model=name, dataset="noise", data_dir=None, settings=model.config.to_dict())
    Checkpoints(tmp_path, model, run).save(7)
    other = MODELS[name](model.config)
    assert restore_networks(other, tmp_path) == 7
    for network, restored in zip(model.networks.values(), other.networks.values(), strict=True):
        for variable, copy in zip(network.variables, restored.variables, strict=True):
            np.testing.assert_array_equal(variable.numpy(), copy.numpy(), err_msg=variable.path)


def test_mixed_precision_keeps_weights_and_losses_in_float32(stepped) -> None:
    name, _, reference, _, initial = stepped  # of the same initial weights, on the same batch
    config = tiny_config(name, mixed_precision=True)
    model = build_model(MODELS[name], config)
    model.compile()
    assert keras.config.dtype_policy().name == "float32"  # for whatever is built next
    for key, network in model.networks.items():
        for variable, value in zip(network.trainable_variables, initial[key], strict=True):
            variable.assign(value)
    logs = model.train_step(noise_batch(config))
    for key, network in model.networks.items():
        assert network.compute_dtype == "bfloat16" or any(layer.compute_dtype == "bfloat16" for layer in network.layers)
        assert all(variable.dtype == "float32" for variable in network.trainable_variables)
        pairs = zip(network.trainable_variables, initial[key], strict=True)
        assert any(np.any(variable.numpy() != old) for variable, old in pairs)
    for key, loss in logs.items():
        assert loss.dtype == tf.float32 and np.isfinite(loss), key
    # bfloat16 has 8 bits: the losses at equal kinds of weights agree to a percent or two, not to more.
    assert float(sum(logs.values())) == pytest.approx(float(sum(reference.values())), rel=0.1)
    assert dataclasses.replace(config, mixed_precision=False) == tiny_config(name)
