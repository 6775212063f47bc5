"""The initializers mean what PyTorch's mean: deviations, orthogonality, fans of transposed convolutions."""

import keras
import numpy as np
import pytest

from gan_zoo.layers.initializers import INIT_TYPES, make_initializer

GAIN = 0.3


def kernel(kind: str, inputs: int, outputs: int, initializer) -> np.ndarray:
    """A layer's kernel in PyTorch's layout, where the first axis is its fan out and the second its fan in."""
    layer, shape, axes = {
        "conv": (keras.layers.Conv2D(outputs, 4, kernel_initializer=initializer), (1, 8, 8, inputs), (3, 2, 0, 1)),
        "transposed": (
            keras.layers.Conv2DTranspose(outputs, 4, kernel_initializer=initializer),
            (1, 8, 8, inputs),
            (3, 2, 0, 1),
        ),
        "dense": (keras.layers.Dense(outputs, kernel_initializer=initializer), (1, inputs), (1, 0)),
    }[kind]
    layer.build(shape)
    return layer.kernel.numpy().transpose(axes)


@pytest.mark.parametrize("init_type", ["normal", "truncated", "xavier", "kaiming", "pytorch"])
@pytest.mark.parametrize(
    ("kind", "inputs", "outputs", "torch_shape"),
    [
        ("conv", 32, 96, (96, 32, 4, 4)),
        ("transposed", 32, 96, (32, 96, 4, 4)),
        ("dense", 192, 256, (256, 192)),
    ],
)
def test_deviations_are_pytorchs(kind, inputs, outputs, torch_shape, init_type) -> None:
    keras.utils.set_random_seed(0)
    drawn = kernel(kind, inputs, outputs, make_initializer(init_type, GAIN))
    assert drawn.shape == torch_shape
    pixels = np.prod(torch_shape[2:])
    fan_out, fan_in = torch_shape[0] * pixels, torch_shape[1] * pixels
    deviation = {
        "normal": GAIN,
        "truncated": 0.8796 * GAIN,  # of a standard normal cut at 2: 1 - 4 phi(2) / (2 Phi(2) - 1), and its root
        "xavier": GAIN * np.sqrt(2 / (fan_in + fan_out)),
        "kaiming": np.sqrt(2 / fan_in),
        "pytorch": np.sqrt(1 / 3 / fan_in),
    }
    # The deviation of 49,152 draws is known to 1 / sqrt(2 n) = 0.32 %, their mean to 0.45 % of it.
    assert drawn.std() == pytest.approx(deviation[init_type], rel=0.013)
    assert abs(drawn.mean()) < 0.018 * deviation[init_type]
    if init_type in ("truncated", "pytorch"):
        end = {"truncated": 2 * GAIN, "pytorch": np.sqrt(1 / fan_in)}[init_type]
        assert 0.99 * end < abs(drawn).max() <= 1.000001 * end
        return
    # Of so many, three lie beyond four deviations; a truncated normal ends at two.
    assert 3.5 * deviation[init_type] < abs(drawn).max() < 6 * deviation[init_type]


@pytest.mark.parametrize(
    ("kind", "inputs", "outputs"),
    [("conv", 3, 64), ("conv", 8, 6), ("transposed", 64, 3), ("dense", 20, 30), ("dense", 30, 20)],
)
def test_orthogonal_kernels_are_orthonormal_times_the_gain(kind, inputs, outputs) -> None:
    drawn = kernel(kind, inputs, outputs, make_initializer("orthogonal", GAIN)).astype(np.float64)
    matrix = drawn.reshape(drawn.shape[0], -1)  # As PyTorch flattens it.
    product = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(product, GAIN**2 * np.eye(len(product)), atol=1e-6)


@pytest.mark.parametrize("init_type", INIT_TYPES)
def test_two_kernels_start_with_different_numbers(init_type) -> None:
    keras.utils.set_random_seed(0)
    first, second = (make_initializer(init_type)((4, 4, 2, 3)).numpy() for _ in range(2))
    assert abs(first - second).max() > 1e-3 * abs(first).max()
    keras.utils.set_random_seed(0)
    np.testing.assert_array_equal(make_initializer(init_type)((4, 4, 2, 3)), first)


def test_pytorchs_own_is_uniform_up_to_the_root_of_the_fan_in() -> None:
    kernel = make_initializer("pytorch")((4, 4, 5, 100)).numpy()
    bound = 1 / np.sqrt(4 * 4 * 5)
    # Of 8000 draws the largest is within 1 % of the bound; their deviation is known to 1 %.
    assert 0.99 * bound < abs(kernel).max() <= bound
    assert kernel.std() == pytest.approx(bound / np.sqrt(3), rel=0.03)


def test_a_wrong_type_is_named() -> None:
    with pytest.raises(
        ValueError, match=r"normal, truncated, xavier, kaiming, orthogonal, pytorch\. Received: init_type='uniform'"
    ):
        make_initializer("uniform")
