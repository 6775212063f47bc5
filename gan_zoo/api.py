"""The zoo from Python: load, translate, train, evaluate. `import gan_zoo` loads these names at first use."""

import os
import pathlib
from collections.abc import Callable, Sequence
from typing import Any, Literal

from gan_zoo import metrics
from gan_zoo.config import refuse_idle
from gan_zoo.data.examples import ExampleSource
from gan_zoo.data.reading import readings_of
from gan_zoo.data.single import as_single
from gan_zoo.data.unpaired import UnpairedView
from gan_zoo.errors import UserError
from gan_zoo.evaluation.output import Settings
from gan_zoo.evaluation.runs import evaluate_run
from gan_zoo.export.loading import exported_ways, find_export
from gan_zoo.metrics.base import Figure
from gan_zoo.models import MODELS
from gan_zoo.runs.loading import load_run
from gan_zoo.runs.record import CONFIG_FILE, Run
from gan_zoo.runs.workdir import RESUME_WITH
from gan_zoo.training import loop
from gan_zoo.training.session import Intervals
from gan_zoo.training.setup import make_strategy
from gan_zoo.translation.trained import TrainedModel, way_of

DATASET = "python"  # what a run says that it was trained on, where that was a source from Python
Path = str | os.PathLike[str]

_trained_on: dict[pathlib.Path, ExampleSource] = {}  # held-out examples of the runs of this process, by workdir


def list_models() -> list[str]:
    """The names that `train(model=...)` takes."""
    return list(MODELS)


def list_metrics() -> list[str]:
    """The names that `evaluate(metrics=...)` takes."""
    return list(metrics.METRICS)


def load(path: Path, *, checkpoint: str | int = "latest", inference_mode: str | None = None) -> TrainedModel:
    """Loads a trained model.

    Args:
        path: the workdir of a run; or what `export.py` wrote, the SavedModel or the folder of its versions. That is a
            program: load only what you trust.
        checkpoint: "latest", "best", or the step of one that is still there; of exports "latest" or a version.
        inference_mode: "train" or "eval", for a model that has the choice; None: as it was trained.

    Returns:
        What translates; see `gan_zoo.translation.trained.TrainedModel`.

    Raises:
        UserError: if there is no such thing.
    """
    is_run = (pathlib.Path(path) / CONFIG_FILE).exists()
    if not is_run and (folder := find_export(path, str(checkpoint))) is not None:
        if inference_mode is not None:
            raise UserError(f"inference_mode={inference_mode}: the mode of an export is that of export.py")
        version = int(folder.name) if folder.name.isdecimal() else 0
        return TrainedModel(exported_ways(folder), None, version)
    _, model, step = load_run(path, str(checkpoint), inference_mode)
    ways = {
        name: way_of(each, model.ranges_of(each), readings_of(model.config, each.input_key))
        for name, each in model.translators.items()
    }
    return TrainedModel(ways, model.config, step)


def train(
    *,
    model: str,
    source: ExampleSource,
    workdir: Path,
    validation_source: ExampleSource | None = None,
    strategy: Literal["auto", "one", "mirrored"] = "auto",
    checkpoint_minutes: float = Intervals.checkpoint_minutes,
    keep_every: int = Intervals.keep_every,
    sample_every: int = Intervals.sample_every,
    evaluate_every: int | Literal["epoch"] = Intervals.evaluate_every,
    log_every: int = Intervals.log_every,
    early_stopping: int = Intervals.early_stopping,
    best_metric: str | None = None,
    resume_with: Sequence[str] = (),
    init_from: Path | None = None,
    say: Callable[[str], None] = print,
    **settings: Any,
) -> TrainedModel:
    """Trains a model as `train.py` does, from the newest checkpoint in `workdir` if there is one.

    Args:
        model: of `list_models`.
        source: the examples to train on: `source[i]` gives `{"input_image", "target_image"}`, `[H, W, C]` uint8 or
            uint16; see `gan_zoo.data.examples.ExampleSource`. Pairs serve models of two domains too, targets those
            that make their input. A model of labelled images needs a `gan_zoo.data.labelled.LabelledSource`, and the
            names of its labels as `classes` or `attributes`.
        workdir: the folder of the run, made if it is missing.
        validation_source: held-out examples, for sample pictures and checks; None shows those of `source`.
        strategy: which devices, see `gan_zoo.training.setup.make_strategy`.
        checkpoint_minutes, keep_every, sample_every, evaluate_every, log_every, early_stopping, best_metric: as the
            flags of `train.py`.
        resume_with: what may differ from the run that is in `workdir`: "data" (other or more examples),
            "learning_rate", "schedule"; each change is said and remembered.
        init_from: the folder of a run whose weights a new one starts with, for fine-tuning; all else begins anew.
        say: takes lines for the user.
        **settings: of the model: steps, image_size, base_filters ...; `python train.py --help` lists them.

    Returns:
        The model of the newest checkpoint.

    Raises:
        UserError: for what can be mended, before anything is written.
        KeyboardInterrupt: where Ctrl-C or SIGTERM stopped it, after it was saved; the same call goes on from there.
    """
    if model not in MODELS:
        raise UserError(f"model={model!r} is unknown; there are {', '.join(MODELS)}")
    resume_with = [resume_with] if isinstance(resume_with, str) else list(resume_with)
    if unknown := [word for word in resume_with if word not in RESUME_WITH]:
        raise UserError(f"resume_with={unknown[0]!r} is unknown; there are {', '.join(RESUME_WITH)}")
    model_class = MODELS[model]
    config = model_class.config_class.from_dict(settings)
    refuse_idle(config, settings)
    source = _as_kind(source, model_class.data_kind, model)
    if model_class.data_kind == "labelled":
        _check_labels(source, config, model)
    held_out = source if validation_source is None else _as_kind(validation_source, model_class.data_kind, model)
    domains = getattr(source, "domains", None)
    run = Run(
        model=model,
        dataset=DATASET,
        data_dir=None,
        num_examples=len(source),
        domain_counts=domains and [len(domain) for domain in domains.values()],
        settings=config.to_dict(),
        origins={name: "given" if name in settings else "default" for name in config.to_dict()},
    )
    code = loop.train(
        model_class,
        config,
        run,
        workdir,
        source=source,
        sample_source=held_out,
        strategy=make_strategy(strategy),
        intervals=Intervals(
            checkpoint_minutes=checkpoint_minutes,
            keep_every=keep_every,
            sample_every=sample_every,
            evaluate_every=evaluate_every,
            log_every=log_every,
            early_stopping=early_stopping,
        ),
        best_metric=best_metric,
        resume_with=resume_with,
        init_from=None if init_from is None else os.fspath(init_from),
        say=say,
    )
    if code:
        raise KeyboardInterrupt
    _trained_on[pathlib.Path(workdir).resolve()] = held_out
    return load(workdir)


def evaluate(
    workdir: Path,
    *,
    source: ExampleSource | None = None,
    checkpoint: str | int = "latest",
    metrics: Sequence[str] | None = None,
    num_images: int | None = None,
    num_samples: int | None = None,
    seed: int = 0,
    weights_dir: str | None = None,
    output: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> dict[str, Figure]:
    """Measures a run as `evaluate.py` does, and writes the same record and report.

    Args:
        workdir: the run's folder.
        source: the examples to judge by; None for the held-out ones that `train` was given in this process.
        checkpoint: "latest", "best", or the step of one that is still there.
        metrics: of `list_metrics`; None for the usual ones that can be computed.
        num_images: the first ones; None for all.
        num_samples: of each input, for metrics that look at several; None for 20.
        seed: of the noise, and of what metrics draw.
        weights_dir: a folder with the weights of metrics; None: they are fetched into a cache.
        output: folder of the record and the report; None for `workdir/evaluation`.
        say: takes lines for the user.

    Returns:
        The figures by name; of several translators `translator/name`. Those of metrics whose weights cannot be had
        are left out, and named in the record.

    Raises:
        UserError: for what can be mended.
    """
    if source is None:
        source = _trained_on.get(pathlib.Path(workdir).resolve())
    if source is None:
        raise UserError(
            f"{workdir} was not trained in this process: give the examples to judge by as source, or use evaluate.py"
        )

    def load_source(run: Run, model: Any) -> tuple[ExampleSource, dict[str, Any]]:
        about = {"dataset": DATASET, "data_dir": None, "split": "given"}
        return _as_kind(source, model.data_kind, run.model), about

    settings = Settings(
        names=metrics,
        num_images=num_images,
        num_samples=num_samples,
        seed=seed,
        weights_dir=weights_dir,
    )
    found = evaluate_run(workdir, load_source, settings, checkpoint=str(checkpoint), output=output, say=say)
    return dict(next(reversed(found.by_step.values())).figures)


def _check_labels(source: ExampleSource, config: Any, model: str) -> None:
    """Refuses a source whose labels are not those that the settings name."""
    config.check_labels()
    names, count = config.label_names, len(source.label_of(0))
    if count != len(names):
        raise UserError(f"{model} has {len(names)} labels, {', '.join(names)}; the source gives {count}")


def _as_kind(source: ExampleSource, data_kind: str, model: str) -> ExampleSource:
    """The source as a model of `data_kind` needs it: pairs serve as two domains too, any targets alone."""
    kind = getattr(source, "kind", "paired")
    if kind == data_kind:
        return source
    if data_kind == "single":
        return as_single(source)
    if (data_kind, kind) == ("unpaired", "paired"):
        return UnpairedView(source)
    raise UserError(f"{model} learns from {data_kind} images, the source has {kind} ones")
