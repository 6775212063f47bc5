"""Times the training step: python benchmarks/train_step.py --model=bicyclegan --image_size=256 --batch_size=2"""

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

from benchmarks.machine import graph_flops, matmul_rate, peak_memory
from gan_zoo.config import parse_settings
from gan_zoo.models import MODELS
from gan_zoo.training.setup import build_model

USAGE = """usage: python benchmarks/train_step.py [flags]

Trains a new model on one batch of noise."""


def define_flags() -> flags.FlagValues:
    values = flags.FlagValues()
    kwargs = {"flag_values": values}
    flags.DEFINE_enum("model", "bicyclegan", list(MODELS), "what to time", **kwargs)
    flags.DEFINE_integer("image_size", 256, "side of the images in pixels", lower_bound=8, **kwargs)
    flags.DEFINE_integer("batch_size", 2, "examples a step", lower_bound=1, **kwargs)
    flags.DEFINE_integer("repeats", 15, "steps that are timed; the median counts", lower_bound=1, **kwargs)
    flags.DEFINE_multi_string("set", [], "key=value, any setting of the model; may be repeated", **kwargs)
    return values


def main(values: flags.FlagValues) -> None:
    """Prints ms a step, images/s, memory above the bare import, and the share of the machine's matrix-product rate."""
    bare = peak_memory()
    config_class = MODELS[values.model].config_class
    sizes = [f"image_size={values.image_size}", f"batch_size={values.batch_size}"]
    config = config_class.from_dict(parse_settings(config_class, [*sizes, *values.set]))
    model = build_model(MODELS[values.model], config)
    model.compile()
    random = np.random.default_rng(0)
    size, small = config.image_size, config.image_size // getattr(config, "scale", 1)
    shapes = {
        "input_image": (small, small, config.input_channels),
        "target_image": (size, size, config.target_channels),
    }
    batch = {
        name: tf.constant(random.uniform(-1, 1, (config.batch_size, *shape)), tf.float32)
        for name, shape in shapes.items()
    }
    batch["example_index"] = tf.range(config.batch_size, dtype=tf.int64)
    step = tf.function(model.train_step)
    flops = graph_flops(step.get_concrete_function(batch).graph)
    for _ in range(3):
        step(batch)
    seconds = []
    for _ in range(values.repeats):
        start = time.perf_counter()
        for loss in step(batch).values():
            loss.numpy()
        seconds.append(time.perf_counter() - start)
    median = statistics.median(seconds)
    memory = peak_memory() - bare
    rate = matmul_rate()
    print(f"{values.model}, {config.image_size} px, batch {config.batch_size}, median of {values.repeats} steps")
    print(f"  {1000 * median:.0f} ms a step (fastest {1000 * min(seconds):.0f})")
    print(f"  {config.batch_size / median:.2f} images/s")
    print(f"  {memory / 1e9:.2f} GB at most above the bare import")
    print(f"  {flops / 1e9:.1f} GFLOP a step, {flops / median / 1e9:.1f} GFLOP/s")
    print(f"  {100 * flops / median / rate:.0f} % of this machine's float32 matrix product, {rate / 1e9:.0f} GFLOP/s")


if __name__ == "__main__":
    command_line.run(main, define_flags(), USAGE)
