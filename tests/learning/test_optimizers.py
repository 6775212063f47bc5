"""FusedAdam against torch.optim.Adam's formula, written out in numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_zoo.learning.optimizers import FusedAdam

RATE, BETA_1, BETA_2, EPSILON = 0.01, 0.5, 0.999, 1e-8


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    keras.config.set_floatx(request.param)
    yield request.param
    keras.config.set_floatx("float32")


def torch_adam(start: np.ndarray, gradients: np.ndarray, epsilon: float = EPSILON) -> list[np.ndarray]:
    """The weights after each step."""
    weights, mean, square = start.astype(np.float64), 0.0, 0.0
    after = []
    for step, gradient in enumerate(gradients.astype(np.float64), start=1):
        mean = BETA_1 * mean + (1 - BETA_1) * gradient
        square = BETA_2 * square + (1 - BETA_2) * gradient**2
        corrected = np.sqrt(square / (1 - BETA_2**step)) + epsilon
        weights = weights - RATE * mean / (1 - BETA_1**step) / corrected
        after.append(weights)
    return after


@pytest.fixture
def problem(dtype):
    # Gradients from far above to far below epsilon, where it decides how far a weight goes.
    random = np.random.default_rng(0)
    scales = np.array([1.0, 1e-3, 1e-6, 1e-8, 1e-9])
    gradients = (random.uniform(0.5, 1.5, (6, 5)) * scales).astype(dtype)
    return np.zeros(5, dtype), gradients


def run(optimizer, start: np.ndarray, gradients: np.ndarray) -> list[np.ndarray]:
    variable = tf.Variable(start)
    optimizer.build([variable])
    after = []
    for gradient in gradients:
        optimizer.apply([tf.constant(gradient)], [variable])
        after.append(variable.numpy())
    return after


def test_it_is_torchs_adam(problem, dtype) -> None:
    ours = run(FusedAdam(RATE, BETA_1, BETA_2), *problem)
    theirs = torch_adam(*problem)
    # float32 knows 1 - 0.999 to 6e-5 only, and takes the root of it: 3e-5 of a move of RATE.
    tolerance = {"float32": 1e-4, "float64": 1e-12}[dtype] * RATE
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance)
    moved = np.abs(theirs[-1])
    assert moved[0] > 5 * RATE and moved[-1] < RATE, "the problem must reach both sides of epsilon"


def test_keras_epsilon_would_be_another(problem, dtype) -> None:
    keras_adam = run(keras.optimizers.Adam(RATE, BETA_1, BETA_2, EPSILON), *problem)
    assert np.abs(np.array(keras_adam) - torch_adam(*problem)).max() > 0.1 * RATE


def test_settings_go_round() -> None:
    optimizer = FusedAdam(RATE, BETA_1, BETA_2)
    again = FusedAdam.from_config(optimizer.get_config())
    assert (again.beta_1, again.beta_2, again.epsilon) == (BETA_1, BETA_2, EPSILON)
    assert float(again.learning_rate) == pytest.approx(RATE)
