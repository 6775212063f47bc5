"""When a run that gets no better may stop: a rule on the lines of its checks alone, so that a resumed run agrees."""

import dataclasses
from collections.abc import Mapping, Sequence
from typing import Any

from gan_zoo.errors import UserError
from gan_zoo.training.health_log import best_of
from gan_zoo.training.validation import NO_FIGURE, Validation


@dataclasses.dataclass(frozen=True, kw_only=True)
class EarlyStopping:
    """Stops after `patience` checks in a row without a new best.

    Attributes:
        metric: the figure, as `health.jsonl` names it; a check that does not have it does not count.
        patience: how many checks.
        settled_step: checks up to this step neither count nor set the bar: the model is not trained by all of its
            losses yet.
    """

    metric: str
    patience: int
    settled_step: int = 0

    def reason(self, lines: Sequence[Mapping[str, Any]], marked: Mapping[str, Any] | None) -> str | None:
        """A sentence if it is time to stop after these lines of `health.jsonl`, else None.

        Args:
            lines: all of the run.
            marked: the record of the checkpoint that is called `best`, which may be of a check that does not count, or
                of another figure; None where there is none.
        """
        settled = [line for line in lines if line["step"] > self.settled_step]
        best = best_of(settled, self.metric)
        if best is None:
            return None
        step, value = best
        later = (line["figures"].get(self.metric) for line in settled if line["step"] > step)
        count = sum(figure is not None and figure["value"] is not None for figure in later)
        if count < self.patience:
            return None
        checks = f"{count} check{'s' if count > 1 else ''}"
        where = " (--checkpoint=best)" if marked and marked["step"] == step else ""
        return (
            f"no new best of {self.metric} in {checks}, it is {value:.4g} at step {step}{where}; "
            "--early_stopping=0, or a larger number, goes on"
        )


def early_stopping(patience: int, validation: Validation | None, settled_step: int) -> EarlyStopping | None:
    """The rule that a user asks for by `--early_stopping=patience`; None for 0.

    Raises:
        UserError: where there is no figure to stop by, or a misleading one.
    """
    if not patience:
        return None
    flag = f"--early_stopping={patience}"
    if validation is None:
        raise UserError(f"{flag} needs checks: give --evaluate_every a number of steps, or epoch")
    if validation.best_metric is None:
        way_out = "give --best_metric one that is not none" if validation.has_directed else NO_FIGURE
        raise UserError(f"{flag} needs a figure: {validation.left_out or way_out}")
    if validation.misleading:
        raise UserError(
            f"{flag}: a dull brown is nearer to the truth than any guess of colours, so {validation.best_metric} would "
            "stop while colours come: leave out --best_metric"
        )
    return EarlyStopping(metric=validation.best_metric, patience=patience, settled_step=settled_step)
