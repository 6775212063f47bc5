"""What a trained translator makes of the images of a data set, in batches as metrics take them.

The noise of sample n of example i is a function of (seed, i, n) alone: neither the batches nor the number of samples
change any of it. So is the label that example i is given by a translator that takes labels: one of those that its own
label is `asked_for`, of those that are not its own, each as likely.
"""

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np
import tensorflow as tf

from gan_zoo.data.examples import MASK_KEY
from gan_zoo.data.label_maps import label_picture
from gan_zoo.images import BadExample, to_uint8
from gan_zoo.learning.noise import example_noise, example_seeds
from gan_zoo.metrics.base import EvaluationBatch
from gan_zoo.translation import translating
from gan_zoo.translation.tiles import tiled

_PURPOSE, _LABEL = 60, 61  # keep this noise apart from that of training with the same seed
LABEL_KEY = "label"

Batches = Iterable[Mapping[str, tf.Tensor]]


def has_masks(source: Any) -> bool:
    """Whether the examples of a source that is not unpaired come with label masks, by the first good one."""
    for index in range(len(source)):
        with contextlib.suppress(BadExample):
            return MASK_KEY in source[index]
    return False


def provides(translator: Any, masks: bool = False) -> frozenset[str]:
    """The fields of an `EvaluationBatch` that a `gan_zoo.models.base.Translator` can fill.

    Args:
        masks: whether the examples have label masks.
    """
    encodes = translator.encode is not None
    has_truth = translator.target_key is not None
    there = {
        "targets": has_truth,
        "masks": has_truth and masks,
        "samples": translating.takes_noise(translator),
        "cycled": translator.cycle is not None,
        "z": bool(translator.latent_dim),
        "recovered_z": bool(translator.latent_dim) and encodes,
        "mu": encodes and has_truth,
        "logvar": encodes and has_truth,
    }
    return frozenset({"names", "outputs", "inputs"} | {field for field, is_there in there.items() if is_there})


def evaluation_noise(translator: Any, example_index: tf.Tensor, seed: int, num_samples: int) -> tf.Tensor:
    """z `[B, num_samples, latent_dim]` float32, or seeds `[B, num_samples]` int64, for examples of these indices.

    Sample n of an example is the same for any `num_samples`; graph-safe.
    """
    seeds = example_seeds((seed, _PURPOSE), tf.cast(example_index, tf.int64))
    sample = tf.TensorSpec([num_samples], tf.int64)
    if not translator.takes_seed:
        sample = tf.TensorSpec([num_samples, translator.latent_dim], tf.float32)
    return tf.map_fn(
        lambda each: translating.sample_noise(translator, each, num_samples), seeds, fn_output_signature=sample
    )


def evaluation_label(translator: Any, label: tf.Tensor, example_index: tf.Tensor, seed: int) -> tf.Tensor:
    """What examples of these labels and indices are given, `[B, num_labels]`; graph-safe."""
    asked_for = translator.asked_for(label)  # [B, num_labels, num_labels]
    changes = tf.reduce_any(asked_for != label[:, tf.newaxis], axis=-1)
    draws = example_noise((seed, _LABEL), tf.cast(example_index, tf.int64), len(translator.labels), uniform=True)
    return tf.gather(asked_for, tf.argmax(tf.where(changes, draws, -1.0), axis=-1), batch_dims=1)


class TranslatedBatches:
    """Translates batches, as often as is wanted; the graph is made at the first one, and follows the weights.

    Nothing is computed but the fields asked for. The samples of one input go through the network together; else a
    forward takes as many images as a batch has.

    Args:
        translator: a `gan_zoo.models.base.Translator`.
        fields: of `provides`; names and outputs are always there. Masks are those of the batches, as they are.
        num_samples: of each input, if `samples` is one of them.
        seed: of the noise, from 0 to 2^31 - 1.
    """

    def __init__(self, translator: Any, *, fields: Iterable[str], num_samples: int = 1, seed: int = 0) -> None:
        self.translator, self.seed = translator, seed
        self.fields = frozenset(fields) | {"names", "outputs"}
        if strange := self.fields - provides(translator, masks=True):
            raise ValueError(f"the translator has no {', '.join(sorted(strange))}")
        self.num_samples = num_samples if "samples" in self.fields else 1
        self._answer = tf.function(self._answers, reduce_retracing=True)

    def __call__(self, batches: Batches) -> Iterator[EvaluationBatch]:
        """Yields a batch for each one that `gan_zoo.data.pipeline.evaluation_batches` gives, its names the indices."""
        for batch in batches:
            count = int(batch["example_index"].shape[0])
            # A forward is about as large as a batch, so that the size of that bounds the memory.
            step = max(1, count // self.num_samples)
            parts = [self._part(batch, slice(start, start + step)) for start in range(0, count, step)]
            arrays = {field: np.concatenate([part[field] for part in parts]) for field in parts[0]}
            if self.translator.input_classes is not None and "inputs" in arrays:
                arrays["inputs"] = label_picture(arrays["inputs"][..., 0])  # to be looked at
            if "masks" in self.fields:
                arrays["masks"] = batch[MASK_KEY].numpy()[..., 0]
            yield EvaluationBatch(names=[str(index) for index in batch["example_index"].numpy()], **arrays)

    def _part(self, batch: Mapping[str, tf.Tensor], part: slice) -> dict[str, np.ndarray]:
        translator = self.translator
        keys = {"inputs": translator.input_key}
        if self.fields & {"targets", "mu", "logvar"}:
            keys["targets"] = translator.target_key
        if self.translator.labels:
            keys["labels"] = LABEL_KEY
        images = {name: batch[key][part] for name, key in keys.items()}
        return {name: answer.numpy() for name, answer in self._answer(images, batch["example_index"][part]).items()}

    def _answers(self, images: dict[str, tf.Tensor], example_index: tf.Tensor) -> dict[str, tf.Tensor]:
        """All the fields but the names, of `[b, H, W, C]` in [-1, 1] as "inputs" and, where need be, "targets".

        For a translator that takes labels there are the images' own as "labels", `[b, num_labels]`.
        """
        translator, fields, inputs = self.translator, self.fields, images["inputs"]
        num_samples = self.num_samples
        answers = {field: to_uint8(images[field]) for field in ("inputs", "targets") if field in fields}
        noise, first_noise = [], []
        if translator.labels:
            noise = [evaluation_label(translator, images["labels"], example_index, self.seed)]
            first_noise = [*noise, images["labels"]]
        if translating.takes_noise(translator):
            drawn = evaluation_noise(translator, example_index, self.seed, num_samples)  # [b, N, ...]
            first_noise = [drawn[:, 0]]
            noise = [tf.reshape(drawn, tf.concat([[-1], tf.shape(drawn)[2:]], 0))]
            if "z" in fields:
                answers["z"] = drawn[:, 0]
        repeated = tf.repeat(inputs, num_samples, axis=0) if num_samples > 1 else inputs
        if translator.tile_overlap is None:
            made = translator.function(repeated, *noise)  # [b * N, H, W, C]
        else:
            made = tiled(
                lambda part: translator.function(part, *noise),
                repeated,
                overlap=translator.tile_overlap,
                size_multiple=translator.size_multiple,
                scale=translator.scale,
            )
        first = made[::num_samples]
        answers["outputs"] = to_uint8(first)
        if "samples" in fields:
            samples = to_uint8(made)
            shape = tf.concat([tf.shape(inputs)[:1], [num_samples], tf.shape(samples)[1:]], 0)
            answers["samples"] = tf.reshape(samples, shape)
        if "cycled" in fields:
            answers["cycled"] = to_uint8(translator.cycle(inputs, *first_noise))
        if "recovered_z" in fields:
            answers["recovered_z"] = tf.cast(translator.encode(first)[0], tf.float32)
        if fields & {"mu", "logvar"}:
            encoded = zip(("mu", "logvar"), translator.encode(images["targets"]), strict=True)
            answers |= {field: tf.cast(value, tf.float32) for field, value in encoded if field in fields}
        return answers


def reference_images(batches: Batches, key: str) -> Iterator[np.ndarray]:
    """The images called `key` of all batches, one by one: `[H, W, C]` uint8."""
    for batch in batches:
        yield from to_uint8(batch[key]).numpy()


class OneDomain:
    """One domain of an unpaired source by itself, as a source: each of its images once, whatever the other one has."""

    kind = "unpaired"

    def __init__(self, source: Any, key: str) -> None:
        self.domains = {key: source.domains[key]}

    def __len__(self) -> int:
        return len(next(iter(self.domains.values())))
