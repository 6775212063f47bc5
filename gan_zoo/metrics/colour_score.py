"""One figure for a colorization, by which the best one of several is chosen: neither dull, nor out of place.

No error against the truth can say it: a grey photograph has many right colorizations, and what is nearest to them all
is a dull brown. The score is the geometric mean of three parts in [0, 1], each 1 for the truth:

* colourfulness: min(r, 1 / r), r the outputs' mean divided by the truth's (`colourfulness.py`);
* ab spread: the same of the spread of ab (`ab_spread.py`);
* regions: where the adjusted Rand index lies between its floor, the ab of another image, and its ceiling
  (`region_agreement.py`), (R - floor) / (ceiling - floor), not below `LEAST`: under its floor nothing scores above 0.1,
  and the strength of the colours still tells the steps apart, of which the first ones all lie there.

A constant brown is one region, or those of light and dark, and scores 0.02 to 0.04; the ab of another image has the
colours of a photograph and scores 0.13 to 0.27 for where they are; the truth at 0.3 of its chroma has about 0.3 in two
of the three and scores 0.34 to 0.44 (on drawings, and on photographs of 128 px). Which hues they are it does not see:
with all of them turned by 180 degrees the truth still scores about 0.9. FID, LPIPS and the sheet of pictures tell.

It is a figure of a set of images, not a mean over them: a set whose images have more colours than the truth, and others
less, is right on the whole.
"""

from gan_zoo.errors import UserError
from gan_zoo.metrics.ab_spread import ABSpread
from gan_zoo.metrics.base import Context, EvaluationBatch, Figure, Metric, MetricDefinition
from gan_zoo.metrics.colourfulness import Colourfulness
from gan_zoo.metrics.region_agreement import region_agreement

LEAST = 0.001  # of the part for regions
NEEDS = frozenset({"outputs", "targets"})
_PROTOCOL = (
    "geometric mean of min(r, 1/r) of colourfulness/ratio, the same of ab_spread/ratio, and "
    f"(region_agreement - its floor) / (its ceiling - its floor), not below {LEAST:g}"
)


def colour_score(
    *, colourfulness_ratio: float, spread_ratio: float, agreement: float, floor: float, ceiling: float
) -> tuple[float, tuple[float, float, float]]:
    """The score and its three parts, all in [0, 1].

    Args:
        colourfulness_ratio, spread_ratio: of the outputs to the truth, at least 0.
        agreement, floor, ceiling: adjusted Rand indices, the ceiling above the floor.
    """
    parts = (
        _nearness(colourfulness_ratio),
        _nearness(spread_ratio),
        min(max((agreement - floor) / (ceiling - floor), LEAST), 1.0),
    )
    return (parts[0] * parts[1] * parts[2]) ** (1 / 3), parts


def _nearness(ratio: float) -> float:
    return min(ratio, 1.0 / ratio) if ratio > 0.0 else 0.0


class ColourScore(Metric):
    """Takes the three figures from their own accumulators; that of regions is the one of `region_agreement`."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self.needs = NEEDS
        self._metrics = [Colourfulness(context), ABSpread(), region_agreement(context)]

    def update(self, batch: EvaluationBatch) -> None:
        for metric in self._metrics:
            metric.update(batch)

    def figures(self) -> list[Figure]:
        found = {figure.name: figure for metric in self._metrics for figure in metric.figures()}
        values = {name: figure.value for name, figure in found.items()}
        agreement, ceiling = values["region_agreement"], values["region_agreement/ceiling"]
        floor = values.get("region_agreement/floor")
        if floor is None or ceiling <= floor:
            raise UserError("colour_score needs two images whose truth has several regions, and not the same ones")
        if not {"colourfulness/ratio", "ab_spread/ratio"} <= values.keys():
            raise UserError("colour_score needs a truth with colours")
        score, parts = colour_score(
            colourfulness_ratio=values["colourfulness/ratio"],
            spread_ratio=values["ab_spread/ratio"],
            agreement=agreement,
            floor=floor,
            ceiling=ceiling,
        )
        words = zip(("colourfulness", "ab spread", "regions"), parts, strict=True)
        return [
            Figure(
                name="colour_score",
                value=score,
                better="higher",
                num_images=found["colourfulness"].num_images,
                protocol=_PROTOCOL,
                note=", ".join(f"{name} {part:.3f}" for name, part in words),
            )
        ]


DEFINITIONS = {"colour_score": MetricDefinition(build=ColourScore, needs=NEEDS, channels=(3,))}
