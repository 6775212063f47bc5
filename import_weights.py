"""Brings weights of the authors' PyTorch code into a workdir, or writes ours as they would: see --help."""

from absl import flags

import command_line  # before all that imports TensorFlow
from gan_zoo.authors_weights.importing import import_weights, write_pytorch
from gan_zoo.errors import UserError

USAGE = """usage: python import_weights.py --weights=FOLDER_OR_FILES --workdir=NEW [--dry_run] [--set key=value ...]
       python import_weights.py --workdir=RUN --to_pytorch=FOLDER

Makes a workdir of weights that the authors' PyTorch code has saved, for translate.py, export.py and train.py; or writes
the weights of a run as files for that code. PyTorch is not needed, and nothing in a file is run."""


def define_flags() -> flags.FlagValues:
    values = flags.FlagValues()
    kwargs = {"flag_values": values}
    weights_help = (
        "latest_net_G.pth and its kin, with commas between them, U-GAT-IT's *_params_*.pt, or their folder (of which "
        "the epoch latest is taken, else the highest)"
    )
    flags.DEFINE_list("weights", None, weights_help, **kwargs)
    flags.DEFINE_string("workdir", None, "folder to make of the weights, or of the run to write", **kwargs)
    flags.DEFINE_boolean("dry_run", False, "only say what the weights are", **kwargs)
    flags.DEFINE_multi_string("set", [], "key=value, a setting that the weights do not tell; may be repeated", **kwargs)
    flags.DEFINE_string("to_pytorch", None, "folder for the files that PyTorch reads", **kwargs)
    return values


def main(values: flags.FlagValues) -> None:
    """Imports, or writes, and says what it did."""
    if bool(values.weights) == bool(values.to_pytorch):
        raise UserError("give either --weights, to import them, or --to_pytorch, to write those of a --workdir")
    if not values.workdir and not values.dry_run:
        raise UserError("--workdir is missing: the folder to make of the weights, or the run to write")
    if values.weights:
        import_weights(values.weights, None if values.dry_run else values.workdir, values.set)
        return
    if values.dry_run or values.set:
        raise UserError("--dry_run and --set belong to --weights")
    for path in write_pytorch(values.workdir, values.to_pytorch):
        print(path)


if __name__ == "__main__":
    command_line.run(main, define_flags(), USAGE)
