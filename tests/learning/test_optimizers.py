"""FusedAdam against torch.optim.Adam's formula, FusedRMSprop against TensorFlow 1's, written out in numpy."""

import keras
import numpy as np
import pytest
import tensorflow as tf

from gan_zoo.learning.optimizers import Clipped, FusedAdam, FusedRMSprop

RATE, BETA_1, BETA_2, EPSILON = 0.01, 0.5, 0.999, 1e-8
# float32 knows 1 - 0.999 to 6e-5 only, and takes the root of it: 3e-5 of a move of RATE.
TOLERANCE = {"float32": 1e-4, "float64": 1e-12}


@pytest.fixture(params=["float32", "float64"])
def dtype(request):
    keras.config.set_floatx(request.param)
    yield request.param
    keras.config.set_floatx("float32")


def torch_adam(start: np.ndarray, gradients: np.ndarray, epsilon: float = EPSILON, l2: float = 0) -> list[np.ndarray]:
    """The weights after each step."""
    weights, mean, square = start.astype(np.float64), 0.0, 0.0
    after = []
    for step, given in enumerate(gradients.astype(np.float64), start=1):
        gradient = given + l2 * weights
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
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=TOLERANCE[dtype] * RATE)
    moved = np.abs(theirs[-1])
    assert moved[0] > 5 * RATE and moved[-1] < RATE, "the problem must reach both sides of epsilon"


def test_keras_epsilon_would_be_another(problem, dtype) -> None:
    keras_adam = run(keras.optimizers.Adam(RATE, BETA_1, BETA_2, EPSILON), *problem)
    assert np.abs(np.array(keras_adam) - torch_adam(*problem)).max() > 0.1 * RATE


def test_its_l2_is_torchs_weight_decay(dtype) -> None:
    # Gradients and weights of one size: past both moments, as Keras' own decay goes, the weights would go elsewhere.
    random = np.random.default_rng(1)
    start, gradients = random.normal(size=5).astype(dtype), random.normal(size=(6, 5)).astype(dtype)
    ours = run(FusedAdam(RATE, BETA_1, BETA_2, l2=0.5), start, gradients)
    np.testing.assert_allclose(ours, torch_adam(start, gradients, l2=0.5), atol=TOLERANCE[dtype] * RATE)
    decoupled = run(FusedAdam(RATE, BETA_1, BETA_2, weight_decay=0.5), start, gradients)
    without = torch_adam(start, gradients)
    for other in (decoupled, without):
        assert np.abs(np.array(other) - ours).max() > 0.5 * RATE


def tf1_rmsprop(start: np.ndarray, gradients: np.ndarray, rho: float, momentum: float, epsilon: float) -> list:
    """The weights after each step; the mean square starts at 1, and epsilon is under the root."""
    weights, square, step = start.astype(np.float64), 1.0, 0.0
    after = []
    for gradient in gradients.astype(np.float64):
        square = rho * square + (1 - rho) * gradient**2
        step = momentum * step + RATE * gradient / np.sqrt(square + epsilon)
        weights = weights - step
        after.append(weights)
    return after


@pytest.mark.parametrize(("momentum", "epsilon"), [(0.0, 1e-10), (0.5, 0.1)])
def test_rmsprop_is_tensorflow_1s(dtype, momentum, epsilon) -> None:
    random = np.random.default_rng(0)
    start, gradients = np.zeros(4, dtype), (random.uniform(0.5, 1.5, (8, 4)) * [10.0, 1.0, 1e-2, 1e-4]).astype(dtype)
    ours = run(FusedRMSprop(RATE, 0.9, momentum, epsilon), start, gradients)
    theirs = tf1_rmsprop(start, gradients, 0.9, momentum, epsilon)
    np.testing.assert_allclose(ours, theirs, rtol=TOLERANCE[dtype], atol=1e-9)
    # Keras' own starts at 0: its first steps are RATE / sqrt(1 - rho), however small the gradient.
    of_keras = run(keras.optimizers.RMSprop(RATE, 0.9, momentum, epsilon), start, gradients)
    assert np.abs(np.array(of_keras) - theirs).max() > RATE


def test_clipped_weights_stay_small() -> None:
    weights = keras.Variable([-1.0, -0.005, 0.02])
    weights.constraint = Clipped(0.01)
    optimizer = FusedRMSprop(RATE)
    optimizer.build([weights])
    optimizer.apply([tf.zeros(3)], [weights])
    np.testing.assert_allclose(weights, [-0.01, -0.005, 0.01], rtol=1e-6)
    assert Clipped.from_config(weights.constraint.get_config()).limit == 0.01


def test_settings_go_round() -> None:
    optimizer = FusedAdam(RATE, BETA_1, BETA_2, l2=0.5)
    again = FusedAdam.from_config(optimizer.get_config())
    assert (again.beta_1, again.beta_2, again.epsilon, again.l2) == (BETA_1, BETA_2, EPSILON, 0.5)
    rmsprop = FusedRMSprop.from_config(FusedRMSprop(RATE, 0.8, 0.7).get_config())
    assert (rmsprop.rho, rmsprop.momentum, rmsprop.epsilon) == (0.8, 0.7, 1e-10)
    assert float(again.learning_rate) == pytest.approx(RATE)


def test_l2_is_added_to_the_gradient_before_the_moments(dtype) -> None:
    start = np.array([2.0, -1.0, 0.5], dtype)
    gradients = np.random.default_rng(1).uniform(-1, 1, (4, 3)).astype(dtype)
    optimizer = FusedAdam(RATE, BETA_1, BETA_2, l2=0.3)
    variable = keras.Variable(start)
    weights, mean, square = start.astype(np.float64), 0.0, 0.0
    for step, gradient in enumerate(gradients.astype(np.float64), start=1):
        optimizer.apply([tf.constant(gradients[step - 1])], [variable])
        whole = gradient + 0.3 * weights
        mean = BETA_1 * mean + (1 - BETA_1) * whole
        square = BETA_2 * square + (1 - BETA_2) * whole**2
        corrected = np.sqrt(square / (1 - BETA_2**step)) + EPSILON
        weights = weights - RATE * mean / (1 - BETA_1**step) / corrected
        np.testing.assert_allclose(variable.numpy(), weights, rtol=1e-5 if dtype == "float32" else 1e-12)
    assert FusedAdam.from_config(optimizer.get_config()).l2 == 0.3 and FusedAdam().l2 == 0.0
