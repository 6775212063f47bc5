"""Times the exported generator on single images: python benchmarks/inference.py --image_size=256"""

import statistics
import sys
import time
from pathlib import Path

from absl import flags

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import command_line  # before all that imports TensorFlow

# isort: split
import numpy as np
import tensorflow as tf

from benchmarks.exported import exported
from benchmarks.machine import graph_flops, matmul_rate
from gan_zoo.models import MODELS
from gan_zoo.translation import translating

USAGE = """usage: python benchmarks/inference.py [flags]

Exports an untrained model, loads the SavedModel and asks it for one uint8 image at a time."""


def define_flags() -> flags.FlagValues:
    values = flags.FlagValues()
    kwargs = {"flag_values": values}
    flags.DEFINE_enum("model", "bicyclegan", list(MODELS), "what to time", **kwargs)
    flags.DEFINE_integer("image_size", 256, "side of the image in pixels", lower_bound=8, **kwargs)
    flags.DEFINE_integer("repeats", 30, "images that are timed; the median counts", lower_bound=1, **kwargs)
    flags.DEFINE_multi_string("set", [], "key=value, any setting of the model; may be repeated", **kwargs)
    return values


def main(values: flags.FlagValues) -> None:
    """Prints ms an image, images/s and the share of the machine's matrix-product rate."""
    translator, signatures = exported(values)
    translate = signatures["serving_default"]
    shape = (1, values.image_size, values.image_size, translator.input_channels)
    image = tf.constant(np.random.default_rng(0).integers(0, 256, shape, np.uint8))
    for _ in range(3):
        translate(image=image)["translation"].numpy()
    seconds = []
    for _ in range(values.repeats):
        start = time.perf_counter()
        translate(image=image)["translation"].numpy()
        seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds)
    rate = matmul_rate()
    noise = [translating.no_noise(translator, 1)] if translating.takes_noise(translator) else []
    forward = tf.function(translator.function).get_concrete_function(tf.zeros(shape), *noise)
    flops = graph_flops(forward.graph)
    print(f"{values.model}, exported generator, {values.image_size} px, batch 1, median of {values.repeats}")
    print(f"  {1000 * median:.1f} ms an image (fastest {1000 * min(seconds):.1f}), {1 / median:.2f} images/s")
    print(f"  {flops / 1e9:.2f} GFLOP an image, {flops / median / 1e9:.1f} GFLOP/s")
    print(f"  {100 * flops / median / rate:.0f} % of this machine's float32 matrix product, {rate / 1e9:.0f} GFLOP/s")


if __name__ == "__main__":
    command_line.run(main, define_flags(), USAGE)
