"""Translates pictures with trained runs: samples, styles, interpolations, the way back, and a contact sheet."""

import sys
from pathlib import Path

import numpy as np
from absl import flags

import command_line  # before all that imports TensorFlow
from gan_zoo.data import picture_files
from gan_zoo.data.reading import Reading, readings_of
from gan_zoo.errors import UserError
from gan_zoo.images import FORMAT_NAMES, BadImage, allow_pixels
from gan_zoo.runs.loading import load_run
from gan_zoo.translation import painting
from gan_zoo.translation.painted_files import paint_files

USAGE = """usage: python translate.py --workdir=RUN[,RUN ...] --input=FILE_OR_FOLDER --output=FOLDER [flags]

Translates pictures of any size with trained runs, and shows all that it made in OUTPUT/contact_sheet.png."""


def define_flags() -> flags.FlagValues:
    values = flags.FlagValues()
    kwargs = {"flag_values": values}
    workdir_help = "folder of a trained run; several, with commas between them, are set side by side"
    flags.DEFINE_list("workdir", None, workdir_help, required=True, **kwargs)
    flags.DEFINE_string(
        "input",
        None,
        f"a picture or array, or a folder of {FORMAT_NAMES} or .npy files and of such folders",
        required=True,
        **kwargs,
    )
    flags.DEFINE_string("output", None, "the folder to write to", required=True, **kwargs)
    num_samples_help = "translations of each picture (default: 4 with random z, 1 with the dropout of a seed)"
    flags.DEFINE_integer("num_samples", None, num_samples_help, lower_bound=0, **kwargs)
    flags.DEFINE_integer("seed", 0, "of random z and dropout", lower_bound=0, upper_bound=2**31 - 1, **kwargs)
    flags.DEFINE_boolean("sync", False, "the same noise for all pictures (default: each has its own)", **kwargs)
    flags.DEFINE_string("encode", None, "a picture to take the style from, by its encoded z", **kwargs)
    flags.DEFINE_string("checkpoint", "latest", command_line.CHECKPOINT_HELP, **kwargs)
    interpolate_help = "frames of a walk from the z of sample 1 to that of sample 2, as a strip and an animation"
    flags.DEFINE_integer("interpolate", None, interpolate_help, lower_bound=2, **kwargs)
    flags.DEFINE_string("translator", None, "which one of a model that has several (default: its first)", **kwargs)
    flags.DEFINE_enum("inference_mode", None, ["train", "eval"], command_line.INFERENCE_MODE_HELP, **kwargs)
    flags.DEFINE_boolean("cycle", False, "show too what comes back from there and back again", **kwargs)
    attention_help = "show too where the translation comes from, as a heat map, for models with attention"
    flags.DEFINE_boolean("attention", False, attention_help, **kwargs)
    saturation_help = "factor for the colours that colorization gives: 0 is grey"
    flags.DEFINE_float("saturation", 1.0, saturation_help, lower_bound=0.0, **kwargs)
    hints_help = "colours to keep to, for colorization: a PNG of the picture's size, opaque at them alone, or a folder"
    flags.DEFINE_string("hints", None, hints_help, **kwargs)
    label_help = (
        "with commas between them: the classes to translate to, or the attributes that pictures are to have, and no "
        "others (default: each in turn)"
    )
    flags.DEFINE_list("label", None, label_help, **kwargs)
    flags.DEFINE_integer("max_pixels", None, command_line.MAX_PIXELS_HELP, lower_bound=1, **kwargs)
    return values


def main(values: flags.FlagValues) -> int:
    """Translates; returns 1 if there are pictures that could not be translated, else 0."""
    if values.max_pixels is not None:
        allow_pixels(values.max_pixels)
    files, bad = picture_files.find_images(values.input, without=values.output)
    root = Path(values.input) if Path(values.input).is_dir() else None
    if Path(values.input).resolve() == Path(values.output).resolve():
        raise UserError("--output: give another folder than --input, or the next run translates the translations")
    hints, unused_hints = ({}, []) if values.hints is None else picture_files.find_hints(values.hints, files, root)

    def style(reading: Reading) -> np.ndarray | None:
        if values.encode is None:
            return None
        try:
            return picture_files.read_image(Path(values.encode), reading)
        except BadImage as error:
            raise UserError(f"--encode: {values.encode} cannot be used: {error}") from None

    def painter(workdir: str, title: str) -> painting.Painter:
        _, model, _ = load_run(workdir, values.checkpoint, values.inference_mode)
        name, translator = painting.pick_translator(model.translators, values.translator)
        reading, reading_of_answers = readings_of(model.config, translator.input_key)
        return painting.Painter(
            title,
            translator,
            direction=name if len(model.translators) > 1 else None,
            num_samples=values.num_samples,
            seed=values.seed,
            sync=values.sync,
            style=style(reading_of_answers),
            num_frames=values.interpolate or 0,
            cycle=values.cycle,
            attention=values.attention,
            saturation=values.saturation,
            hints=bool(hints),
            labels=values.label,
            ranges=model.ranges_of(translator),
            reading=reading,
        )

    painters = list(map(painter, values.workdir, painting.titles(values.workdir)))

    def complain(file: Path, reason: str) -> None:
        print(f"not translated: {file}: {reason}", file=sys.stderr, flush=True)

    for file, reason in bad.items():
        complain(file, reason)
    if files:
        bad |= paint_files(files, painters, values.output, hints=hints, root=root, complain=complain)
    for file in unused_hints:
        print(f"hints not used: {file}: no picture has its name", file=sys.stderr)
    return 1 if bad else 0


if __name__ == "__main__":
    command_line.run(main, define_flags(), USAGE)
