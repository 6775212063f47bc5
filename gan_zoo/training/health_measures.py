"""What `health.py` judges, taken from a few translations, a step's losses and the optimizers; no weights of others."""

import itertools
import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from gan_zoo.metrics.colourfulness import colourfulness


class ImageMeasures:
    """The measures of one translator, as the table in `health.py` has them, from batches that are seen once."""

    def __init__(self) -> None:
        self._values: dict[str, list[float]] = {}
        self._before: dict[str, np.ndarray] = {}

    def update(
        self,
        outputs: np.ndarray,
        real: np.ndarray,
        *,
        targets: np.ndarray | None = None,
        samples: np.ndarray | None = None,
    ) -> None:
        """Adds a batch.

        Args:
            outputs: `[B, H, W, C]` uint8, translations of consecutive examples.
            real: `[B, H', W', C]` uint8, real images of their kind.
            targets: the truth for the outputs, of their shape.
            samples: `[B, N, H, W, C]` uint8, for a translator that takes z.
        """
        for prefix, images in (("", outputs), ("real_", real)):
            name = "real_distance" if prefix else "output_distance"
            for image in images:
                before, self._before[prefix] = self._before.get(prefix), image
                # Images that are not brought to one size may differ in it: such neighbours are no pair.
                if before is not None and before.shape == image.shape:
                    self._add(name, [_distance(before, image)])
            self._add(f"{prefix}contrast", images.std(axis=(1, 2), dtype=np.float64).mean(axis=-1) / 255.0)
            self._add(f"{prefix}extreme", ((images == 0) | (images == 255)).mean(axis=(1, 2, 3)))
            if images.shape[-1] == 3:
                self._add(f"{prefix}colourfulness", colourfulness(images))
        if targets is not None:
            self._add("l1", map(_distance, outputs, targets))
        if samples is not None:
            pairs = (pair for of_one in samples for pair in itertools.pairwise(of_one))
            self._add("sample_distance", itertools.starmap(_distance, pairs))

    def values(self) -> dict[str, float]:
        """The means."""
        return {name: float(np.mean(values)) for name, values in self._values.items() if values}

    def _add(self, name: str, values: Any) -> None:
        self._values.setdefault(name, []).extend(map(float, values))


def _distance(image: np.ndarray, other: np.ndarray) -> float:
    """Mean absolute difference of two uint8 images, in [0, 1]."""
    return float(np.mean(np.abs(image.astype(np.int16) - other), dtype=np.float64)) / 255.0


def discriminator_losses(logs: Mapping[str, float], gan_mode: str | None) -> dict[str, float]:
    """Those of a step's losses that are of discriminators; none where they are critics, whose losses have no zero."""
    if gan_mode in ("wgangp", "wgan"):
        return {}
    return {name: float(value) for name, value in logs.items() if name.startswith("discriminator")}


def gradient_norms(optimizers: Mapping[str, Any]) -> dict[str, float]:
    """The norm of the gradients that each optimizer has had of late, read from its memory.

    Adam's second moment is a mean of squared gradients whose weights fall by `beta_2` a step; undoing its start at zero
    and summing over all weights gives the mean of the squared norm over the last 1 / (1 - beta_2) steps (1,000), and
    the training step has nothing more to compute. A single step of a thousandfold gradient shows as a factor of 30.
    RMSProp has the same with a decay of its own (10 steps), and starts elsewhere.

    Returns:
        The root of that mean, by name; an optimizer without such a memory, or before its first step, is left out.
    """
    norms = {}
    for name, optimizer in optimizers.items():
        moments = [variable for variable in optimizer.variables if variable.path.endswith("velocity")]
        steps = int(optimizer.iterations.numpy())
        if moments and steps:
            # Summed by numpy in float64: the same number each time, which sums over threads are not.
            total = sum(float(np.sum(moment.numpy(), dtype=np.float64)) for moment in moments)
            left = (optimizer.beta_2 if hasattr(optimizer, "beta_2") else optimizer.rho) ** steps  # of the start
            start = getattr(optimizer, "initial_velocity", 0.0) * sum(math.prod(moment.shape) for moment in moments)
            norms[name] = math.sqrt(max(total - left * start, 0.0) / (1.0 - left))
    return norms


def finite(values: Mapping[str, float]) -> dict[str, float | None]:
    """The same with None for what is not a finite number, which JSON does not have."""
    return {name: value if math.isfinite(value) else None for name, value in values.items()}
