"""Writes a trained run as a SavedModel for TensorFlow Serving and its like; the signatures: `gan_zoo.serving`."""

from pathlib import Path

from absl import flags

import command_line  # before all that imports TensorFlow
from gan_zoo import serving
from gan_zoo.checkpoints import FOLDER, KEPT_FOLDER, PREFIX, latest_step
from gan_zoo.errors import UserError
from gan_zoo.models.base import TranslationModel
from gan_zoo.models.loading import load_run

USAGE = """usage: python export.py --workdir=RUN [flags]

Writes the generator and the encoder of a trained run as the SavedModel OUTPUT/<step>."""


def define_flags() -> flags.FlagValues:
    values = flags.FlagValues()
    kwargs = {"flag_values": values}
    flags.DEFINE_string("workdir", None, "folder of a trained run", required=True, **kwargs)
    flags.DEFINE_string("output", None, "folder of the versions (default: WORKDIR/export)", **kwargs)
    flags.DEFINE_string("checkpoint", "latest", "latest, or the step of a checkpoint that is still there", **kwargs)
    return values


def main(values: flags.FlagValues) -> None:
    """Exports, and says what it wrote."""
    workdir = Path(values.workdir)
    _, model = load_run(workdir)
    # By its number even if it is the newest: a run that still trains may have written another one meanwhile.
    step = str(latest_step(workdir)) if values.checkpoint == "latest" else values.checkpoint
    restore_step(model, workdir, step)
    path = serving.export(model.translators, values.output or workdir / "export", int(step))
    megabytes = sum(file.stat().st_size for file in path.rglob("*")) / 1e6
    print(f"{path}: {megabytes:.1f} MB, signatures {', '.join(serving.signatures(model.translators))}")


def restore_step(model: TranslationModel, workdir: Path, step: str) -> None:
    """Loads the networks of the checkpoint of `step`, one of the last ones or of those kept for good.

    Raises:
        UserError: if there is no such checkpoint; those that there are, are listed.
    """
    import tensorflow as tf

    folders = [workdir / FOLDER, workdir / FOLDER / KEPT_FOLDER]
    paths = {file.stem.removeprefix(f"{PREFIX}-"): file for folder in folders for file in folder.glob("*.index")}
    if step not in paths:
        steps = ", ".join(sorted(paths, key=int))
        raise UserError(f"--checkpoint={step}: give latest, or the step of a checkpoint that is there: {steps}")
    tf.train.Checkpoint(networks=dict(model.networks)).read(str(paths[step].with_suffix(""))).expect_partial()


if __name__ == "__main__":
    command_line.run(main, define_flags(), USAGE)
