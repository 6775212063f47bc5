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
        checkpoint: "latest", or the step of a checkpoint that is still there.
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
