"""`evaluate.py --workdir`: checkpoints of a run to a table, records and a report."""

import contextlib
import dataclasses
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import tensorflow as tf

from gan_zoo import metrics
from gan_zoo.data.pipeline import ExampleSource, evaluation_batches
from gan_zoo.data.resizing import WHOLE
from gan_zoo.data.skipped_files import SkippedFiles
from gan_zoo.errors import UserError
from gan_zoo.evaluation.measuring import WEIGHTS_MISSING, Evaluation, evaluate, joined
from gan_zoo.evaluation.output import NUM_SAMPLES, ImageCounter, Settings, is_complete, publish, report, writable
from gan_zoo.evaluation.records import FOLDER, skipped_lines
from gan_zoo.evaluation.translated_batches import OneDomain, TranslatedBatches, has_masks, provides, reference_images
from gan_zoo.images import BadExample, GreyExample
from gan_zoo.metrics.base import Context, EvaluationBatch
from gan_zoo.metrics.image_pairs import with_alpha
from gan_zoo.models.base import TranslationModel, target_multiple
from gan_zoo.runs.checkpoint_files import paths_by_step
from gan_zoo.runs.checkpoints import restore_networks
from gan_zoo.runs.loading import load_run
from gan_zoo.runs.record import Run
from gan_zoo.runs.workdir import refuse_links


class NamedFiles(SkippedFiles):
    """The bad files of an evaluation, all of them, by name; however many, the rest is evaluated.

    Attributes:
        reasons: of damaged files, by name.
        grey: the pictures that cannot be judged because they have no colours; they are whole.
    """

    def __init__(self) -> None:
        super().__init__()
        self.reasons: dict[str, str] = {}
        self.grey: set[str] = set()

    def add(self, source: Any, *bad: BadExample) -> None:
        self.grey |= {error.path for error in bad if isinstance(error, GreyExample)}
        self.reasons |= {error.path: error.reason for error in bad if error.path not in self.grey}

    @property
    def lines(self) -> list[str]:
        """What there is to say about pictures without colours: a line, or nothing."""
        if not self.grey:
            return []
        what = "1 grey picture has" if len(self.grey) == 1 else f"{len(self.grey)} grey pictures have"
        return [f"{what} no colours to compare with: left out"]


@dataclasses.dataclass(frozen=True)
class RunEvaluation:
    """What was found out about a run.

    Attributes:
        whole: whether all that was given could be used and what was asked for computed, see `is_complete`.
        by_step: of each checkpoint, in the order of their steps.
    """

    whole: bool
    by_step: Mapping[int, Evaluation]


class Direction:
    """One translator of a model on one split, for as many checkpoints as there are."""

    def __init__(
        self,
        *,
        model: TranslationModel,
        name: str,
        source: ExampleSource,
        about: Mapping[str, Any],
        settings: Settings,
        bad: NamedFiles,
        kept: dict[Any, Any],
    ) -> None:
        self.name, self.translator, self._settings = name, model.translators[name], settings
        self._model, self._source, self._bad = model, source, bad
        target_key = self.translator.target_key or self._other_key
        self._unpaired = getattr(source, "kind", "paired") == "unpaired"
        self._context = Context(
            reference=lambda: reference_images(self._batches(target_key), target_key),
            reference_key=f"{about['dataset']}/{about['split']}",
            weights_dir=settings.weights_dir,
            seed=settings.seed,
            num_samples=settings.num_samples or NUM_SAMPLES,
            with_alpha=with_alpha(self.translator),
            kept=kept,
        )
        self.names = metrics.choose(
            settings.names,
            provides(self.translator, masks=not self._unpaired and has_masks(source)),
            self.translator.output_channels,
            has_reference=True,
            also=self.translator.metrics,
        )
        self._translate: dict[frozenset[str], TranslatedBatches] = {}  # by their fields: compiled once

    @property
    def samples(self) -> bool:
        """Whether a metric looks at several samples of an input."""
        return any("samples" in metrics.METRICS[name].needs for name in self.names)

    def evaluate(self, missing: Mapping[str, str]) -> Evaluation:
        """Measures the model as its weights are now; `missing` says which metrics are known not to be had."""
        with ImageCounter(self.name, self.count) as progress:
            return evaluate(
                self._translated,
                self.names,
                dataclasses.replace(self._context),
                title=self.name,
                extra_fields={"inputs", "targets"} & provides(self.translator),
                missing=missing,
                progress=progress,
            )

    def _translated(self, fields: frozenset[str]) -> Iterator[EvaluationBatch]:
        if fields not in self._translate:
            self._translate[fields] = TranslatedBatches(
                self.translator, fields=fields, num_samples=self._context.num_samples, seed=self._settings.seed
            )
        batches = self._batches(self.translator.input_key)
        if self._settings.num_images is not None:
            differing = _preprocess(self._model) in ("scale_width", "none", WHOLE)
            size = 1 if differing else self._settings.batch_size
            batches = batches.unbatch().take(self._settings.num_images).batch(size)
        for batch in self._translate[fields](batches):
            yield dataclasses.replace(batch, names=list(map(self._shown, batch.names)))

    def _shown(self, index: str) -> str:
        """What tables and pages call an image: its number, which is its own, and the name of its file if it has one."""
        source = self._source.domains[self.translator.input_key] if self._unpaired else self._source
        path = Path(source.path_of(int(index)) if hasattr(source, "path_of") else "")
        return f"{index} {path.name}" if path.suffix else index

    def _batches(self, key: str) -> tf.data.Dataset:
        config = self._model.config
        return evaluation_batches(
            OneDomain(self._source, key) if self._unpaired else self._source,
            config,
            batch_size=self._settings.batch_size,
            size_multiple=target_multiple(self._model.translators),
            min_side=config.min_side,
            make_input=self._model.make_input,
            skip_grey=self._model.skip_grey,
            skip_small=self._model.skip_small,
            whole=self._model.measure_whole,
            skipped=self._bad,
        )

    @property
    def count(self) -> int:
        """How many images there are to translate, bad ones among them."""
        key = self.translator.input_key
        there = len(self._source.domains[key]) if self._unpaired else len(self._source)
        return min(there, self._settings.num_images or there)

    @property
    def _other_key(self) -> str:
        return "target_image" if self.translator.input_key == "input_image" else "input_image"


def _folder_in(workdir: str | os.PathLike[str]) -> Path:
    """Where records lie in a run's own folder, from which no link may lead them away."""
    refuse_links(workdir)
    return Path(workdir) / FOLDER


def _preprocess(model: TranslationModel) -> str:
    """How the images that are measured come to size."""
    return WHOLE if model.measure_whole else model.config.preprocess


def _load_first(
    workdir: str | os.PathLike[str], choices: Sequence[str], inference_mode: str | None
) -> tuple[Run, TranslationModel, int]:
    """`load_run` with the first of `choices` that is whole."""
    *others, last = choices
    for choice in others:
        with contextlib.suppress(UserError):
            return load_run(workdir, choice, inference_mode)
    return load_run(workdir, last, inference_mode)


def evaluate_run(
    workdir: str | os.PathLike[str],
    load_source: Callable[[Run, TranslationModel], tuple[ExampleSource, Mapping[str, Any]]],
    settings: Settings,
    *,
    checkpoint: str = "latest",
    translator: str | None = None,
    inference_mode: str | None = None,
    output: str | os.PathLike[str] | None = None,
    about: Mapping[str, Any] | None = None,
    say: Callable[[str], None] = print,
) -> RunEvaluation:
    """Evaluates checkpoints of a run; says what it finds, and writes a record of each and a report.

    Args:
        workdir: the run's folder.
        load_source: from the run and its model to the examples, and to what is to be remembered about them: `dataset`,
            `data_dir`, `split`.
        settings: what is measured, and how.
        checkpoint: latest, best, a step, or all: those that cannot be loaded are named, and the others measured.
        translator: the only one to evaluate; None for all that the model has.
        inference_mode: see `gan_zoo.runs.loading.load_run`.
        output: folder of records and report; None for `workdir/evaluation`.
        about: more to be remembered.
        say: takes lines for the user.

    Raises:
        UserError: for what the user can mend.
    """
    steps = list(paths_by_step(workdir)) if checkpoint == "all" else []
    choices = [str(step) for step in reversed(steps)] or ["latest" if checkpoint == "all" else checkpoint]
    run, model, loaded_step = _load_first(workdir, choices, inference_mode)
    names = list(model.translators)
    if translator is not None and translator not in names:
        raise UserError(f"--translator={translator}: this model has {', '.join(names) or 'none'}")
    folder = writable(output or _folder_in(workdir))
    source, of_data = load_source(run, model)
    bad = NamedFiles()
    shared = {"model": model, "source": source, "about": of_data, "settings": settings, "bad": bad, "kept": {}}
    directions = [Direction(name=name, **shared) for name in names if translator in (None, name)]
    samples = any(direction.samples for direction in directions)
    if settings.num_samples is not None and not samples:
        raise UserError(f"--num_samples={settings.num_samples}: none of the metrics looks at samples of one input")
    counts = " and ".join(f"{direction.count} images for {direction.name}" for direction in directions)
    say(f"{workdir}: {run.model} on {of_data['dataset']}, split {of_data['split']}: {counts}")
    about = {
        "workdir": str(workdir),
        "model": run.model,
        **of_data,
        **(about or {}),
        "seed": settings.seed,
        "inference_mode": getattr(model.config, "inference_mode", None),
        # The truth is what `preprocess` made of it in this size: runs that differ in them do not compare.
        "image_size": model.config.image_size,
        "preprocess": _preprocess(model),
        "num_samples": settings.num_samples or NUM_SAMPLES if samples else None,
    }
    complete = True
    missing: dict[str, str] = {}  # a server that does not answer is asked once
    newest, evaluations = None, {}
    for step in steps or [loaded_step]:
        if steps:
            try:
                restore_networks(model, workdir, str(step))
            except UserError as error:
                complete = False
                gone = "the run goes on, and has removed this checkpoint meanwhile"
                say(f"skipped: step {step}: {error if step in paths_by_step(workdir) else gone}")
                continue
        say(f"step {step}")
        parts = {}
        for direction in directions:
            try:
                part = parts[direction.name] = direction.evaluate(missing)
            except UserError:  # where no file is good, say
                for line in (*skipped_lines(bad.reasons), *bad.lines):
                    say(line)
                raise
            missing |= {name: why for name, why in part.missing.items() if why.startswith(WEIGHTS_MISSING)}
        evaluation = joined(parts) if len(names) > 1 else next(iter(parts.values()))
        evaluation = dataclasses.replace(evaluation, skipped={**bad.reasons, **evaluation.skipped})
        complete &= is_complete(evaluation, settings.names)
        left_out = {"num_grey": len(bad.grey)} if bad.grey else {}
        evaluations[step] = evaluation
        newest = publish(evaluation, about | left_out | {"step": step}, folder, say)
    if newest is None:
        raise UserError(f"{workdir} has removed all its checkpoints meanwhile: give latest, best, or keep some")
    for line in bad.lines:
        say(line)
    report(folder, newest, evaluation, say)
    return RunEvaluation(whole=complete, by_step=evaluations)
