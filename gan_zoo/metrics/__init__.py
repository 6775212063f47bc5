"""How good a model is: one short file a metric, named after it, and the list of them all.

A file has the pure function and, in `DEFINITIONS`, the accumulators of `gan_zoo.metrics.base` that are made of it.

| file | what |
| --- | --- |
| `base` | what a metric is |
| `psnr`, `ssim`, `l1`, `lpips` | distance to the truth; `image_pairs`: checks, luma and alpha |
| `enlargement` | distance to the truth of enlarged pictures, as their papers measure it, beside interpolation |
| `fid`, `kid` | distance between two sets; `features/` is what they share |
| `diversity`, `cycle`, `latent` | how samples differ, what comes back, what becomes of z |
| `colourfulness`, `ab_spread` | whether colours are as strong, and as many, as the truth's |
| `region_agreement`, `regions` | whether colours end where objects do; the regions of a picture |
| `colour_score` | the three together |
| `label_score`, `segmenter` | what a network that labels photos makes of them |
"""

from collections.abc import Mapping, Sequence

from gan_zoo.errors import UserError
from gan_zoo.metrics import (
    ab_spread,
    colour_score,
    colourfulness,
    cycle,
    diversity,
    enlargement,
    fid,
    kid,
    l1,
    label_score,
    latent,
    lpips,
    psnr,
    region_agreement,
    ssim,
)
from gan_zoo.metrics.base import Context, Metric, MetricDefinition
from gan_zoo.metrics.image_pairs import RGBA, OnWhite

# In the order in which tables list them.
METRICS: Mapping[str, MetricDefinition] = {
    **psnr.DEFINITIONS,
    **ssim.DEFINITIONS,
    **l1.DEFINITIONS,
    **enlargement.DEFINITIONS,
    **lpips.DEFINITIONS,
    **fid.DEFINITIONS,
    **kid.DEFINITIONS,
    **colourfulness.DEFINITIONS,
    **ab_spread.DEFINITIONS,
    **region_agreement.DEFINITIONS,
    **colour_score.DEFINITIONS,
    **label_score.DEFINITIONS,
    **diversity.DEFINITIONS,
    **cycle.DEFINITIONS,
    **latent.DEFINITIONS,
}

# The fields of an `EvaluationBatch`, to somebody who lacks them.
_FIELDS = {
    "targets": "the truth of each output",
    "outputs": "photographs, not label maps",
    "masks": "label masks",
    "output_masks": "label maps of the outputs, in a folder or by --segmenter",
    "inputs": "the inputs",
    "samples": "several samples of each input, from a model with noise",
    "cycled": "a model that knows a way back",
    "z": "a model with a latent vector",
    "recovered_z": "a model that encodes its outputs",
    "mu": "a model that encodes the truth",
    "logvar": "a model that encodes the truth",
}


def choose(
    names: Sequence[str] | None,
    fields: frozenset[str],
    channels: int,
    has_reference: bool,
    also: Sequence[str] = (),
) -> list[str]:
    """Which metrics to compute.

    Args:
        names: keys of `METRICS`; None for the default ones among those that can be.
        fields: of the batches that there will be.
        channels: of the outputs; RGBA is judged as RGB too, on white.
        has_reference: whether there is a set of real images.
        also: keys that count as default ones, a translator's own.

    Returns:
        Keys of `METRICS`, each once.

    Raises:
        UserError: for a name that there is not, or that cannot be computed here: what it needs.
    """
    seen = {channels, 3} if channels == RGBA else {channels}

    def lacks(name: str) -> str:
        """What a metric needs and does not have here, in words."""
        definition = METRICS[name]
        missing = list(dict.fromkeys(_FIELDS[field] for field in sorted(definition.needs - fields)))
        if definition.channels is not None and not seen & {*definition.channels}:
            missing.append(f"images of {' or '.join(map(str, definition.channels))} channels, not {channels}")
        if definition.needs_reference and not has_reference:
            missing.append("a set of real images to compare with")
        return " and ".join(missing)

    def is_default(name: str) -> bool:
        definition = METRICS[name]
        return definition.default and not (definition.instead_of_truth and "targets" in fields)

    if names is None:
        return [name for name in METRICS if (is_default(name) or name in also) and not lacks(name)]
    for name in names:
        if missing := lacks(_known(name)):
            raise UserError(f"the metric {name} needs {missing}")
    return list(dict.fromkeys(names))


def build(name: str, context: Context) -> Metric:
    """Makes a metric, with its weights where it stands on some.

    Raises:
        UserError: for a name that there is not, and if weights cannot be had.
    """
    metric = METRICS[_known(name)].build(context)
    return OnWhite(metric) if context.with_alpha and name != "l1_alpha" else metric


def _known(name: str) -> str:
    if name not in METRICS:
        raise UserError(f"there is no metric {name!r}; there are {', '.join(METRICS)}")
    return name
