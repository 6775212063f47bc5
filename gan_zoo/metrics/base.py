"""What every metric is to whoever evaluates: it sees all batches once, and gives its figures at the end."""

import abc
import dataclasses
from collections.abc import Callable, Hashable, Iterator, Sequence
from typing import Any, Literal, TypeVar

import numpy as np

from gan_zoo.errors import UserError

Better = Literal["higher", "lower", "none"]
Made = TypeVar("Made")


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvaluationBatch:
    """Images of one size that a model made, with all else that a metric may ask for; a field that is None is not there.

    Attributes:
        names: what to call each of the B images to the user, no two alike: its file, or its number.
        outputs: `[B, H, W, C]` uint8: what is judged; of a model with noise the first sample.
        targets: the truth, of the outputs' shape.
        masks: `[B, H, W]` integers: what is where in the truth.
        output_masks: of the masks' shape: what is where in the outputs.
        inputs: `[B, h, w, c]` uint8.
        samples: `[B, N, H, W, C]` uint8: N consecutive samples of each input, `samples[:, 0]` being `outputs`.
        cycled: of the inputs' shape: there and back.
        z: `[B, L]` float32: made the outputs.
        recovered_z: `[B, L]` float32: the mean that the encoder reads from the outputs before they are rounded.
        mu, logvar: `[B, L]` float32: what the encoder makes of the targets.
    """

    names: Sequence[str]
    outputs: np.ndarray
    targets: np.ndarray | None = None
    masks: np.ndarray | None = None
    output_masks: np.ndarray | None = None
    inputs: np.ndarray | None = None
    samples: np.ndarray | None = None
    cycled: np.ndarray | None = None
    z: np.ndarray | None = None
    recovered_z: np.ndarray | None = None
    mu: np.ndarray | None = None
    logvar: np.ndarray | None = None

    @property
    def fields(self) -> frozenset[str]:
        """The names of the fields that are there."""
        return frozenset(field.name for field in dataclasses.fields(self) if getattr(self, field.name) is not None)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Figure:
    """One number, and what has to agree before it may be compared with another one.

    Attributes:
        name: the metric's key, or key/part where a metric has several figures.
        value: infinite where that is the truth: the PSNR of equal images.
        unit: "dB", "nats", "" for a plain number.
        better: "none" for a number that is good near another one, or says nothing about quality by itself.
        num_images: how many images (or inputs) were judged.
        protocol: how exactly, in one line.
        version: of the metric's definition here; figures of different versions do not compare.
        error: the standard error of `value`: about what another draw of as many images would change.
        weights_sha256: of the file of weights that it stands on; of several, joined by "+".
        note: what helps to read it: "real pairs: 0.262".
    """

    name: str
    value: float
    unit: str = ""
    better: Better
    num_images: int
    protocol: str
    version: str = "1"
    error: float | None = None
    weights_sha256: str | None = None
    note: str | None = None


class Metric(abc.ABC):
    """An accumulator, in memory that does not grow with the images (but for a few numbers of each).

    Attributes:
        needs: the fields that a batch must have; others are not to be given to `update`.
        warnings: plain sentences for the user, complete after `figures`.
    """

    needs: frozenset[str]

    def __init__(self) -> None:
        self.warnings: list[str] = []

    @abc.abstractmethod
    def update(self, batch: EvaluationBatch) -> np.ndarray | None:
        """Takes in a batch.

        Returns:
            `[B]` float64, the value of each image, which the first figure is the mean of; None where images have none.

        Raises:
            UserError: for images that this metric cannot judge (too small ...).
        """

    @abc.abstractmethod
    def figures(self) -> list[Figure]:
        """The result, once, after the last batch.

        Raises:
            UserError: in one line, for what cannot be computed: too few images, for instance.
        """


class ImageMean(Metric):
    """The mean of a value that each image has by itself, with its standard error.

    Args:
        name, unit, better, protocol, weights_sha256: of the figure. `{num_samples}` in the protocol becomes the number
            of samples that the inputs had.
        needs: fields of a batch that `measure` reads.
        measure: from a batch to `[B]`.
    """

    def __init__(
        self,
        name: str,
        measure: Callable[[EvaluationBatch], np.ndarray],
        *,
        needs: frozenset[str],
        protocol: str,
        better: Better,
        unit: str = "",
        weights_sha256: str | None = None,
    ) -> None:
        super().__init__()
        self.name, self.needs = name, needs
        self._measure = measure
        self._about: dict[str, Any] = {
            "unit": unit,
            "better": better,
            "protocol": protocol,
            "weights_sha256": weights_sha256,
        }
        self._values: list[np.ndarray] = []
        self._num_samples: set[int] = set()

    def update(self, batch: EvaluationBatch) -> np.ndarray:
        values = np.asarray(self._measure(batch), np.float64)
        self._values.append(values)
        if batch.samples is not None:
            self._num_samples.add(batch.samples.shape[1])
        return values

    def figures(self) -> list[Figure]:
        return [self._mean_figure()]

    def _mean_figure(self, **more: Any) -> Figure:
        # All at once, so that it does not matter how the images came in batches.
        values = np.concatenate(self._values) if self._values else np.empty(0)
        if not len(values):
            raise UserError(f"{self.name} had no image to judge")
        about = self._about | more
        if infinite := int(np.isinf(values).sum()):
            about.setdefault("note", f"infinite for {infinite} of {len(values)} images, which are equal")
        num_samples = " or ".join(map(str, sorted(self._num_samples)))
        about["protocol"] = about["protocol"].format(num_samples=num_samples)
        return Figure(
            name=self.name, value=float(values.mean()), num_images=len(values), error=standard_error(values), **about
        )


def standard_error(values: np.ndarray) -> float | None:
    """Of the mean of independent values `[N]`; None for a single one, or where some are infinite."""
    if len(values) < 2 or not np.isfinite(values).all():
        return None
    return float(values.std(ddof=1) / np.sqrt(len(values)))


@dataclasses.dataclass(frozen=True, kw_only=True)
class Context:
    """What a metric may need to be built: for **one** evaluation, of one stream of batches.

    For the next one, `dataclasses.replace(context, ...)` is a new context that keeps `kept`: networks that are loaded
    already and, under the same `reference`, the features of its images.

    Attributes:
        reference: gives the real images of the outputs' domain, each `[H, W, C]` uint8 of any size, in the same order
            whenever it is called; it may be called several times. None where there is no such set.
        reference_key: names that set to the user: a folder, or "facades/val".
        weights_dir: see `gan_zoo.pretrained.fetching.fetch`.
        seed: of pairs and subsets that a metric draws.
        num_samples: of each input.
        with_alpha: whether there are RGBA pictures among those of the batches: metrics see them on white.
        segmenter: the `gan_zoo.metrics.segmenter.Segmenter` that made `output_masks`; None where they came as files.
        kept: from one evaluation to the next, by key.
        shared: between the metrics of this evaluation, by key.
    """

    reference: Callable[[], Iterator[np.ndarray]] | None = None
    reference_key: str | None = None
    weights_dir: str | None = None
    seed: int = 0
    num_samples: int = 20
    with_alpha: bool = False
    segmenter: Any = None
    kept: dict[Hashable, Any] = dataclasses.field(default_factory=dict, repr=False, compare=False)
    shared: dict[Hashable, Any] = dataclasses.field(default_factory=dict, init=False, repr=False, compare=False)


def once(things: dict[Hashable, Made], key: Hashable, make: Callable[[], Made]) -> Made:
    """`things[key]`, made by the first who asks for it; a failure is not kept."""
    if key not in things:
        things[key] = make()
    return things[key]


@dataclasses.dataclass(frozen=True, kw_only=True)
class MetricDefinition:
    """A row of `METRICS`.

    Attributes:
        build: makes the accumulator; raises `UserError` where weights cannot be had.
        needs: the fields of a batch that it reads.
        weights: the key in `gan_zoo.pretrained.fetching.WEIGHTS` of what it stands on; None for no weights.
        channels: the counts that the outputs may have, (3,) for a metric of RGB alone; None for any.
        needs_reference: whether it compares with the set of real images as a whole.
        default: whether it is computed without being named, where all that it needs is there.
        instead_of_truth: whether it is no default one where there is a truth.
    """

    build: Callable[[Context], Metric]
    needs: frozenset[str] = frozenset({"outputs"})
    weights: str | None = None
    channels: tuple[int, ...] | None = None
    needs_reference: bool = False
    default: bool = False
    instead_of_truth: bool = False


def pair_metric(
    name: str,
    function: Callable[[np.ndarray, np.ndarray], np.ndarray],
    *,
    better: Better,
    protocol: str,
    unit: str = "",
    fields: tuple[str, str] = ("outputs", "targets"),
    channels: tuple[int, ...] | None = None,
    default: bool = False,
    instead_of_truth: bool = False,
) -> MetricDefinition:
    """Defines the mean over images of a function of two fields of a batch, for which no weights are needed.

    Args:
        name, better, protocol, unit: as for `ImageMean`.
        function: from `fields` to `[B]`.
        channels, default, instead_of_truth: as for `MetricDefinition`.
    """
    first, second = fields
    needs = frozenset(fields)

    def measure(batch: EvaluationBatch) -> np.ndarray:
        return function(getattr(batch, first), getattr(batch, second))

    def build(context: Context) -> ImageMean:
        return ImageMean(name, measure, needs=needs, protocol=protocol, better=better, unit=unit)

    return MetricDefinition(
        build=build, needs=needs, channels=channels, default=default, instead_of_truth=instead_of_truth
    )
