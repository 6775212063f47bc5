"""Trains each model on one device and on two logical CPUs, and prints how far they are apart; run by test_strategy."""

import json
import tempfile

import keras
import numpy as np
import tensorflow as tf
from tiny_runs import NETWORKS_OF_THEIR_OWN, TINY, EightPictures, labelled

from gan_zoo.config import Config
from gan_zoo.data.pipeline import training_stream
from gan_zoo.data.single import SingleView
from gan_zoo.data.unpaired import UnpairedView
from gan_zoo.models import MODELS
from gan_zoo.models.base import TranslationModel
from gan_zoo.runs.checkpoints import Checkpoints
from gan_zoo.runs.record import Run
from gan_zoo.training.setup import build_model, make_strategy

STEPS = 2  # after more, a rounding difference may have met the kink of a ReLU, and grown
# Where a loss that is a sum were divided by the replicas like a mean, the weights would go elsewhere: let it count.
# Hints depend on an example's index, wherever it is. Negatives of the batch are those of all devices.
# Discriminators and generators take turns: one of the two steps is the former's, the other the latter's. Weights of
# hundreds would lead plain descent into chaos.
MORE = {
    "bicyclegan": {"lambda_kl": 1.0},
    "colorization": {"hints": True},
    "cut": {"negatives": "batch"},
    "discogan": {"discriminator_every": 2},
    "dualgan": {
        "learning_rate": 0.0003,
        "lambda_cycle_a": 10.0,
        "lambda_cycle_b": 10.0,
        "lambda_gradient_penalty": 1.0,
    },
    "stargan": {"n_critic": 2},
    "ugatit": {"lambda_cam": 1.0},
}


def config_of(name: str) -> Config:
    settings = {"batch_size": 4, "learning_rate": 0.01, **MORE.get(name, {})}
    return MODELS[name].config_class.from_dict(TINY[name] | settings)


def with_plain_descent(name: str) -> type[TranslationModel]:
    """The model with SGD: Adam hides a gradient that is wrong by a factor."""
    methods = {"make_optimizer": lambda self, learning_rate: keras.optimizers.SGD(learning_rate)}
    return type(f"{MODELS[name].__name__}WithPlainDescent", (MODELS[name],), methods)


class Losses(keras.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.steps = []

    def on_train_batch_end(self, batch, logs=None) -> None:
        self.steps.append({name: float(value) for name, value in logs.items()})


def weights(model: TranslationModel) -> dict[str, np.ndarray]:
    arrays = {
        f"{name}/{index}": np.asarray(variable.numpy())
        for name, network in model.networks.items()
        for index, variable in enumerate(network.trainable_variables)
    }
    return arrays | {f"state/{name}": np.asarray(variable.numpy()) for name, variable in model.extra_state.items()}


def trained(name: str, strategy: tf.distribute.Strategy):
    config = config_of(name)
    with strategy.scope():
        model = build_model(with_plain_descent(name), config)
        model.compile()
        if name == "bicyclegan":
            for variable in model.encoder.trainable_variables:
                variable.assign(5 * variable + 0.1)  # away from mu = logvar = 0, where the KL has no slope
    initial = weights(model)
    replicas = strategy.num_replicas_in_sync
    views = {"unpaired": UnpairedView, "single": SingleView, "labelled": labelled}
    source = views.get(model.data_kind, lambda pairs: pairs)(EightPictures())
    stream = training_stream(
        source, config, num_replicas=replicas, batch_parts=config.batch_parts, make_input=model.make_input
    )
    losses = Losses()
    model.fit(stream, epochs=1, steps_per_epoch=STEPS, shuffle=False, verbose=0, callbacks=[losses])
    return model, initial, losses.steps


def compared(name: str, strategy: tf.distribute.Strategy) -> dict:
    tf.config.run_functions_eagerly(True)  # without a graph a few steps come sooner
    one, initial, one_losses = trained(name, make_strategy("one"))
    tf.config.run_functions_eagerly(False)
    mirrored, mirrored_initial, mirrored_losses = trained(name, strategy)
    after, mirrored_after = weights(one), weights(mirrored)
    differences, moves = {}, {}
    for key in after:
        network = key.split("/")[0]
        difference = np.abs(after[key] - mirrored_after[key]).max()
        differences[network] = max(differences.get(network, 0.0), float(difference))
        moves[network] = max(moves.get(network, 0.0), float(np.abs(after[key] - initial[key]).max()))
    replicas_equal = all(
        np.array_equal(*[copy.numpy() for copy in variable.value.values])
        for network in mirrored.networks.values()
        for variable in network.variables
        if "seed_generator_state" not in variable.path
    )

    # A run may go on under another strategy: a checkpoint of two devices fits one, to the bit.
    run = Run(model=name, dataset="eight", data_dir=None, settings=one.config.to_dict())
    with tempfile.TemporaryDirectory() as workdir:
        Checkpoints(workdir, mirrored, run).save(STEPS)
        restored_step = Checkpoints(workdir, one, run).restore_latest()
        counts = [next(iter(model.optimizers.values())).iterations.numpy() for model in (one, mirrored)]
        carried_over = (
            all(np.array_equal(weights(one)[key], mirrored_after[key]) for key in mirrored_after)
            and counts[0] == counts[1] > 0
        )
    return {
        "replicas": strategy.num_replicas_in_sync,
        "same_start": all(np.array_equal(initial[key], mirrored_initial[key]) for key in initial),
        "replicas_equal": replicas_equal,
        "differences": differences,
        "moves": moves,
        "losses": [one_losses, mirrored_losses],
        "carried_over": carried_over and restored_step == STEPS,
    }


def main() -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    # Grappler makes nothing faster that runs twice, and takes a tenth of the time.
    tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})
    # One for all: the collective operations of a second one would meet those that the first has left.
    strategy = make_strategy("mirrored")
    print(json.dumps({name: compared(name, strategy) for name in NETWORKS_OF_THEIR_OWN}))


if __name__ == "__main__":
    main()
