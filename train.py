"""Trains a model of the zoo: python train.py --model=bicyclegan --dataset=shapes"""

import dataclasses
import os
import re
import textwrap

from absl import flags

import command_line  # before all that imports TensorFlow
from datasets import DATASETS, OTHERS, find_dataset
from datasets.definition import load_for
from gan_zoo.config import Config, describe_type, parse_settings, refuse_idle, resolve
from gan_zoo.data.fingerprint import fingerprint
from gan_zoo.errors import UserError
from gan_zoo.images import allow_pixels
from gan_zoo.models import MODELS
from gan_zoo.runs.record import Run
from gan_zoo.runs.workdir import RESUME_WITH, check_workdir
from gan_zoo.training.loop import train
from gan_zoo.training.session import EPOCH, Intervals
from gan_zoo.training.setup import STRATEGIES, check_batch, count_steps, make_strategy
from gan_zoo.training.validation import NONE

# Settings that have a flag of their own; --set takes these and all the others.
SETTING_FLAGS = ("direction", "image_size", "batch_size", "epochs", "steps", "seed")
USAGE = """usage: python train.py --model=NAME [--dataset=NAME] [flags]

Trains until the last step, or goes on where the same command was stopped. All that a run makes lies in its workdir."""
HELP = {field.name: field.metadata["help"] for field in dataclasses.fields(Config)}


def define_flags() -> flags.FlagValues:
    values, defaults = flags.FlagValues(), Intervals()
    kwargs = {"flag_values": values}
    flags.DEFINE_string("model", None, f"what to train: {', '.join(MODELS)}", **kwargs)
    flags.DEFINE_string("dataset", "shapes", f"what to train on: {', '.join(DATASETS)}, {OTHERS}", **kwargs)
    flags.DEFINE_string(
        "data_dir", None, "folder of the images, or of downloads (default: the data set's own)", **kwargs
    )
    flags.DEFINE_string("workdir", None, "folder of the run (default: runs/MODEL_DATASET)", **kwargs)
    for name in SETTING_FLAGS:
        flags.DEFINE_string(name, None, f"{HELP[name]} ({describe_type(Config, name)})", **kwargs)
    flags.DEFINE_boolean("mixed_precision", None, HELP["mixed_precision"], **kwargs)
    flags.DEFINE_multi_string("set", [], "key=value, any setting of the model; may be repeated", **kwargs)
    strategy_help = "devices: auto (all GPUs where there are several), one, or mirrored (all of a kind)"
    flags.DEFINE_enum("strategy", "auto", STRATEGIES, strategy_help, **kwargs)
    minutes_help = "minutes between two checkpoints; the end of a data epoch always makes one"
    flags.DEFINE_float("checkpoint_minutes", defaults.checkpoint_minutes, minutes_help, lower_bound=0.0, **kwargs)
    keep_help = "data epochs between two checkpoints that are kept for good; 0: only the last three are kept"
    flags.DEFINE_integer("keep_every", defaults.keep_every, keep_help, lower_bound=0, **kwargs)
    flags.DEFINE_boolean("keep_every_epoch", False, "keep the checkpoint of every data epoch: --keep_every=1", **kwargs)
    sample_help = "steps between two pictures in workdir/samples; 0: none"
    flags.DEFINE_integer("sample_every", defaults.sample_every, sample_help, lower_bound=0, **kwargs)
    evaluate_help = "steps between two checks on validation examples, or epoch, in workdir/health.jsonl; 0: none"
    flags.DEFINE_string("evaluate_every", str(defaults.evaluate_every), evaluate_help, **kwargs)
    best_help = (
        "figure of the checks by which a checkpoint is the best, or none (default: the model's, l1, or cycle_psnr)"
    )
    flags.DEFINE_string("best_metric", None, best_help, **kwargs)
    stopping_help = "checks in a row without a new best, after which the run stops; 0: it does not stop early"
    flags.DEFINE_integer("early_stopping", defaults.early_stopping, stopping_help, lower_bound=0, **kwargs)
    resume_help = (
        "what may differ from the run that is there, with commas between them: data (other or more examples), "
        "learning_rate, schedule; each change is said and remembered"
    )
    flags.DEFINE_list("resume_with", [], resume_help, **kwargs)
    init_help = "folder of a run whose weights a new one starts with, for fine-tuning; all else begins anew"
    flags.DEFINE_string("init_from", None, init_help, **kwargs)
    flags.DEFINE_integer("max_pixels", None, command_line.MAX_PIXELS_HELP, lower_bound=1, **kwargs)
    log_help = "steps between two points in TensorBoard, and two lines where the output is no terminal"
    flags.DEFINE_integer("log_every", defaults.log_every, log_help, lower_bound=1, **kwargs)
    return values


def more_help(values: flags.FlagValues) -> str:
    lines = ["", "data sets:"]
    for name, definition in DATASETS.items():
        lines += command_line.entry(name, definition.description)
    for name in [values.model] if values.model in MODELS else MODELS:
        config_class = MODELS[name].config_class
        lines += ["", f"settings of {name}, for --set (a data set's recommended ones lie between these and yours):"]
        for field in dataclasses.fields(config_class):
            kind = f"{describe_type(config_class, field.name)}; default: {shown(field.default)}"
            lines += command_line.entry(field.name, f"{field.metadata['help']} ({kind})")
    return "\n".join(lines)


def shown(value: object) -> str:
    """A setting's value as --set takes it."""
    return str(value).lower() if value is None or isinstance(value, bool) else str(value)


def describe(config: Config, origins: dict[str, str]) -> str:
    """The settings with their origins: a row for each that differs from the model's defaults, then the others."""
    values = {key: shown(value) for key, value in config.to_dict().items()}
    rows = [f"  {key:<24} {values[key]:<12} {origin}" for key, origin in origins.items() if origin != "default"]
    rest = ", ".join(f"{key} {values[key]}" for key, origin in origins.items() if origin == "default")
    return "\n".join([*rows, *textwrap.wrap(f"default: {rest}", 116, initial_indent="  ", subsequent_indent="    ")])


def choose(name: str, value: str | None, table: dict) -> object:
    if value not in table:
        what = f"--{name}={value} is unknown" if value else f"--{name} is missing"
        raise UserError(f"{what}; there are {', '.join(table)}")
    return table[value]


def checks_every(text: str) -> int | str:
    """What --evaluate_every says: steps, or "epoch"."""
    if text != EPOCH and not re.fullmatch("[0-9]+", text):
        raise UserError(f"--evaluate_every={text}: give a number of steps, 0 for no checks, or {EPOCH}")
    return text if text == EPOCH else int(text)


def checkpoints_kept(args: flags.FlagValues) -> int:
    """Every how many data epochs a checkpoint is kept for good."""
    if not args.keep_every_epoch:
        return args.keep_every
    if args["keep_every"].present and args.keep_every != 1:
        raise UserError(f"--keep_every={args.keep_every} and --keep_every_epoch, which is 1: give one of them")
    return 1


def beginning(config: Config, num_examples: int) -> str | None:
    """When the discriminator joins a generator that is trained alone first; None where it is there from the start."""
    epochs = getattr(config, "pretrain_epochs", 0)
    if not epochs:
        return None
    steps_per_epoch, total_steps = count_steps(config, num_examples)
    alone = epochs * steps_per_epoch
    if alone < total_steps:
        return f"pretrain_epochs={epochs}: the discriminator takes part from step {alone + 1} on"
    return (
        f"warning: pretrain_epochs={epochs} are {alone} steps and the run has {total_steps}: the discriminator never "
        "takes part"
    )


def main(args: flags.FlagValues) -> int:
    if args.max_pixels is not None:
        allow_pixels(args.max_pixels)
    model_class, definition = choose("model", args.model, MODELS), find_dataset(args.dataset)
    if not definition.serves(model_class.data_kind):
        fitting = [name for name, other in DATASETS.items() if other.serves(model_class.data_kind)]
        raise UserError(
            f"{args.model} learns from {model_class.data_kind} images, {args.dataset} has {definition.kind} ones; "
            f"fitting are {', '.join(fitting)}"
        )
    keep_every, evaluate_every = checkpoints_kept(args), checks_every(args.evaluate_every)
    if not evaluate_every and args.best_metric not in (None, NONE):
        raise UserError(
            f"--best_metric={args.best_metric} needs checks: give --evaluate_every a number of steps, or {EPOCH}"
        )
    config_class = model_class.config_class
    given = [f"{name}={args[name].value}" for name in SETTING_FLAGS if args[name].value is not None]
    flagged = parse_settings(config_class, given)
    if args.mixed_precision is not None:
        flagged["mixed_precision"] = args.mixed_precision
    recommended = definition.recommended.get(args.model, {})
    layers = [("recommended", recommended), ("--set", parse_settings(config_class, args.set)), ("flag", flagged)]
    config, origins = resolve(config_class, layers)
    refuse_idle(config, [name for name, origin in origins.items() if origin in ("--set", "flag")])

    data_dir = args.data_dir and os.path.abspath(args.data_dir)
    if model_class.data_kind == "labelled":
        filled = definition.label_settings(config, data_dir)
        origins |= {name: "data set" for name in filled if getattr(config, name) is None}
        config = dataclasses.replace(config, **filled)
    workdir = args.workdir or os.path.join("runs", re.sub("[:/]", "_", f"{args.model}_{args.dataset}"))
    run = Run(model=args.model, dataset=args.dataset, data_dir=data_dir, settings=config.to_dict(), origins=origins)
    for word in args.resume_with:
        choose("resume_with", word, RESUME_WITH)
    more = {"resume_with": args.resume_with, "init_from": args.init_from}
    check_workdir(workdir, run, config_class, **more)  # before anything is downloaded
    strategy = make_strategy(args.strategy)
    check_batch(config, strategy)
    source = load_for(definition, model_class.data_kind, "train", config, data_dir)
    try:
        sample_source = load_for(definition, model_class.data_kind, "val", config, data_dir)
    except UserError as error:
        print(f"the sample pictures show training examples ({error})")
        sample_source = source
    devices = f"{strategy.num_replicas_in_sync} device{'s' if strategy.num_replicas_in_sync > 1 else ''}"
    counts = [len(part) for part in getattr(source, "domains", {"pairs": source}).values()]
    examples = " + ".join(map(str, counts))
    print(f"{args.model} on {args.dataset}: {examples} training examples, {devices}, workdir {workdir}")
    print(describe(config, origins), flush=True)
    if line := beginning(config, len(source)):
        print(line, flush=True)
    return train(
        model_class,
        config,
        dataclasses.replace(
            run,
            num_examples=len(source),
            domain_counts=counts if len(counts) > 1 else None,
            fingerprint=fingerprint(source, data_dir),
        ),
        workdir,
        source=source,
        sample_source=sample_source,
        strategy=strategy,
        intervals=Intervals(
            checkpoint_minutes=args.checkpoint_minutes,
            keep_every=keep_every,
            sample_every=args.sample_every,
            evaluate_every=evaluate_every,
            log_every=args.log_every,
            early_stopping=args.early_stopping,
        ),
        best_metric=args.best_metric,
        **more,
        say=lambda line: print(line, flush=True),
    )


if __name__ == "__main__":
    command_line.run(main, define_flags(), USAGE, more_help=more_help)
