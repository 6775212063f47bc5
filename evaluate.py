"""Says how good a trained run is, or a folder of images: python evaluate.py --workdir=runs/bicyclegan_shapes"""

import os
import shlex

from absl import flags

import command_line  # before all that imports TensorFlow
from datasets import DATASETS, OTHERS, dataset_of_run, find_dataset
from datasets.definition import load_for
from gan_zoo.authors_weights.importing import UNKNOWN
from gan_zoo.errors import UserError
from gan_zoo.evaluation.folders import evaluate_folders
from gan_zoo.evaluation.output import BATCH_SIZE, NUM_SAMPLES, Settings
from gan_zoo.evaluation.runs import evaluate_run
from gan_zoo.images import allow_pixels
from gan_zoo.metrics import METRICS
from gan_zoo.models.base import TranslationModel
from gan_zoo.runs.record import Run

USAGE = """usage: python evaluate.py --workdir=RUN [flags]
       python evaluate.py --generated=FOLDER --reference=FOLDER [flags]

Measures the translations of a trained run on a split of its data set, or any images against those of the same names in
another folder. Prints a table, writes OUTPUT/step_N.json and OUTPUT/report.html. Leaves with 1 if it skipped files or
checkpoints, or could not compute a metric of --metrics, or without --metrics none at all."""
SEGMENTER_HELP = (
    "Keras file (.keras) of a network that labels the generated photos, for label_score against label maps in "
    "--reference; it takes RGB in [0, 255] and gives logits or probabilities"
)
OF_ALL = ("num_images", "num_samples", "seed", "batch_size", "weights_dir")
OF_RUNS = {"dataset", "data_dir", "split", "checkpoint", "translator", "inference_mode", "num_samples"}


def define_flags() -> flags.FlagValues:
    values = flags.FlagValues()
    kwargs = {"flag_values": values}
    flags.DEFINE_string("workdir", None, "folder of a trained run", **kwargs)
    flags.DEFINE_string("generated", None, "folder of images to judge", **kwargs)
    flags.DEFINE_string("reference", None, "folder of real images; an image's truth has its name", **kwargs)
    flags.DEFINE_string("segmenter", None, SEGMENTER_HELP, **kwargs)
    flags.DEFINE_string("dataset", None, f"{', '.join(DATASETS)}, {OTHERS} (default: the run's own)", **kwargs)
    flags.DEFINE_string("data_dir", None, "folder of the images, or of downloads (default: the run's own)", **kwargs)
    flags.DEFINE_string("split", "val", "part of the data set: train, val or test", **kwargs)
    flags.DEFINE_string("checkpoint", "latest", "latest, best, all, or the step of one that is there", **kwargs)
    metrics_help = f"with commas between them: {', '.join(METRICS)} (default: the usual ones that can be computed)"
    flags.DEFINE_list("metrics", None, metrics_help, **kwargs)
    flags.DEFINE_integer("num_images", None, "the first so many (default: all)", lower_bound=1, **kwargs)
    flags.DEFINE_integer("num_samples", None, f"of each input (default: {NUM_SAMPLES})", lower_bound=2, **kwargs)
    flags.DEFINE_integer("seed", 0, "of random z, dropout, pairs", lower_bound=0, upper_bound=2**31 - 1, **kwargs)
    flags.DEFINE_integer("batch_size", BATCH_SIZE, "images at once", lower_bound=1, **kwargs)
    flags.DEFINE_string("weights_dir", None, "folder of metrics' weights (default: fetched into a cache)", **kwargs)
    flags.DEFINE_string("translator", None, "which one of a model that has several (default: all)", **kwargs)
    flags.DEFINE_enum("inference_mode", None, ["train", "eval"], command_line.INFERENCE_MODE_HELP, **kwargs)
    flags.DEFINE_integer("max_pixels", None, command_line.MAX_PIXELS_HELP, lower_bound=1, **kwargs)
    flags.DEFINE_string("output", None, "folder to write to (WORKDIR/evaluation, GENERATED_evaluation)", **kwargs)
    return values


def main(values: flags.FlagValues) -> int:
    """Evaluates; returns 1 if there were files that could not be used or figures that could not be had, else 0."""
    folders = bool(values.generated), bool(values.reference)
    if bool(values.workdir) == any(folders) or any(folders) != all(folders):
        raise UserError("give either the --workdir of a run, or both --generated and --reference")
    if values.max_pixels is not None:
        allow_pixels(values.max_pixels)
    settings = Settings(names=values.metrics, **{key: values[key].value for key in OF_ALL})
    given = [name for name in values if values[name].present]
    command = shlex.join(["python", "evaluate.py", *(values[name].serialize() for name in given)])
    shared = {"output": values.output, "about": {"command": command}}
    if not values.workdir:
        for name in set(given) & OF_RUNS:
            raise UserError(f"--{name} belongs to --workdir")
        shared["segmenter"] = values.segmenter
        return int(not evaluate_folders(values.generated, values.reference, settings, **shared))
    if values.segmenter:
        raise UserError("--segmenter belongs to --generated and --reference")

    def load_source(run: Run, model: TranslationModel):
        if values.dataset is None and run.dataset == UNKNOWN:
            raise UserError(
                f"{values.workdir} was imported, so nothing says what it learnt from: give --dataset, and "
                "--data_dir for a folder of your own images"
            )
        name = values.dataset or run.dataset
        own = run.data_dir if name == run.dataset else None
        data_dir = os.path.abspath(values.data_dir) if values.data_dir else own
        definition = find_dataset(name) if values.dataset else dataset_of_run(name)
        source = load_for(definition, model.data_kind, values.split, model.config, data_dir)
        return source, {"dataset": name, "data_dir": data_dir, "split": values.split}

    choice = {name: values[name].value for name in ("checkpoint", "translator", "inference_mode")}
    return int(not evaluate_run(values.workdir, load_source, settings, **choice, **shared).whole)


if __name__ == "__main__":
    command_line.run(main, define_flags(), USAGE)
