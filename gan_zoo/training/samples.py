"""What the model makes of a few fixed examples while it learns, as pictures."""

import os
import pathlib
from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from gan_zoo.bicubic import enlarged
from gan_zoo.data.label_maps import label_picture
from gan_zoo.grids import heat_map, image_grid
from gan_zoo.images import to_uint8, write_png
from gan_zoo.training.callbacks import Logs, StepCallback
from gan_zoo.translation import translating

NUM_RANDOM_SAMPLES = 5


class SampleImages(StepCallback):
    """Draws what the model makes of the same images, with the same noise, at the start, every few steps and at the end.

    Args:
        start_step: steps done before this `fit`.
        translators: the model's.
        examples: a batch with the images that the translators name, `[B, H, W, C]` in [-1, 1].
        folder: gets `step_N.png`; with several translators `step_N_<name>.png`.
        writer: gets the same pictures for TensorBoard.
        every: steps between two pictures; 0 for none at all.
        total_steps: the step at which the run ends.
        seed: of the noise.
    """

    def __init__(
        self,
        start_step: int,
        *,
        translators: Mapping[str, Any],
        examples: Mapping[str, tf.Tensor],
        folder: str | os.PathLike[str],
        writer: tf.summary.SummaryWriter,
        every: int,
        total_steps: int,
        seed: int,
    ) -> None:
        super().__init__(start_step)
        self.translators, self.examples, self.folder = translators, examples, pathlib.Path(folder)
        self.writer, self.every, self.total_steps, self.seed = writer, every, total_steps, seed

    def on_train_begin(self, logs: Logs | None = None) -> None:
        if self.start_step == 0 and self.every:
            self.draw(0)
        else:
            self.make_up()

    def on_step(self, step: int, logs: Logs) -> None:
        if self.is_due(step):
            self.draw(step)

    def is_due(self, step: int) -> bool:
        """Whether a step has a picture."""
        return bool(self.every) and (step % self.every == 0 or step == self.total_steps)

    def make_up(self) -> None:
        """Draws the picture of the last step that was done, if the run was killed between its checkpoint and that."""
        if self.is_due(self.start_step) and not all(path.exists() for path in self._paths(self.start_step)):
            self.draw(self.start_step)

    def _paths(self, step: int) -> list[pathlib.Path]:
        return picture_paths(self.folder, self.translators, step)

    def draw(self, step: int) -> None:
        """Writes the grids of this step."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for (name, translator), path in zip(self.translators.items(), self._paths(step), strict=True):
            grid = sample_grid(translator, self.examples, self.seed)
            write_png(path, grid)
            with self.writer.as_default(step=step):
                tf.summary.image(f"samples/{name}", grid[np.newaxis])
        self.writer.flush()


def picture_paths(folder: pathlib.Path, translators: Collection[str], step: int) -> list[pathlib.Path]:
    """The file of each translator's grid."""
    return [folder / f"step_{step}{f'_{name}' if len(translators) > 1 else ''}.png" for name in translators]


def sample_grid(translator: Any, examples: Mapping[str, tf.Tensor], seed: int) -> np.ndarray:
    """A row for each example: input, truth (where there is another one), then what the translator makes of the input.

    The input of a translator that makes images larger is shown at their size, enlarged by interpolation; numbers of
    classes are shown in a colour for each.

    One that takes labels shows what each label asks for of the input's own.

    A translator with a latent vector shows the translation with the encoded z of the truth (its mean), where it has
    an encoder, and translations with random z, the same in all rows. Any other shows its one answer, with a seed of
    the row's own if it takes one. Where there is a way back, its end comes next, and where the model attends to parts
    of the input more than to others, a map of that comes last.

    Returns:
        `[H, W, 3]` uint8.
    """
    inputs = examples[translator.input_key]
    columns = {"input": inputs}
    if translator.target_key not in (None, translator.input_key):
        columns["truth"] = examples[translator.target_key]
    noise = []
    if translator.labels:
        asked_for = translator.asked_for(examples["label"])  # [B, num_labels, num_labels]
        each = {name: asked_for[:, number] for number, name in enumerate(translator.labels)}
        columns |= {name: translator.function(inputs, label) for name, label in each.items()}
        noise = [asked_for[:, 0], examples["label"]]
    elif translator.latent_dim:
        columns |= _answers_to_z(translator, inputs, columns.get("truth"), seed)
        noise = [tf.zeros([len(inputs), translator.latent_dim])]
    else:
        if translator.takes_seed:
            noise = [translating.sample_seeds(seed, len(inputs))]
        columns["output"] = translator.function(inputs, *noise)
    if translator.cycle is not None:
        columns["cycled"] = translator.cycle(inputs, *noise)
    pictures = [to_uint8(column).numpy() for column in columns.values()]
    if translator.input_classes is not None:
        pictures[0] = label_picture(pictures[0][..., 0])
    if translator.attention is not None:
        columns["attention"] = translating.to_levels(translator.attention(inputs, *noise)[1])
        pictures.append(heat_map(columns["attention"]))
    if translator.scale > 1:
        pictures[0] = np.stack([enlarged(image, translator.scale) for image in pictures[0]])
    return image_grid(list(zip(*pictures, strict=True)), column_titles=list(columns))


def _answers_to_z(translator: Any, inputs: tf.Tensor, truth: tf.Tensor | None, seed: int) -> dict[str, tf.Tensor]:
    columns = {}
    if translator.encode is not None and truth is not None:
        columns["encoded"] = translator.function(inputs, translator.encode(truth)[0])
    z = tf.random.stateless_normal([NUM_RANDOM_SAMPLES, translator.latent_dim], [seed, 3])
    for number, one_z in enumerate(z, start=1):
        same = tf.tile(one_z[tf.newaxis], [len(inputs), 1])
        columns[f"random {number}"] = translator.function(inputs, same)
    return columns
