"""Times what evaluate.py spends its time on, and measures its memory: python benchmarks/evaluation.py"""

import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from absl import flags

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import command_line  # before all that imports TensorFlow

# isort: split
import keras
import numpy as np
import tensorflow as tf

from benchmarks.machine import forward_flops, matmul_rate, peak_memory
from gan_zoo.evaluation import measuring
from gan_zoo.metrics.base import Context, EvaluationBatch
from gan_zoo.metrics.features.inception import FEATURES, InceptionFeatures
from gan_zoo.metrics.features.statistics import FeatureStatistics
from gan_zoo.metrics.fid import frechet_distance
from gan_zoo.networks.inception import SIZE, fid_inception

USAGE = """usage: python benchmarks/evaluation.py [flags]

Prints the speed of the Inception, bare and with images that are resized before it, the time of a Fréchet distance, and
the peak memory of whole evaluations of more and more images. Weights are random: they change no figure here."""
BATCH_SIZES = (8, 16, 32, 64)
COUNTS = (1000, 10_000)  # images of the evaluations
SIDE = 256  # pixels
METRICS = ("psnr", "l1", "colourfulness", "fid_clean", "kid_clean")
RECORDED = Path(__file__).resolve().parents[1] / "tests" / "parity" / "fid_inception.npz"


def define_flags() -> flags.FlagValues:
    values = flags.FlagValues()
    kwargs = {"flag_values": values}
    flags.DEFINE_integer("num_images", 128, "images through the Inception", lower_bound=1, **kwargs)
    flags.DEFINE_list("counts", list(map(str, COUNTS)), "images of the evaluations whose memory is measured", **kwargs)
    return values


def inception() -> keras.Model:
    """The network with random weights of the right scale."""
    random = np.random.default_rng(0)
    state = {}
    for name, shape in json.loads(str(np.load(RECORDED)["shapes"])).items():
        numbers = random.standard_normal(shape, np.float32)
        if len(shape) == 1:
            numbers = 1 + 0.1 * np.abs(numbers)
        state[name.removeprefix("inception.")] = numbers * np.float32(np.sqrt(2 / np.prod(shape[1:])))
    return fid_inception(state)


def stand_in() -> keras.Model:
    """As many features as the Inception has, for next to nothing."""
    image = keras.Input((SIZE, SIZE, 3))
    features = keras.layers.Dense(2048)(keras.layers.GlobalAveragePooling2D()(image[:, ::8, ::8]))
    return keras.Model(image, {FEATURES: features})


def images(count: int, seed: int) -> Iterator[np.ndarray]:
    random = np.random.default_rng(seed)
    for _ in range(count):
        yield random.integers(0, 256, (SIDE, SIDE, 3), np.uint8)


def best_of(function, repeats: int = 3) -> float:
    """Seconds of the fastest call, after one that compiles."""
    function()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def time_inception(num_images: int) -> None:
    network, rate = inception(), matmul_rate()
    flops = forward_flops(network, (1, SIZE, SIZE, 3))
    forward = tf.function(lambda inputs: network(inputs, training=False)[FEATURES])
    speeds = {}
    for size in BATCH_SIZES:
        inputs = tf.random.uniform([size, SIZE, SIZE, 3], 0.0, 255.0)
        speeds[size] = size / best_of(lambda inputs=inputs: forward(inputs).numpy())
        share = 100 * flops * speeds[size] / rate
        print(f"Inception, bare, batch {size}: {speeds[size]:.1f} images/s, {share:.0f} % of the matrix product's rate")
    best = max(speeds, key=speeds.get)
    extract = InceptionFeatures(network)
    for _ in extract(images(extract.batch_size, 1)):
        pass
    start = time.perf_counter()
    for _ in extract(images(num_images, 0)):
        pass
    speed = num_images / (time.perf_counter() - start)
    print(
        f"{num_images} images of {SIDE} px resized and through it, batch {extract.batch_size}: {speed:.1f} images/s, "
        f"{100 * speed / speeds[best]:.0f} % of the bare forward at its best batch of {best}"
    )


def time_frechet_distance() -> None:
    random = np.random.default_rng(0)
    sets = []
    for _ in range(2):
        statistics = FeatureStatistics.empty(2048)
        for _ in range(10):
            statistics.update(random.standard_normal([1000, 2048]))
        sets.append(statistics)
    start = time.perf_counter()
    frechet_distance(*sets)
    print(f"Fréchet distance of 2048 features: {time.perf_counter() - start:.1f} s")


def measure_memory(counts: list[int]) -> None:
    extract = InceptionFeatures(stand_in())
    for count in counts:
        real = images_twice(count)
        context = Context(reference=real, reference_key="noise", kept={("inception", "clean"): extract})
        start = time.perf_counter()
        measuring.evaluate(lambda _, count=count: batches(count), METRICS, context)
        seconds = time.perf_counter() - start
        print(
            f"evaluation of {count} images by {', '.join(METRICS)} (without the Inception's own time): "
            f"{count / seconds:.0f} images/s, peak {peak_memory() / 1e9:.2f} GB"
        )


def images_twice(count: int):
    return lambda: images(count, 1)


def batches(count: int, size: int = 16) -> Iterator[EvaluationBatch]:
    outputs, targets = images(count, 2), images(count, 3)
    for start in range(0, count, size):
        numbers = range(start, min(start + size, count))
        yield EvaluationBatch(
            names=[str(number) for number in numbers],
            outputs=np.stack([next(outputs) for _ in numbers]),
            targets=np.stack([next(targets) for _ in numbers]),
        )


def main(values: flags.FlagValues) -> None:
    print(f"the bare import: {peak_memory() / 1e9:.2f} GB")
    measure_memory([int(count) for count in values.counts])
    time_inception(values.num_images)
    time_frechet_distance()


if __name__ == "__main__":
    command_line.run(main, define_flags(), USAGE)
