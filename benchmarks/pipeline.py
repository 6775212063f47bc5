"""How many side-by-side pairs a second the input delivers: JPEG files read, decoded, resized, cropped, batched.

    python benchmarks/pipeline.py
    python benchmarks/pipeline.py --image_size=128 --cores=1

The pictures are made here, smooth colours with grain, which JPEG finds about as hard as photographs. On a machine that
does other work at the same time, "pairs per CPU second" is the figure to look at.
"""

import os
import sys
import tempfile
import time
import types
from pathlib import Path

from absl import flags

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import command_line  # before all that imports TensorFlow

# isort: split
import numpy as np
from PIL import Image

from benchmarks.machine import peak_memory
from datasets import DATASETS
from gan_zoo.data.pipeline import training_stream

USAGE = """usage: python benchmarks/pipeline.py [flags]

Makes side-by-side JPEG files, reads them as a training would, and counts."""


def define_flags() -> flags.FlagValues:
    values = flags.FlagValues()
    kwargs = {"flag_values": values}
    flags.DEFINE_integer("num_images", 400, "files that are made and read", lower_bound=1, **kwargs)
    size_help = "side of an image in the batch, in pixels; a file holds two of this size"
    flags.DEFINE_integer("image_size", 256, size_help, lower_bound=8, **kwargs)
    load_help = "images are resized to load_scale * image_size before the random crop (1: no crop)"
    flags.DEFINE_float("load_scale", 286 / 256, load_help, lower_bound=1.0, **kwargs)
    flags.DEFINE_integer("batch_size", 4, "pairs in a batch", lower_bound=1, **kwargs)
    flags.DEFINE_integer(
        "cores", 0, "processor cores to use; 0 for all (a number needs Linux)", lower_bound=0, **kwargs
    )
    flags.DEFINE_float("seconds", 10.0, "duration of the measurement", lower_bound=0.1, **kwargs)
    return values


def write_pairs(folder: Path, count: int, size: int) -> int:
    """Writes `count` JPEG files of `2 * size` x `size` pixels; returns their bytes in all."""
    folder.mkdir()
    random = np.random.default_rng(0)
    for index in range(count):
        colours = Image.fromarray(random.integers(0, 256, (16, 32, 3)).astype(np.uint8))
        picture = np.asarray(colours.resize((2 * size, size), Image.Resampling.BICUBIC))
        picture = (picture + random.normal(0, 6, picture.shape)).clip(0, 255).astype(np.uint8)
        Image.fromarray(picture).save(folder / f"{index:06d}.jpg", quality=90)
    return sum(path.stat().st_size for path in folder.iterdir())


def use_cores(count: int) -> None:
    """Binds this process, the threads that TensorFlow already has included, to `count` processor cores."""
    cores = sorted(os.sched_getaffinity(0))[:count]
    for thread in os.listdir("/proc/self/task"):
        os.sched_setaffinity(int(thread), cores)


def main(values: flags.FlagValues) -> None:
    """Prints pairs a second, a core and a CPU second, the time to the first batch, and the growth of the memory."""
    cores = values.cores or os.cpu_count()
    if values.cores:
        use_cores(values.cores)
    config = types.SimpleNamespace(
        image_size=values.image_size,
        load_scale=values.load_scale,
        preprocess="resize_and_crop",
        flip=True,
        direction="a_to_b",
        input_channels=3,
        target_channels=3,
        batch_size=values.batch_size,
        seed=0,
    )
    with tempfile.TemporaryDirectory() as data_dir:
        total = write_pairs(Path(data_dir) / "train", values.num_images, values.image_size)
        start = time.perf_counter()
        source = DATASETS["folder"].load("train", config, data_dir)
        listed = time.perf_counter() - start
        start = time.perf_counter()
        batches = iter(training_stream(source, config, start_step=10**9))
        next(batches)
        first = time.perf_counter() - start
        warm_up_ends = time.perf_counter() + 2.0
        while time.perf_counter() < warm_up_ends:
            next(batches)

        memory, start, cpu_start, pairs = peak_memory(), time.perf_counter(), time.process_time(), 0
        while time.perf_counter() < start + values.seconds:
            next(batches)
            pairs += values.batch_size
        rate = pairs / (time.perf_counter() - start)
        cpu_rate = pairs / (time.process_time() - cpu_start)
        del batches  # before the files go, which it would still read ahead
    size = values.image_size
    print(f"{values.num_images} JPEG files of {2 * size}x{size} pixels, {total / values.num_images / 1000:.0f} kB each")
    print(f"listing the folder             {listed:8.3f} s")
    print(f"first batch, at step 10^9      {first:8.3f} s")
    print(f"pairs a second, {cores} core(s)      {rate:8.1f}")
    print(f"pairs a second and core        {rate / cores:8.1f}")
    print(f"pairs per CPU second           {cpu_rate:8.1f}")
    print(f"growth of the peak memory      {(peak_memory() - memory) / 1e6:8.1f} MB over {pairs} pairs")


if __name__ == "__main__":
    command_line.run(main, define_flags(), USAGE)
