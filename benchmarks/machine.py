"""The yardsticks of the benchmarks: what this machine can compute, and what a network asks of it."""

import math
import os
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import keras
import tensorflow as tf

MATRIX_SIDE = 2048


def matmul_rate(repeats: int = 12) -> float:
    """Measures the float32 matrix product of TensorFlow, 2048 x 2048: the fastest of `repeats`, in FLOP/s."""
    product = tf.function(tf.matmul)
    a, b = (tf.random.normal([MATRIX_SIDE, MATRIX_SIDE]) for _ in range(2))
    product(a, b).numpy()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        product(a, b).numpy()
        seconds.append(time.perf_counter() - start)
    return 2 * MATRIX_SIDE**3 / min(seconds)


def peak_memory() -> int:
    """The most memory that this process has held so far, in bytes."""
    # Linux counts in KiB, macOS in bytes.
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)


def resident_memory() -> int:
    """The memory that this process holds now, in bytes."""
    status = Path("/proc/self/statm")
    if status.exists():
        return int(status.read_text().split()[1]) * resource.getpagesize()
    # macOS; in KiB.
    return 1024 * int(subprocess.check_output(["ps", "-o", "rss=", "-p", str(os.getpid())]))


def forward_flops(network: keras.Model, *input_shapes: Sequence[int]) -> float:
    """Counts the multiplications and additions of one forward pass, those of convolutions and matrix products.

    The products are taken from the traced graph, so that a layer counts as it is executed: a `ConvMeanPool`, say, as
    its 4x4 convolution of stride 2. Normalizations, activations and the like are left out.

    Args:
        network: with one input or several.
        input_shapes: of its inputs, batch included, all known: `(1, 256, 256, 3), (1, 8)`.

    Raises:
        ValueError: if the shapes inside depend on more than the inputs' shapes.
    """
    dtypes = [tensor.dtype for tensor in network.inputs]
    specs = [tf.TensorSpec(shape, dtype) for shape, dtype in zip(input_shapes, dtypes, strict=True)]
    forward = tf.function(lambda *inputs: network(inputs if len(inputs) > 1 else inputs[0], training=False))
    return graph_flops(forward.get_concrete_function(*specs).graph)


def graph_flops(graph: tf.Graph) -> float:
    """Counts the multiplications and additions of the convolutions and matrix products that a traced function executes.

    What is traced and needed by nothing is left out, as TensorFlow leaves it out: a tape also traces the gradients of
    all that lies on its way, such as those of a frozen discriminator's weights, whoever asks for them.

    Args:
        graph: of a concrete function.

    Raises:
        ValueError: if a shape is not known.
    """
    return sum(_operation_flops(operation) for operation in _executed(graph))


def _executed(graph: tf.Graph) -> set[tf.Operation]:
    """The operations that the function's results, or its changes of variables, stand on."""
    executed = set()
    ahead = [tensor.op for tensor in graph.outputs] + list(graph.control_outputs)
    while ahead:
        operation = ahead.pop()
        if operation not in executed:
            executed.add(operation)
            ahead += [tensor.op for tensor in operation.inputs] + list(operation.control_inputs)
    return executed


def _operation_flops(operation: tf.Operation) -> float:
    def size(tensor: tf.Tensor) -> int:
        if not tensor.shape.is_fully_defined():
            raise ValueError(f"the shape of {tensor.name} is not known: {tensor.shape}")
        return math.prod(tensor.shape)

    if operation.type == "BatchMatMulV2":
        left, _ = operation.inputs
        inner = left.shape[-2 if operation.get_attr("adj_x") else -1]
        return 2.0 * size(operation.outputs[0]) * inner
    if operation.type == "MatMul":
        left, _ = operation.inputs
        inner = left.shape[0 if operation.get_attr("transpose_a") else 1]
        return 2.0 * size(operation.outputs[0]) * inner
    if operation.type in ("Conv2D", "DepthwiseConv2dNative"):
        kernel = operation.inputs[1]
        per_result = math.prod(kernel.shape[:3]) if operation.type == "Conv2D" else math.prod(kernel.shape[:2])
        return 2.0 * size(operation.outputs[0]) * per_result
    if operation.type == "Conv2DBackpropInput":  # a transposed convolution: each input value spreads over a window
        _, kernel, image = operation.inputs
        return 2.0 * size(image) * math.prod(kernel.shape[:3])
    if operation.type == "Conv2DBackpropFilter":  # as many products as the convolution that it belongs to
        _, _, gradient = operation.inputs
        return 2.0 * size(gradient) * math.prod(operation.outputs[0].shape[:3])
    if operation.type in ("PartitionedCall", "StatefulPartitionedCall"):
        raise ValueError(f"{operation.name} hides its operations in a function of its own")
    return 0.0
