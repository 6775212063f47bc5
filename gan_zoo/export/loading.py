"""An exported SavedModel back in Python."""

import dataclasses
import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

from gan_zoo.data.reading import Reading
from gan_zoo.errors import UserError
from gan_zoo.images import to_float, to_uint8
from gan_zoo.translation.trained import Way

SAVED_MODEL = "saved_model.pb"
ABOUT_FILE = "assets.extra/gan_zoo.json"  # what the signatures do not say
_ABOUT = ("input_classes", "input_range", "output_range")  # of each translator
PLAIN = "translate"  # what the only translator of an export is called


@dataclasses.dataclass(frozen=True, kw_only=True)
class ExportedTranslator:
    """What the signatures of an export say of a translator; see `gan_zoo.models.base.Translator`."""

    input_channels: int
    output_channels: int
    latent_dim: int
    takes_seed: bool
    input_classes: int | None
    labels: tuple[str, ...]
    one_label: bool


def find_export(path: str | os.PathLike[str], version: str = "latest") -> Path | None:
    """The folder of a SavedModel at `path`, or of a version in the folder of versions there; None for something else.

    Args:
        path: the one or the other.
        version: "latest" for the highest number, or a number.

    Raises:
        UserError: for a version that is not there.
    """
    path = Path(path)
    if (path / SAVED_MODEL).is_file():
        if version not in ("latest", path.name):
            raise UserError(f"{path} is one version, {path.name}: give the folder of the versions for {version}")
        return path
    versions = {int(file.parent.name): file.parent for file in path.glob(f"*/{SAVED_MODEL}") if _number(file)}
    if not versions:
        return None
    if version == "latest":
        return versions[max(versions)]
    if version not in map(str, versions):
        raise UserError(f"{path} has no version {version}; there are {', '.join(map(str, sorted(versions)))}")
    return versions[int(version)]


def _number(file: Path) -> bool:
    return file.parent.name.isdecimal()


def exported_ways(folder: Path) -> dict[str, Way]:
    """The translators of an export by name. A SavedModel is a program: load only what you trust.

    Its pictures have 8 bits: what has more is rounded on the way in, but for one answer to uint16 without noise.

    Raises:
        UserError: if it is damaged, or none of `export.py`.
    """
    try:
        model = tf.saved_model.load(str(folder))
    except (OSError, ValueError, tf.errors.OpError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{folder} is no SavedModel that can be loaded ({reason})") from None
    signatures = model.signatures
    if not _is_ours(signatures.get("serving_default")):
        raise UserError(f"{folder} is no export of this project: it has the signatures {', '.join(signatures)}")
    prefix = "serving_default_"
    names = [key.removeprefix(prefix) for key in signatures if key.startswith(prefix)]
    about = _read_about(folder)
    return {name: _way(model, f"_{name}", about, name) for name in names} or {PLAIN: _way(model, "", about, PLAIN)}


def _read_about(folder: Path) -> dict[str, Any]:
    """What the export says of itself; nothing for one from before there was such a file.

    Raises:
        UserError: where it is damaged.
    """
    path = folder / ABOUT_FILE
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        whole = type(about["colour_profiles"]) is bool
        for its in about["translators"].values():
            whole &= all(its[key] is None or (type(its[key]) is int and 0 < its[key] < 65536) for key in _ABOUT)
            labels = its.get("labels", [])
            whole &= type(labels) is list and all(type(label) is str for label in labels)
            whole &= type(its.get("one_label", False)) is bool
    except FileNotFoundError:
        return {"colour_profiles": True, "translators": {}}
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        whole = False
    if not whole:
        raise UserError(f"{path} is damaged: export once more")
    return about


def _is_ours(plain: Any) -> bool:
    """Whether a signature is the one that every export of `export.py` has."""
    if plain is None or not isinstance(plain.structured_outputs, Mapping):
        return False
    return "image" in plain.structured_input_signature[1] and "translation" in plain.structured_outputs


def _way(model: Any, suffix: str, about: Mapping[str, Any], name: str) -> Way:
    """The way behind the signatures that end in `suffix`; it keeps the model, whose variables they read."""
    translators, profiles = about["translators"], about["colour_profiles"]
    # The only one bears no name in the signatures.
    its = translators.get(name) or next(iter(translators.values()), dict.fromkeys(_ABOUT))

    def call(name: str, **inputs: tf.Tensor) -> dict[str, tf.Tensor]:
        try:
            return model.signatures[name + suffix](**inputs)
        except tf.errors.InvalidArgumentError as error:
            raise UserError(f"the export refuses it: {_sentence(error)}") from None

    def answer(image: tf.Tensor, *noise: tf.Tensor) -> tf.Tensor:
        image = to_uint8(image)
        if not noise:
            made = call("serving_default", image=image)
        elif translator.labels:
            made = call("translate_to", image=image, label=noise[0])
        elif translator.latent_dim:
            made = call("sample", image=image, z=noise[0])
        else:
            made = call("sample_random", image=image, seed=noise[0])
        return to_float(made["translation"])

    def encode(image: tf.Tensor) -> tf.Tensor:
        return call("encode", image=to_uint8(image))["mu"]

    def answer_to_uint16(image: tf.Tensor) -> tf.Tensor:
        made = call("translate_uint16", image=image)["translation"]
        return made if made.dtype == tf.uint16 else tf.cast(made, tf.uint16) * 257

    translator = _described(model.signatures, suffix, its)
    return Way(
        translator,
        answer,
        encode if f"encode{suffix}" in model.signatures else None,
        cycle=None,
        ranges=(its["input_range"], its["output_range"]),
        readings=(Reading(profiles, its["input_classes"]), Reading(profiles)),
        answer_to_uint16=answer_to_uint16 if f"translate_uint16{suffix}" in model.signatures else None,
    )


def _sentence(error: tf.errors.InvalidArgumentError) -> str:
    """What the graph has to say, without the names of its operations around it."""
    found = re.search(r"assertion failed: \[(.*?)\]", str(error))
    return found[1] if found else str(error).splitlines()[0]


def _described(signatures: Mapping[str, Any], suffix: str, about: Mapping[str, Any]) -> ExportedTranslator:
    plain, sample = signatures[f"serving_default{suffix}"], signatures.get(f"sample{suffix}")
    latent_dim = sample.structured_input_signature[1]["z"].shape[-1] if sample else 0
    return ExportedTranslator(
        # An export of colours takes grey and RGB.
        input_channels=plain.structured_input_signature[1]["image"].shape[-1] or 3,
        output_channels=plain.structured_outputs["translation"].shape[-1],
        latent_dim=latent_dim,
        takes_seed=f"sample_random{suffix}" in signatures and not latent_dim,
        input_classes=about["input_classes"],
        labels=tuple(about.get("labels", ())),
        one_label=about.get("one_label", False),
    )
