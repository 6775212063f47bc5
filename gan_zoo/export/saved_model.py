"""Trained translators on bytes: from uint8 images of any size to uint8 images, in Python and as a SavedModel.

The signatures of an export, B, H and W free. A translator takes no noise, or a latent vector z, or a seed; or a label:

| name | inputs | outputs |
|---|---|---|
| `serving_default` | `image` `[B, H, W, C]` uint8 | `translation` uint8, with z = 0 or seed 0; `attention` |
| `sample` (z only) | `image`, `z` `[B, latent_dim]` float32 | `translation` |
| `sample_random` (z or seed) | `image`, `seed` int64, one or `[B]` | `translation`, see `sample_z`, `sample_seeds` |
| `encode` (with an encoder only) | `image` of the output's kind, uint8 | `mu`, `logvar` `[B, latent_dim]` float32 |
| `translate_with_hints` (if it takes them only) | `image`, `hints` `[B, H, W, 4]` uint8 | `translation`, no noise |
| `translate_uint16` (not of classes) | `image` `[B, H, W, C]` uint16 | `translation`, no noise; see below |
| `translate_to` (labels only) | `image`, `label` `[B, num_labels]` float32 | `translation` to it |
| `labels` (labels only) | | `names` `[num_labels]`, in their order; `exclusive`: is one alone a label, a class? |
| `translate_bytes` (of pictures only) | `image_bytes` `[B]` JPEG or PNG | `translation_bytes` `[B]` PNG, as above |

`attention` is there for a translator that has it alone, `[B, H, W, 1]` uint8: 0 where it attends least to the image,
255 where most.

Of a translator that takes labels, signatures without one translate to the first. A label has a 1 for the class, or for
each attribute, that the image is to have.

The image of a translator of `chroma` is grey or RGB, C = 1 or 3, of which the L is looked at. Hints are RGBA of the
image's size: where alpha is 128 or more, the colour's a and b are what the user wants there; the other signatures have
none.

`translate_uint16` takes and gives the numbers of the run's files of 16 bit: white is 65535, or `input_range` and
`target_range` where the run has them. As by `translate.py` the answer is uint16 where the run has a `target_range`,
else uint8. `translate_bytes` does the same with files: a PNG of 16 bit is read as such, and where the run has a
`target_range` all answers are PNG of 16 bit. The other signatures have 8 bits.

Of a run with `input_classes` the image has one channel of the numbers of classes, and the files are PNG of grey or of a
palette, whose indices they are; a number that is none of a class is refused.

`translate_bytes` takes and gives files of 1, 3 or 4 channels: a translator with another count on a side has none.

The signatures of several translators end in `_<translator>`; those of the first are there by their plain names too.
TF Serving's REST interface takes and gives values whose names end in `_bytes` as `{"b64": "..."}`.

No answer depends on its neighbours in a batch, whoever put them together: all noise is a function of the image's own z
or seed, and the networks normalize each image by itself or by statistics that they learnt. pix2pix has the choice
(`inference_mode`): in `train` it normalizes each image by its own statistics and drops values as in training, by the
seed alone, so that the answer is the same again for the same seed; in `eval` it uses what it learnt and drops nothing.

No request ends a server: what a client sends is looked at in the graph (`requests`, `decoding`), and refused by a
sentence in an `InvalidArgumentError` before any decoder or network sees it: other ranks, no image, sides of one pixel
or fewer than the network mirrors, other channels, z, seeds or hints that do not fit the images, more than `max_pixels`.

`translate_bytes` takes JPEG and PNG alone, by their first bytes, and names the place in the batch of what it refuses:
an empty or damaged file, GIF, BMP, WebP, anything else, a header that claims more than `max_pixels`. Grey and RGB JPEG,
and PNG of 8 or 16 bit that is grey, RGB or either with alpha, come out as from `gan_zoo.images.decode_image`. Not
handled: an EXIF orientation (the picture stays as stored), a colour profile (its numbers are taken for sRGB), animated
PNG (its first picture is); CMYK and palettes are what TensorFlow makes of them. A JPEG in
whose middle data is missing, but not its end, is translated as it is: TensorFlow keeps libjpeg's warnings to itself.
"""

import dataclasses
import functools
import json
import os
import shutil
import uuid
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import tensorflow as tf

from gan_zoo.errors import UserError
from gan_zoo.export.files import of_files
from gan_zoo.export.labels import of_labels
from gan_zoo.export.loading import ABOUT_FILE
from gan_zoo.export.requests import MAX_PIXELS, MIN_SIDE, Limits, checked_image, checked_seed, checked_shape
from gan_zoo.images import to_uint8, to_uint16
from gan_zoo.translation.labels import first_label
from gan_zoo.translation.translating import attended, encode, no_noise, sample_noise, takes_noise, translate

Ranges = Mapping[str, tuple[int | None, int | None]]
NO_RANGES: Ranges = MappingProxyType({})


def signatures(
    translators: Mapping[str, Any], max_pixels: int = MAX_PIXELS, ranges: Ranges = NO_RANGES
) -> dict[str, Callable[..., dict]]:
    """The functions of an export by name, as the module's table has them; see there.

    Args:
        translators: by name, `gan_zoo.models.base.Translator`.
        max_pixels: of the images of a request together, and of each file of `translate_bytes`, as they go through the
            network: with the border that brings their sides to multiples, and enlarged if it enlarges.
        ranges: of each translator white in files of 16 bit, of what it takes and of what it gives; None, and a
            translator that is not named: 65535.
    """
    of_each = {
        name: _signatures_of(translator, max_pixels, ranges.get(name, (None, None)))
        for name, translator in translators.items()
    }
    functions = dict(next(iter(of_each.values()), {}))
    if len(of_each) > 1:
        for name, its in of_each.items():
            functions |= {f"{key}_{name}": function for key, function in its.items()}
    return functions


def _signatures_of(
    translator: Any, max_pixels: int, ranges: tuple[int | None, int | None]
) -> dict[str, Callable[..., dict[str, tf.Tensor]]]:
    style_limits = Limits((translator.output_channels,), max_pixels=max_pixels)
    channels = translator.input_channels if translator.chroma is None else None
    image_spec = tf.TensorSpec([None, None, None, channels], tf.uint8, name="image")
    style_spec = tf.TensorSpec([None, None, None, translator.output_channels], tf.uint8, name="image")
    hints_spec = tf.TensorSpec([None, None, None, 4], tf.uint8, name="hints")
    z_spec = tf.TensorSpec([None, translator.latent_dim], tf.float32, name="z")
    seed_spec = tf.TensorSpec(None, tf.int64, name="seed")

    compiled = functools.partial(_compiled, _traced_once(translator))
    answered = compiled(tf.uint8, to_uint8)
    of_types = {tf.uint8: answered, tf.uint16: compiled(tf.uint16, to_uint8)}
    if ranges[1] is not None:
        of_types = {dtype: compiled(dtype, to_uint16) for dtype in of_types}

    @functools.cache
    def limits() -> Limits:
        if translator.chroma is not None:  # its network sees pictures of any size in small
            return Limits((1, 3), max_pixels=max_pixels)
        with tf.init_scope():  # asked for while a signature is traced
            smallest = _smallest_side(translator, answered)
        multiple, scale = translator.size_multiple, translator.scale
        return Limits((translator.input_channels,), smallest, multiple, max_pixels, scale, translator.input_classes)

    def answer(image: tf.Tensor) -> tf.Tensor:
        return of_types[image.dtype](image, _default(translator, tf.shape(image)[0]))["translation"]

    @tf.function(input_signature=[image_spec])
    def serving_default(image: tf.Tensor) -> dict[str, tf.Tensor]:
        image = checked_image(image, limits())
        return answered(image, _default(translator, tf.shape(image)[0]))

    @tf.function(input_signature=[image_spec, z_spec])
    def sample(image: tf.Tensor, z: tf.Tensor) -> dict[str, tf.Tensor]:
        image = checked_image(image, limits())
        z = checked_shape("z", z, [tf.shape(image)[0], translator.latent_dim], "a row for each image")
        return {"translation": answered(image, z)["translation"]}

    @tf.function(input_signature=[image_spec, seed_spec])
    def sample_random(image: tf.Tensor, seed: tf.Tensor) -> dict[str, tf.Tensor]:
        image = checked_image(image, limits())
        count = tf.shape(image)[0]
        noise = sample_noise(translator, checked_seed(seed, count), count)
        return {"translation": answered(image, noise)["translation"]}

    @tf.function(input_signature=[style_spec])
    def encode_image(image: tf.Tensor) -> dict[str, tf.Tensor]:
        mu, logvar = encode(translator, checked_image(image, style_limits))
        return {"mu": mu, "logvar": logvar}

    @tf.function(input_signature=[image_spec, hints_spec])
    def translate_with_hints(image: tf.Tensor, hints: tf.Tensor) -> dict[str, tf.Tensor]:
        image = checked_image(image, limits())
        hints = checked_shape("hints", hints, [*tf.unstack(tf.shape(image)[:3]), 4], "RGBA as large as the image")
        return {"translation": translate(translator, image, hints=hints)}

    functions = {"serving_default": serving_default} | of_files(translator, answer, limits, ranges)
    if translator.labels:
        functions |= of_labels(translator, image_spec, answered, limits)
    if translator.latent_dim:
        functions["sample"] = sample
    if takes_noise(translator):
        functions["sample_random"] = sample_random
    if translator.encode is not None:
        functions["encode"] = encode_image
    if translator.takes_hints:
        functions["translate_with_hints"] = translate_with_hints
    return functions


def _traced_once(translator: Any) -> Any:
    """The translator with networks that whoever calls them calls as one function: an export holds each once."""
    functions = {name: getattr(translator, name) for name in ("function", "chroma", "attention")}
    traced = {name: tf.function(function) for name, function in functions.items() if function is not None}
    return dataclasses.replace(translator, **traced)


def _compiled(
    translator: Any, dtype: tf.DType, rounded: Callable[[tf.Tensor], tf.Tensor]
) -> Callable[..., dict[str, tf.Tensor]]:
    """What `serving_default` gives of images of a type and noise, or labels, for several signatures.

    Traced once: a function that calls another one costs neither a second copy in the file nor time at run time.

    Args:
        translator: from `_traced_once`.
        dtype: of the images, uint8 or uint16.
        rounded: `gan_zoo.images.to_uint8` or `to_uint16`.
    """
    channels = translator.input_channels if translator.chroma is None else None
    image_spec = tf.TensorSpec([None, None, None, channels], dtype)
    # One of the two numbers is 0, or both.
    z_spec = tf.TensorSpec([None, translator.latent_dim or len(translator.labels)], tf.float32)
    seed_spec = tf.TensorSpec([None], tf.int64)

    @tf.function(input_signature=[image_spec, seed_spec if translator.takes_seed else z_spec])
    def answered(image: tf.Tensor, noise: tf.Tensor) -> dict[str, tf.Tensor]:
        if translator.attention is None:
            return {"translation": translate(translator, image, noise, rounded=rounded)}
        made, attention = attended(translator, image, noise, rounded=rounded)
        return {"translation": made, "attention": attention}

    return answered


def _default(translator: Any, count: tf.Tensor | int) -> tf.Tensor:
    """What `count` images get that come without noise or label."""
    return first_label(translator, count) if translator.labels else no_noise(translator, count)


def _smallest_side(translator: Any, answered: Callable[..., dict[str, tf.Tensor]]) -> int:
    """The fewest pixels a side that the network takes, found by trying.

    Padding brings a side to a multiple, but a network may mirror more pixels than are left of that inside.
    """
    multiple = translator.size_multiple
    for side in range(multiple, translator.image_size, multiple):
        image = tf.zeros([1, side, side, translator.input_channels], tf.uint8)
        try:
            answered(image, _default(translator, 1))
        except tf.errors.InvalidArgumentError:
            continue
        break
    else:  # it learnt from this one
        side = -(-translator.image_size // multiple) * multiple
    return max(side - multiple + 1, MIN_SIDE)


def export(
    translators: Mapping[str, Any],
    folder: str | os.PathLike[str],
    version: int,
    max_pixels: int = MAX_PIXELS,
    *,
    ranges: Ranges = NO_RANGES,
    colour_profiles: bool = True,
) -> Path:
    """Writes the translators as the SavedModel `folder/version`, which is whole whenever it is there.

    TF Serving watches such a folder and serves its highest version. What `gan_zoo.load` wants to know beside the
    signatures lies in `assets.extra/`, where other programs do not look.

    Args:
        translators, max_pixels, ranges: as of `signatures`.
        folder: of the versions.
        version: its number.
        colour_profiles: whether the run converts pictures with a colour profile to sRGB.

    Returns:
        The path of the version.

    Raises:
        UserError: if the version exists, or the disk does not take it.
    """
    path = Path(folder) / str(version)
    if path.exists():
        raise UserError(f"{path} exists: remove it, or give another --output")
    functions = signatures(translators, max_pixels, ranges)
    module = tf.Module()
    # The variables that the signatures read, each listed once. Tracking the Keras models would store them twice
    # (as the models' and as the layers'), and with them the state of dropout's random generators.
    captured = {
        variable.ref(): variable
        for function in functions.values()
        for variable in function.get_concrete_function().variables
    }
    module.weights = [reference.deref() for reference in captured]
    partial = path.with_name(f".{path.name}.{os.getpid()}-{uuid.uuid4().hex[:8]}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        tf.saved_model.save(module, str(partial), signatures=functions)
        (partial / ABOUT_FILE).parent.mkdir()
        about = {name: _about(translator, ranges.get(name)) for name, translator in translators.items()}
        text = json.dumps({"colour_profiles": colour_profiles, "translators": about}, indent=2)
        (partial / ABOUT_FILE).write_text(text + "\n", encoding="utf-8")
        os.rename(partial, path)
    except tf.errors.OpError as error:
        full = "No space left" in error.message
        reason = "no space left on the disk" if full else error.message.splitlines()[0]
        raise UserError(f"{path} could not be written: {reason}") from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return path


def _about(translator: Any, ranges: tuple[int | None, int | None] | None) -> dict[str, Any]:
    taken, given = ranges or (None, None)
    about = {"input_classes": translator.input_classes, "input_range": taken, "output_range": given}
    return about | {"labels": list(translator.labels), "one_label": translator.one_label}
