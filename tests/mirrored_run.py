"""Trains BicycleGAN on one device and on two logical CPUs, and prints how far they are apart; run by test_strategy."""

import json
import tempfile

import keras
import numpy as np
import tensorflow as tf
from tiny_runs import TINY_BICYCLEGAN, EightPictures

from gan_zoo.checkpoints import Checkpoints
from gan_zoo.config import Run
from gan_zoo.models.bicyclegan import BicycleGAN, BicycleGANConfig
from gan_zoo.pipeline import training_stream
from gan_zoo.training import build_model, make_strategy

STEPS = 4
# The KL, a sum, moves the encoder most: were it divided by the replicas like a mean, it would go elsewhere.
CONFIG = BicycleGANConfig.from_dict(TINY_BICYCLEGAN | {"batch_size": 4, "lambda_kl": 1.0, "learning_rate": 0.01})


class PlainDescent(BicycleGAN):
    """With SGD: Adam hides a gradient that is wrong by a factor."""

    def make_optimizer(self, learning_rate):
        return keras.optimizers.SGD(learning_rate)


class Losses(keras.callbacks.Callback):
    def __init__(self) -> None:
        super().__init__()
        self.steps = []

    def on_train_batch_end(self, batch, logs=None) -> None:
        self.steps.append({name: float(value) for name, value in logs.items()})


def weights(model: BicycleGAN) -> dict[str, np.ndarray]:
    return {
        f"{name}/{index}": np.asarray(variable.numpy())
        for name, network in model.networks.items()
        for index, variable in enumerate(network.trainable_variables)
    }


def trained(strategy_name: str):
    strategy = make_strategy(strategy_name)
    with strategy.scope():
        model = build_model(PlainDescent, CONFIG)
        model.compile()
        for variable in model.encoder.trainable_variables:
            variable.assign(5 * variable + 0.1)  # away from mu = logvar = 0, where the KL has no slope
    initial = weights(model)
    replicas = strategy.num_replicas_in_sync
    stream = training_stream(EightPictures(), CONFIG, num_replicas=replicas, batch_parts=model.batch_parts)
    losses = Losses()
    model.fit(stream, epochs=1, steps_per_epoch=STEPS, shuffle=False, verbose=0, callbacks=[losses])
    return strategy, model, initial, losses.steps


def main() -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    tf.config.run_functions_eagerly(True)  # without a graph a few steps come sooner
    _, one, initial, one_losses = trained("one")
    tf.config.run_functions_eagerly(False)
    strategy, mirrored, mirrored_initial, mirrored_losses = trained("mirrored")
    after, mirrored_after = weights(one), weights(mirrored)
    differences, moves = {}, {}
    for name in after:
        network = name.split("/")[0]
        difference = np.abs(after[name] - mirrored_after[name]).max()
        differences[network] = max(differences.get(network, 0.0), float(difference))
        moves[network] = max(moves.get(network, 0.0), float(np.abs(after[name] - initial[name]).max()))
    replicas_equal = all(
        np.array_equal(*[copy.numpy() for copy in variable.value.values])
        for network in mirrored.networks.values()
        for variable in network.trainable_variables
    )

    # A run may go on under another strategy: a checkpoint of two devices fits one, to the bit.
    run = Run(model="bicyclegan", dataset="eight", data_dir=None, settings=CONFIG.to_dict())
    with tempfile.TemporaryDirectory() as workdir:
        Checkpoints(workdir, mirrored, run).save(STEPS)
        restored_step = Checkpoints(workdir, one, run).restore_latest()
        carried_over = (
            all(np.array_equal(weights(one)[name], mirrored_after[name]) for name in mirrored_after)
            and int(one.optimizers["generator"].iterations.numpy()) == STEPS
        )

    print(
        json.dumps(
            {
                "replicas": strategy.num_replicas_in_sync,
                "same_start": all(np.array_equal(initial[name], mirrored_initial[name]) for name in initial),
                "replicas_equal": replicas_equal,
                "differences": differences,
                "moves": moves,
                "losses": [one_losses, mirrored_losses],
                "carried_over": carried_over and restored_step == STEPS,
            }
        )
    )


if __name__ == "__main__":
    main()
