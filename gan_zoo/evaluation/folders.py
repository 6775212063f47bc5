"""`evaluate.py --generated --reference`: two folders of images to a table, a record and a report."""

import dataclasses
import os
from collections.abc import Callable, Mapping
from typing import Any

from gan_zoo import metrics
from gan_zoo.errors import UserError
from gan_zoo.evaluation.folder_batches import CHANNELS, FolderBatches
from gan_zoo.evaluation.label_batches import LabelBatches
from gan_zoo.evaluation.measuring import evaluate
from gan_zoo.evaluation.output import ImageCounter, Settings, is_complete, publish, report, writable
from gan_zoo.metrics.base import Context
from gan_zoo.metrics.segmenter import Segmenter


def evaluate_folders(
    generated: str | os.PathLike[str],
    reference: str | os.PathLike[str],
    settings: Settings,
    *,
    segmenter: str | os.PathLike[str] | None = None,
    output: str | os.PathLike[str] | None = None,
    about: Mapping[str, Any] | None = None,
    say: Callable[[str], None] = print,
) -> bool:
    """Evaluates the images of one folder against those of another; otherwise as `evaluate_run`.

    Where `label_score` is asked for, both folders hold label maps; with a segmenter the generated images are
    photographs, and the reference has their label maps.

    Args:
        segmenter: a Keras file, see `gan_zoo.metrics.segmenter.Segmenter`.
        output: folder of record and report; None for one beside `generated`, `<its name>_evaluation`.
    """
    labels = "label_score" in (settings.names or ())
    if segmenter is not None and settings.names is not None and not labels:
        raise UserError("--segmenter serves label_score: add that to --metrics")
    network = None if segmenter is None else Segmenter(segmenter)
    images: FolderBatches
    if network or labels:
        images = LabelBatches(generated, reference, settings.num_images, network)
    else:
        images = FolderBatches(generated, reference, settings.num_images)
    folder = writable(output or images.generated.absolute().with_name(f"{images.generated.resolve().name}_evaluation"))
    compares_sets = not isinstance(images, LabelBatches)
    for name in settings.names or () if not images.num_pairs else ():
        if name in metrics.METRICS and "targets" in metrics.METRICS[name].needs:
            why = f"the two folders have no name in common: {images.examples_of_names}"
            raise UserError(f"the metric {name} needs the truth of each output, and {why}")
    names = metrics.choose(settings.names, images.fields, CHANNELS, has_reference=compares_sets)
    say(f"{generated}: {len(images.names)} images, {images.num_pairs} of them with a partner in {reference}")
    if not images.num_pairs:
        say("the two folders have no name in common: only the sets are compared, not single images")
    context = Context(
        reference=images.reference_images if compares_sets else None,
        reference_key=str(reference) if compares_sets else None,
        weights_dir=settings.weights_dir,
        seed=settings.seed,
        segmenter=network,
    )
    with ImageCounter("", len(images.names)) as progress:
        evaluation = evaluate(lambda _: images.batches(settings.batch_size), names, context, progress=progress)
    evaluation = dataclasses.replace(evaluation, skipped={**images.skipped, **evaluation.skipped})
    about = {"generated": str(generated), "reference": str(reference), "seed": settings.seed, **(about or {})}
    if segmenter is not None:
        about["segmenter"] = str(segmenter)
    newest = publish(evaluation, about, folder, say)
    report(folder, newest, evaluation, say)
    return is_complete(evaluation, settings.names)
