"""Do the samples of a trained run spread around the truth? python benchmarks/best_of_samples.py --workdir=RUN"""

import sys
from pathlib import Path

from absl import flags

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import command_line  # before all that imports TensorFlow

# isort: split
import numpy as np
import tensorflow as tf

from datasets import dataset_of_run
from gan_zoo.data.pipeline import evaluation_batches
from gan_zoo.runs.loading import load_run
from gan_zoo.translation import translating

USAGE = """usage: python benchmarks/best_of_samples.py --workdir=RUN [flags]

L1 distances, in [-1, 1], of a run's translations to the truth on a split of its data set: of random samples on average,
of the best sample of each input, and of the reconstruction with the truth's own encoded z."""


def define_flags() -> flags.FlagValues:
    values = flags.FlagValues()
    kwargs = {"flag_values": values}
    flags.DEFINE_string("workdir", None, "folder of a trained run", required=True, **kwargs)
    flags.DEFINE_string("split", "val", "which part of the data set", **kwargs)
    flags.DEFINE_integer("num_samples", 20, "samples of each input", lower_bound=1, **kwargs)
    return values


def l1(images: tf.Tensor, truth: tf.Tensor) -> np.ndarray:
    """`[B]`: the mean absolute difference of each image `[B, H, W, C]` to the truth."""
    return tf.reduce_mean(tf.abs(images - truth), axis=(1, 2, 3)).numpy()


def main(values: flags.FlagValues) -> None:
    run, model, step = load_run(values.workdir)
    translator = next(iter(model.translators.values()))
    translate = tf.function(translator.function)
    source = dataset_of_run(run.dataset).load(values.split, model.config, run.data_dir)
    z = translating.sample_z(0, values.num_samples, translator.latent_dim)
    samples, encoded = [], []
    for example in evaluation_batches(source, model.config, batch_size=1):
        image, truth = example["input_image"], example["target_image"]
        samples.append(l1(translate(tf.repeat(image, values.num_samples, axis=0), z), truth))
        if translator.encode is not None:
            encoded.append(l1(translate(image, translator.encode(truth)[0]), truth))
    samples = np.array(samples)  # [inputs, num_samples]
    mean, best = samples.mean(), samples.min(axis=1).mean()
    print(f"{values.workdir}, step {step}: {len(samples)} inputs of {values.split}, {values.num_samples} samples each")
    print(f"  L1 of random samples {mean:.4f}, of the best of each input {best:.4f}: {best / mean:.3f} of the mean")
    if encoded:
        print(f"  L1 of encoded reconstructions {np.mean(encoded):.4f}: {np.mean(encoded) / mean:.3f} of the mean")


if __name__ == "__main__":
    command_line.run(main, define_flags(), USAGE)
