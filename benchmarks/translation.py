"""How good are a run's translations? python benchmarks/translation.py --workdir=RUN"""

import sys
from pathlib import Path

from absl import flags

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import command_line  # before all that imports TensorFlow

# isort: split
import numpy as np
import tensorflow as tf

from datasets import dataset_of_run
from datasets.definition import load_for
from gan_zoo.data.pipeline import evaluation_batches
from gan_zoo.runs.loading import load_run

USAGE = """usage: python benchmarks/translation.py --workdir=RUN [flags]

For a model that learns from pairs: the L1 distance of its translations to the truth, and that of the mean training
target. For a model that knows a way back: the PSNR of what comes back, and how far translations are from their inputs.

Distances are mean absolute differences of images in [-1, 1]."""


def define_flags() -> flags.FlagValues:
    values = flags.FlagValues()
    kwargs = {"flag_values": values}
    flags.DEFINE_string("workdir", None, "folder of a trained run", required=True, **kwargs)
    flags.DEFINE_string("checkpoint", "latest", "latest, best, or the step of one that is still there", **kwargs)
    flags.DEFINE_string("split", "val", "which part of the data set", **kwargs)
    return values


def extra_inputs(translator, count: int) -> list[tf.Tensor]:
    """z or seed 0, for a translator that takes one."""
    if translator.latent_dim:
        return [tf.zeros([count, translator.latent_dim])]
    return [tf.zeros([count], tf.int64)] if translator.takes_seed else []


def l1(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.mean(np.abs(a - b)))


def psnr(a: np.ndarray, b: np.ndarray) -> float:
    """In dB, for images in [-1, 1]."""
    return float(10 * np.log10(4 / np.mean(np.square(a - b))))


def main(values: flags.FlagValues) -> None:
    run, model, step = load_run(values.workdir, values.checkpoint)

    def batches(split: str) -> tf.data.Dataset:
        source = load_for(dataset_of_run(run.dataset), model.data_kind, split, model.config, run.data_dir)
        return evaluation_batches(source, model.config, batch_size=1, make_input=model.make_input)

    print(f"{values.workdir}, step {step}, split {values.split}")
    for name, translator in model.translators.items():
        translate = tf.function(translator.function)
        cycle = tf.function(translator.cycle) if translator.cycle is not None else None
        pairs = []  # of image, translation, truth, what came back
        for batch in batches(values.split):
            image = batch[translator.input_key]
            truth = batch[translator.target_key][0].numpy() if translator.target_key is not None else None
            back = cycle(image)[0].numpy() if cycle is not None else None
            translation = translate(image, *extra_inputs(translator, 1))[0].numpy()
            pairs.append((image[0].numpy(), translation, truth, back))
        print(f"{name}: {len(pairs)} images")
        if translator.target_key is not None:
            targets = batches("train").map(lambda batch, key=translator.target_key: batch[key][0])
            mean = np.mean(list(targets.as_numpy_iterator()), axis=0)
            ours = np.mean([l1(translation, truth) for _, translation, truth, _ in pairs])
            theirs = np.mean([l1(mean, truth) for _, _, truth, _ in pairs])
            print(f"  L1 {ours:.4f}, of the mean training target {theirs:.4f}: {ours / theirs:.3f} of it")
        if cycle is not None:
            print(f"  PSNR of the cycle {np.mean([psnr(image, back) for image, _, _, back in pairs]):.2f} dB")
        if translator.input_channels == translator.output_channels:
            distance = np.mean([l1(image, translation) for image, translation, _, _ in pairs])
            print(f"  distance from the identity {distance:.4f}")


if __name__ == "__main__":
    command_line.run(main, define_flags(), USAGE)
