"""Whether a served model's memory stays flat: python benchmarks/soak.py --image_size=64 --set base_filters=8"""

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
from benchmarks.machine import resident_memory
from gan_zoo.images import encode_png
from gan_zoo.models import MODELS

USAGE = """usage: python benchmarks/soak.py [flags]

Exports an untrained model, loads the SavedModel and asks it again and again, for images of changing sizes: in turn
an array, a PNG file and a damaged one. Prints by how much its memory grows after the first tenth of the calls."""


def define_flags() -> flags.FlagValues:
    values = flags.FlagValues()
    kwargs = {"flag_values": values}
    flags.DEFINE_enum("model", "bicyclegan", list(MODELS), "what to ask", **kwargs)
    flags.DEFINE_integer("image_size", 64, "the longest side in pixels", lower_bound=8, **kwargs)
    flags.DEFINE_integer("calls", 10_000, "how often", lower_bound=100, **kwargs)
    flags.DEFINE_integer("sizes", 50, "how many sizes, drawn at random", lower_bound=1, **kwargs)
    flags.DEFINE_multi_string("set", [], "key=value, any setting of the model; may be repeated", **kwargs)
    return values


def main(values: flags.FlagValues) -> None:
    """Prints MB per 1,000 calls, the slope of a line through the resident memory after the first tenth."""
    translator, signatures = exported(values)
    random = np.random.default_rng(0)
    sides = random.integers(8, values.image_size + 1, (values.sizes, 2))
    images = [random.integers(0, 256, (*side, translator.input_channels), np.uint8) for side in sides]
    files = [encode_png(image) for image in images]
    megabytes, start = [], time.perf_counter()
    for call in range(values.calls):
        which = random.integers(values.sizes)
        if call % 3 == 0:
            signatures["serving_default"](image=tf.constant(images[which])[tf.newaxis])["translation"].numpy()
        else:
            _ask(signatures["translate_bytes"], files[which], damaged=call % 3 == 2)
        megabytes.append(resident_memory() / 1e6)
    seconds = time.perf_counter() - start
    first = values.calls // 10
    slope = 1000 * np.polyfit(np.arange(first, values.calls), megabytes[first:], 1)[0]
    print(f"{values.model}, exported, {values.calls} calls of {values.sizes} sizes up to {values.image_size} px")
    print(f"  {slope:.2f} MB per 1,000 calls after the first {first} (under 1 is flat)")
    each = 1000 * seconds / values.calls
    print(f"  {megabytes[first]:.0f} MB then, {megabytes[-1]:.0f} MB at the end, {each:.1f} ms a call")


def _ask(translate_bytes: tf.types.experimental.GenericFunction, data: bytes, damaged: bool) -> None:
    if not damaged:
        translate_bytes(image_bytes=tf.constant([data]))["translation_bytes"].numpy()
        return
    try:
        translate_bytes(image_bytes=tf.constant([data[: len(data) // 2]]))
    except tf.errors.InvalidArgumentError:
        return
    raise RuntimeError("a damaged file was translated")


if __name__ == "__main__":
    command_line.run(main, define_flags(), USAGE)
