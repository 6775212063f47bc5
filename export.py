"""Writes a trained run as a SavedModel for TensorFlow Serving and its like; what it holds: `gan_zoo/export/`."""

from pathlib import Path

from absl import flags

import command_line  # before all that imports TensorFlow
from gan_zoo.export import saved_model
from gan_zoo.export.requests import LARGEST_MAX_PIXELS, MAX_PIXELS
from gan_zoo.runs.loading import load_run
from gan_zoo.runs.workdir import refuse_links

USAGE = """usage: python export.py --workdir=RUN [flags]

Writes the generators (and the encoder) of a trained run as the SavedModel OUTPUT/<step>."""


def define_flags() -> flags.FlagValues:
    values = flags.FlagValues()
    kwargs = {"flag_values": values}
    flags.DEFINE_string("workdir", None, "folder of a trained run", required=True, **kwargs)
    flags.DEFINE_string("output", None, "folder of the versions (default: WORKDIR/export)", **kwargs)
    flags.DEFINE_string("checkpoint", "latest", command_line.CHECKPOINT_HELP, **kwargs)
    flags.DEFINE_enum("inference_mode", None, ["train", "eval"], command_line.INFERENCE_MODE_HELP, **kwargs)
    flags.DEFINE_integer(
        "max_pixels",
        MAX_PIXELS,
        "the export refuses pictures of more pixels, and batches of more in all, which would take the server's memory",
        lower_bound=1,
        upper_bound=LARGEST_MAX_PIXELS,
        **kwargs,
    )
    return values


def main(values: flags.FlagValues) -> None:
    """Exports, and says what it wrote."""
    workdir = Path(values.workdir)
    if not values.output:
        refuse_links(workdir)
    _, model, step = load_run(workdir, values.checkpoint, values.inference_mode)
    ranges = {name: model.ranges_of(translator) for name, translator in model.translators.items()}
    path = saved_model.export(
        model.translators,
        values.output or workdir / "export",
        step,
        values.max_pixels,
        ranges=ranges,
        colour_profiles=model.config.colour_profiles,
    )
    megabytes = sum(file.stat().st_size for file in path.rglob("*")) / 1e6
    print(f"{path}: {megabytes:.1f} MB, signatures {', '.join(saved_model.signatures(model.translators))}")


if __name__ == "__main__":
    command_line.run(main, define_flags(), USAGE)
