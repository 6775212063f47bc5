"""A trained model from its workdir alone."""

import os

from gan_zoo.errors import UserError
from gan_zoo.models import MODELS
from gan_zoo.models.base import TranslationModel
from gan_zoo.runs.checkpoints import restore_networks
from gan_zoo.runs.record import Run


def load_run(
    workdir: str | os.PathLike[str], checkpoint: str = "latest", inference_mode: str | None = None
) -> tuple[Run, TranslationModel, int]:
    """Rebuilds the model of a run and loads one of its checkpoints.

    The networks compute in float32, also where they were trained with mixed precision.

    Args:
        workdir: the run's folder.
        checkpoint: "latest", "best", or the step of a checkpoint that is still there.
        inference_mode: "train" or "eval", for a model that has the choice; None: as it was trained.

    Returns:
        The run, its model, and the step of the checkpoint.

    Raises:
        UserError: if the folder holds no run, no such checkpoint, or one that does not fit, or knows no such mode.
    """
    run = Run.read(workdir)
    if run.model not in MODELS:
        raise UserError(f"{workdir} holds a run of the model {run.model!r}; known are {', '.join(MODELS)}")
    model_class = MODELS[run.model]
    settings = run.settings
    if inference_mode is not None:
        if "inference_mode" not in model_class.config_class.__dataclass_fields__:
            raise UserError(f"--inference_mode={inference_mode}: {run.model} has no such choice")
        settings = settings | {"inference_mode": inference_mode}
    model = model_class(model_class.config_class.from_dict(settings))
    return run, model, restore_networks(model, workdir, checkpoint)


def take_weights(model: TranslationModel, workdir: str | os.PathLike[str]) -> int:
    """Gives the networks of a new model the weights of a run's newest checkpoint; nothing else of it is taken.

    Args:
        model: with networks as those of the run.
        workdir: the run's folder.

    Returns:
        The step of the checkpoint.

    Raises:
        UserError: for another folder, and where networks differ, with what differs.
    """
    _, other, step = load_run(workdir)
    differences = []
    if model.networks.keys() != other.networks.keys():
        differences.append(f"networks {', '.join(other.networks)} there, {', '.join(model.networks)} here")
    pairs = []
    for name in model.networks.keys() & other.networks.keys():
        ours, theirs = model.networks[name].weights, other.networks[name].weights
        if len(ours) != len(theirs):
            differences.append(f"{name} has {len(theirs)} weights there, {len(ours)} here")
        for new, old in zip(ours, theirs, strict=False):
            if (new.name, tuple(new.shape)) != (old.name, tuple(old.shape)):
                differences.append(f"{name}: {new.path} is {old.name} {list(old.shape)} there, {list(new.shape)} here")
            pairs.append((new, old))
    if differences:
        more = f" and {len(differences) - 3} more" if len(differences) > 3 else ""
        raise UserError(f"--init_from={workdir} does not fit: {'; '.join(differences[:3])}{more}")
    for new, old in pairs:
        new.assign(old.numpy())
    return step
