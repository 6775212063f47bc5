"""How many side-by-side pairs a second the input delivers: JPEG files read, decoded, resized, cropped, batched.

    python benchmarks/pipeline.py
    python benchmarks/pipeline.py --image_size=128 --cores=1

The pictures are made here, smooth colours with grain, which JPEG finds about as hard as photographs. On a machine that
does other work at the same time, "pairs per CPU second" is the figure to look at.
"""

import os
import resource
import sys
import tempfile
import time
import types
from pathlib import Path

import numpy as np
from absl import app, flags
from PIL import Image

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from datasets import DATASETS
from gan_zoo.pipeline import training_stream

IMAGES = flags.DEFINE_integer("num_images", 400, "Files that are made and read.", lower_bound=1)
IMAGE_SIZE = flags.DEFINE_integer("image_size", 256, "Side of an image in the batch, pixels; the file holds two.")
LOAD_SCALE = flags.DEFINE_float("load_scale", 286 / 256, "Side that an image is resized to, in image sizes.")
BATCH_SIZE = flags.DEFINE_integer("batch_size", 4, "Pairs in a batch.", lower_bound=1)
CORES = flags.DEFINE_integer("cores", 0, "Processor cores to use; 0 for all.", lower_bound=0)
SECONDS = flags.DEFINE_float("seconds", 10.0, "Duration of the measurement.", lower_bound=0.1)


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


def peak_memory() -> float:
    """The most memory that this process has held so far, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def main(_: list[str]) -> None:
    cores = CORES.value or os.cpu_count()
    if CORES.value:
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: CORES.value])
    config = types.SimpleNamespace(
        image_size=IMAGE_SIZE.value,
        load_scale=LOAD_SCALE.value,
        flip=True,
        direction="a_to_b",
        input_channels=3,
        target_channels=3,
        batch_size=BATCH_SIZE.value,
        seed=0,
    )
    with tempfile.TemporaryDirectory() as data_dir:
        total = write_pairs(Path(data_dir) / "train", IMAGES.value, IMAGE_SIZE.value)
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
        while time.perf_counter() < start + SECONDS.value:
            next(batches)
            pairs += BATCH_SIZE.value
        rate = pairs / (time.perf_counter() - start)
        cpu_rate = pairs / (time.process_time() - cpu_start)
        del batches  # before the files go, which it would still read ahead
    size = IMAGE_SIZE.value
    print(f"{IMAGES.value} JPEG files of {2 * size}x{size} pixels, {total / IMAGES.value / 1000:.0f} kB each")
    print(f"listing the folder             {listed:8.3f} s")
    print(f"first batch, at step 10^9      {first:8.3f} s")
    print(f"pairs a second, {cores} core(s)      {rate:8.1f}")
    print(f"pairs a second and core        {rate / cores:8.1f}")
    print(f"pairs per CPU second           {cpu_rate:8.1f}")
    print(f"growth of the peak memory      {peak_memory() - memory:8.1f} MB over {pairs} pairs")


if __name__ == "__main__":
    app.run(main)
