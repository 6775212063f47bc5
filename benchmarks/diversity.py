"""Does one drawing get many colours, does the encoder carry a style over? python benchmarks/diversity.py"""

import sys
import time
from pathlib import Path

from absl import flags

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
import command_line  # before all that imports TensorFlow

# isort: split
import numpy as np
import tensorflow as tf

from datasets import DATASETS
from datasets.shapes import HUES, ShapesSource
from datasets.shapes.measures import hue_of, nearest_hue
from gan_zoo.config import parse_settings, resolve
from gan_zoo.data.pipeline import evaluation_batches, training_stream
from gan_zoo.grids import image_grid
from gan_zoo.images import to_uint8, write_png
from gan_zoo.models.base import TranslationModel, Translator
from gan_zoo.models.bicyclegan import BicycleGAN, BicycleGANConfig
from gan_zoo.training.setup import build_model, count_steps, learning_rate_schedule

USAGE = """usage: python benchmarks/diversity.py [flags]

Trains BicycleGAN on `shapes`, once a seed, and reports for drawings that it has not seen (the `val` split): the share
of drawings of which 32 samples reach at least 4 of the 6 hues, the share of style pictures whose hue comes back with
their encoded z, and the L1 distance of encoded reconstructions and of random samples to the truth, in [-1, 1].

    python benchmarks/diversity.py --set z_injection=all
    python benchmarks/diversity.py --set objective=noise      # pix2pix with a random z, the paper's baseline"""
SAMPLES = 32
MIN_SAMPLES = 2  # samples that make a hue count
MIN_SATURATION = 0.3
ENOUGH_HUES = 4


def train(config: BicycleGANConfig) -> TranslationModel:
    source = DATASETS["shapes"].load("train", config, None)
    steps_per_epoch, steps = count_steps(config, len(source))
    model = build_model(BicycleGAN, config)
    model.compile(learning_rate_schedule(config, steps, steps_per_epoch))
    stream = training_stream(source, config, batch_parts=model.config.batch_parts)
    model.fit(stream, epochs=1, steps_per_epoch=steps, shuffle=False, verbose=0)
    return model


def hue_index(image: np.ndarray, foreground: np.ndarray) -> int | None:
    """Which of the six hues a translation has; None if it is pale or between two hues."""
    degrees, saturation = hue_of(image, foreground)
    return nearest_hue(degrees) if saturation > MIN_SATURATION else None


def measure(translator: Translator, source: ShapesSource, config: BicycleGANConfig, num_drawings: int) -> dict:
    """The figures of one trained model; images in [-1, 1]."""
    batches = list(evaluation_batches(source, config, batch_size=num_drawings).take(1))
    drawings, truths, hues = (batches[0][key] for key in ("input_image", "target_image", "hue"))
    foregrounds = [source.foreground(index) for index in range(num_drawings)]
    translate = tf.function(translator.function, reduce_retracing=True)
    z = tf.random.stateless_normal([SAMPLES, translator.latent_dim], [config.seed, 99])

    reached, sample_l1 = [], []
    for index in range(num_drawings):
        samples = translate(tf.repeat(drawings[index : index + 1], SAMPLES, axis=0), z)
        found = [hue_index(image, foregrounds[index]) for image in to_uint8(samples).numpy()]
        reached.append(sum(found.count(hue) >= MIN_SAMPLES for hue in range(len(HUES))))
        sample_l1.append(float(tf.reduce_mean(tf.abs(samples - truths[index]))))
    figures = {
        f"drawings_with_{ENOUGH_HUES}_hues": float(np.mean(np.array(reached) >= ENOUGH_HUES)),
        "hues_a_drawing": float(np.mean(reached)),
        "l1_random": float(np.mean(sample_l1)),
    }
    if translator.encode is not None:
        mu, logvar = translator.encode(truths)
        encoded = translate(drawings, mu)
        figures["l1_encoded"] = float(tf.reduce_mean(tf.abs(encoded - truths)))
        figures["kl"] = float(tf.reduce_mean(-0.5 * tf.reduce_sum(1 + logvar - mu**2 - tf.exp(logvar), -1)))
        # Each drawing in the style of the picture after it: another object, and its hue is known.
        styled = to_uint8(translate(drawings, tf.roll(mu, -1, axis=0))).numpy()
        right = [
            hue_index(image, foreground) == int(hue)
            for image, foreground, hue in zip(styled, foregrounds, tf.roll(hues, -1, axis=0), strict=True)
        ]
        figures["style_hue_right"] = float(np.mean(right))
    return figures


def sheet(translator: Translator, source: ShapesSource, config: BicycleGANConfig) -> np.ndarray:
    """Eight drawings, their truths, reconstructions and eight samples each, as one picture."""
    batch = next(iter(evaluation_batches(source, config, batch_size=8)))
    z = tf.random.stateless_normal([8, translator.latent_dim], [config.seed, 99])
    columns = [batch["input_image"], batch["target_image"]]
    titles = ["input", "truth", *(["encoded"] if translator.encode else []), *(f"random {i + 1}" for i in range(8))]
    if translator.encode is not None:
        columns.append(translator.function(batch["input_image"], translator.encode(batch["target_image"])[0]))
    columns += [translator.function(batch["input_image"], tf.repeat(z[i : i + 1], 8, axis=0)) for i in range(8)]
    return image_grid([[to_uint8(column[row]).numpy() for column in columns] for row in range(8)], titles)


def define_flags() -> flags.FlagValues:
    values = flags.FlagValues()
    kwargs = {"flag_values": values}
    flags.DEFINE_integer("steps", 3500, "training steps", lower_bound=1, **kwargs)
    flags.DEFINE_multi_integer("seed", [0, 1, 2], "a training each; may be repeated", **kwargs)
    flags.DEFINE_multi_string("set", [], "key=value: a setting of BicycleGAN; may be repeated", **kwargs)
    flags.DEFINE_integer("num_drawings", 50, "unseen drawings to translate", 8, 200, **kwargs)
    flags.DEFINE_string("picture", None, "write sample sheets there; SEED in the name is replaced", **kwargs)
    return values


def main(values: flags.FlagValues) -> None:
    results = []
    for seed in values.seed:
        config, _ = resolve(
            BicycleGANConfig,
            [
                ("recommended", DATASETS["shapes"].recommended["bicyclegan"]),
                ("--set", parse_settings(BicycleGANConfig, values.set)),
                ("flag", {"seed": seed, "steps": values.steps}),
            ],
        )
        start = time.perf_counter()
        model = train(config)
        minutes = (time.perf_counter() - start) / 60
        source = DATASETS["shapes"].load("val", config, None)
        figures = measure(model.translators["translate"], source, config, values.num_drawings)
        results.append(figures)
        print(f"seed {seed}: {minutes:.1f} min, " + ", ".join(f"{k} {v:.3f}" for k, v in figures.items()), flush=True)
        if values.picture:
            picture = sheet(model.translators["translate"], source, config)
            write_png(values.picture.replace("SEED", str(seed)), picture)
    print("median: " + ", ".join(f"{key} {np.median([r[key] for r in results]):.3f}" for key in results[0]))


if __name__ == "__main__":
    command_line.run(main, define_flags(), USAGE)
