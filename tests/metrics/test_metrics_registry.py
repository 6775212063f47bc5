"""The accumulators of the metrics that need no weights against the pure functions on the whole, however it is cut."""

import dataclasses
import itertools
import math

import numpy as np
import pytest

from gan_zoo.errors import UserError
from gan_zoo.metrics import METRICS, build, choose, diversity, lpips
from gan_zoo.metrics.base import Context, EvaluationBatch, Figure, Metric
from gan_zoo.metrics.colourfulness import colourfulness
from gan_zoo.metrics.diversity import RealImages, random_pairs
from gan_zoo.metrics.l1 import l1
from gan_zoo.metrics.psnr import psnr, psnr_y
from gan_zoo.metrics.ssim import ssim, ssim_y
from gan_zoo.pretrained.fetching import WEIGHTS

COUNT, SAMPLES, LATENT = 7, 4, 3
CUTS = ([], [3], [1, 2, 6])
ALL_FIELDS = frozenset(field.name for field in dataclasses.fields(EvaluationBatch))


@pytest.fixture(scope="module")
def whole() -> EvaluationBatch:
    random = np.random.default_rng(0)

    def images(*shape: int) -> np.ndarray:
        return random.integers(0, 256, [COUNT, *shape], np.uint8)

    def latent(*scale: float) -> np.ndarray:
        return (random.standard_normal([COUNT, LATENT]) * (scale or 1.0)).astype(np.float32)

    samples = images(SAMPLES, 16, 12, 3)
    return EvaluationBatch(
        names=list("abcdefg"),
        outputs=samples[:, 0],
        samples=samples,
        targets=images(16, 12, 3),
        inputs=images(16, 12, 1),
        cycled=images(16, 12, 1),
        z=latent(),
        recovered_z=latent(),
        mu=latent(1.0, 0.5, 0.01),
        logvar=latent(),
        masks=random.integers(0, 3, [COUNT, 16, 12]),
        output_masks=random.integers(0, 3, [COUNT, 16, 12]),
    )


def cut(batch: EvaluationBatch, places: list[int]) -> list[EvaluationBatch]:
    fields = [field.name for field in dataclasses.fields(batch)]
    edges = [0, *places, COUNT]
    return [
        EvaluationBatch(**{name: getattr(batch, name)[start:stop] for name in fields})
        for start, stop in itertools.pairwise(edges)
    ]


def measured(metric: Metric, batches: list[EvaluationBatch]) -> tuple[np.ndarray | None, dict[str, Figure]]:
    values = [metric.update(batch) for batch in batches]
    figures = {figure.name: figure for figure in metric.figures()}
    return None if values[0] is None else np.concatenate(values), figures


def expected_values(name: str, batch: EvaluationBatch) -> np.ndarray:
    """By the pure functions, or spelt out once more."""
    consecutive = [l1(batch.samples[:, i], batch.samples[:, i + 1]) for i in range(SAMPLES - 1)]
    rgb_inputs = np.repeat(batch.inputs, 3, -1)
    mu, logvar = batch.mu.astype(np.float64), batch.logvar.astype(np.float64)
    return {
        "psnr": lambda: psnr(batch.outputs, batch.targets),
        "psnr_y": lambda: psnr_y(batch.outputs, batch.targets),
        "ssim": lambda: ssim(batch.outputs, batch.targets),
        "ssim_y": lambda: ssim_y(batch.outputs, batch.targets),
        "l1": lambda: l1(batch.outputs, batch.targets),
        "l1_best": lambda: np.min([l1(batch.samples[:, i], batch.targets) for i in range(SAMPLES)], axis=0),
        "sample_distance": lambda: np.mean(consecutive, axis=0),
        "colourfulness": lambda: colourfulness(batch.outputs),
        "cycle_psnr": lambda: psnr(batch.cycled, batch.inputs),
        "identity_distance": lambda: l1(batch.outputs, rgb_inputs),
        "latent_recovery": lambda: np.abs(batch.recovered_z.astype(np.float64) - batch.z).mean(1),
        "kl": lambda: -0.5 * (1 + logvar - mu**2 - np.exp(logvar)).sum(1),
    }[name]()


PER_IMAGE = (
    "psnr psnr_y ssim ssim_y l1 l1_best sample_distance colourfulness cycle_psnr identity_distance latent_recovery kl"
)


@pytest.mark.parametrize("name", PER_IMAGE.split())
def test_batches_give_what_the_whole_gives(name, whole) -> None:
    expected = expected_values(name, whole)
    results = [measured(build(name, Context()), cut(whole, places)) for places in CUTS]
    for values, figures in results:
        # A sum of a few terms of order 1 in float64, in another order.
        np.testing.assert_allclose(values, expected, rtol=1e-12)
        figure = figures[name]
        assert figure.value == pytest.approx(expected.mean(), rel=1e-12)
        assert figure.error == pytest.approx(expected.std(ddof=1) / math.sqrt(COUNT), rel=1e-11)
        assert figure.num_images == COUNT
        assert figures == results[0][1]  # every figure, to the last digit


@pytest.mark.parametrize("name", [name for name, definition in METRICS.items() if definition.weights is None])
def test_figures_say_what_they_are(name, whole) -> None:
    if name.endswith("_border"):  # of outputs that are larger than the inputs
        large = {key: getattr(whole, key).repeat(2, 1).repeat(2, 2) for key in ("outputs", "targets")}
        whole = dataclasses.replace(whole, inputs=whole.outputs, **large)
    if name == "l1_alpha":
        rgba = {key: np.repeat(getattr(whole, key)[..., :1], 4, -1) for key in ("outputs", "targets")}
        whole = dataclasses.replace(whole, **rgba)
    metric = build(name, Context())
    assert metric.needs <= METRICS[name].needs | {"outputs"} <= ALL_FIELDS
    _, figures = measured(metric, [whole])
    # Of several figures of equal rank none has the bare name.
    assert next(iter(figures)) == name or name == "label_score"
    for key, figure in figures.items():
        assert key == figure.name and key.split("/")[0] == name
        assert figure.protocol and "\n" not in figure.protocol and "{" not in figure.protocol
        assert math.isfinite(figure.value) and figure.version == "1" and figure.weights_sha256 is None
    with pytest.raises(UserError):
        build(name, Context()).figures()


def test_equal_images_have_an_infinite_psnr_and_no_error(whole) -> None:
    _, figures = measured(build("psnr", Context()), [dataclasses.replace(whole, outputs=whole.targets), whole])
    assert figures["psnr"].value == np.inf and figures["psnr"].error is None
    assert figures["psnr"].note == "infinite for 7 of 14 images, which are equal"


def test_kl_and_active_dimensions_by_dimension(whole) -> None:
    _, figures = measured(build("kl", Context()), cut(whole, [2]))
    mu, logvar = whole.mu.astype(np.float64), whole.logvar.astype(np.float64)
    by_dimension = -0.5 * (1 + logvar - mu**2 - np.exp(logvar)).mean(0)
    assert figures["kl/smallest"].value == pytest.approx(by_dimension.min(), rel=1e-12)
    assert figures["kl/largest"].value == pytest.approx(by_dimension.max(), rel=1e-12)
    assert figures["kl"].note == "by dimension: " + " ".join(f"{value:.3g}" for value in by_dimension)
    _, figures = measured(build("active_dimensions", Context()), cut(whole, [1, 4]))
    assert figures["active_dimensions"].value == pytest.approx(2 / 3, rel=1e-12)  # deviations of 1, 0.5 and 0.01
    # Two images that are d apart have the variance d^2 / 2: the threshold of 0.01 lies at 0.1414.
    two = EvaluationBatch(names="ab", outputs=whole.outputs[:2], mu=np.array([[0.0, 0.0], [0.141, 0.142]]))
    _, figures = measured(build("active_dimensions", Context()), [two])
    assert figures["active_dimensions"].note.startswith("1 of 2; variances: 0.00994 0.0101")
    single = dataclasses.replace(two, names="a", outputs=two.outputs[:1], mu=two.mu[:1])
    with pytest.raises(UserError, match="at least 2 images to see what varies: 1 given"):
        measured(build("active_dimensions", Context()), [single])


def test_a_latent_code_of_the_prior_has_no_kl() -> None:
    zeros = np.zeros((2, LATENT), np.float32)
    batch = EvaluationBatch(names="ab", outputs=np.zeros((2, 8, 8, 3), np.uint8), mu=zeros, logvar=zeros)
    assert measured(build("kl", Context()), [batch])[1]["kl"].value == 0


def test_colours_are_compared_with_the_truth_or_else_with_the_reference(whole) -> None:
    grey = np.full((20, 20, 1), 7, np.uint8)
    context = Context(reference=lambda: iter([whole.inputs[0], whole.targets[0], grey]), reference_key="facades/val")
    of_outputs, of_truth = colourfulness(whole.outputs).mean(), colourfulness(whole.targets).mean()
    _, figures = measured(build("colourfulness", context), cut(whole, [4]))
    assert figures["colourfulness/real"].value == pytest.approx(of_truth, rel=1e-12)
    assert figures["colourfulness/ratio"].value == pytest.approx(of_outputs / of_truth, rel=1e-12)
    assert figures["colourfulness"].note == f"the truth: {of_truth:.4g}"
    batches = cut(whole, [4])
    batches[1] = dataclasses.replace(batches[1], targets=None)
    _, figures = measured(build("colourfulness", context), batches)
    real = colourfulness(whole.targets[:1])[0] / 3  # two of the three are grey
    assert figures["colourfulness/real"].value == pytest.approx(real, rel=1e-12)
    assert figures["colourfulness/real"].num_images == 3
    assert figures["colourfulness"].note == f"3 images of facades/val: {real:.4g}"
    assert list(measured(build("colourfulness", Context()), batches)[1]) == ["colourfulness"]
    no_colour = Context(reference=lambda: iter([grey]))
    assert "colourfulness/ratio" not in measured(build("colourfulness", no_colour), batches)[1]


def test_samples_are_set_beside_pairs_of_real_images(whole) -> None:
    pairs = random_pairs(COUNT, COUNT * (SAMPLES - 1), seed=5)
    expected = l1(whole.targets[pairs[:, 0]], whole.targets[pairs[:, 1]]).mean()
    _, figures = measured(build("sample_distance", Context(seed=5)), cut(whole, [2, 3]))
    assert figures["sample_distance/real"].value == pytest.approx(expected, rel=1e-12)
    assert "21 random pairs among 7 real images" in figures["sample_distance/real"].protocol
    assert "4 of each input" in figures["sample_distance"].protocol
    share = figures["sample_distance"].value / expected
    assert figures["sample_distance"].note == f"real pairs: {expected:.3g}, {share:.1%} of it"
    without = [dataclasses.replace(whole, targets=None)]
    context = Context(reference=lambda: iter(whole.targets), seed=5)
    assert measured(build("sample_distance", context), without)[1]["sample_distance/real"].value == pytest.approx(
        expected
    )
    assert list(measured(build("sample_distance", Context()), without)[1]) == ["sample_distance"]
    with pytest.raises(UserError, match="at least 2 are needed, 1 given"):
        build("sample_distance", Context()).update(dataclasses.replace(whole, samples=whole.samples[:, :1]))


def test_real_images_are_a_fair_choice_of_one_size(monkeypatch) -> None:
    monkeypatch.setattr(diversity, "REAL_IMAGES", 5)
    counts = np.zeros(20)
    for seed in range(400):
        real = RealImages(seed)
        for number in range(20):
            real.add(np.full((2, 2, 1), number, np.uint8))
            real.add(np.zeros((2, 3, 1), np.uint8))
        chosen = [int(image[0, 0, 0]) for image in real.images]
        assert len(set(chosen)) == 5
        counts[chosen] += 1
    # Each is chosen 100 times, give or take 5 standard deviations of 8.7.
    assert np.abs(counts - 100).max() < 44


class DoubledL1:
    """Stands for an LPIPS whose weights are there."""

    def __init__(self, name: str) -> None:
        self.name, self.linear_sha256 = name, "a1" * 32

    def __call__(self, images_a: np.ndarray, images_b: np.ndarray) -> np.ndarray:
        return 2 * l1(images_a, images_b)


def test_lpips_is_loaded_once_for_the_distance_and_the_diversity(whole, monkeypatch) -> None:
    loaded = []

    def load(name: str, weights_dir: str) -> DoubledL1:
        assert weights_dir == "here"
        loaded.append(name)
        return DoubledL1(name)

    monkeypatch.setattr(lpips, "load_lpips", load)
    context = Context(weights_dir="here")
    _, figures = measured(build("lpips_vgg_v0.1", context), cut(whole, [5]))
    figure = figures["lpips_vgg_v0.1"]
    assert figure.value == pytest.approx(2 * l1(whole.outputs, whole.targets).mean(), rel=1e-12)
    assert figure.weights_sha256 == f"{WEIGHTS['vgg16'].sha256}+{'a1' * 32}"
    assert "v0.1" in figure.protocol and "vgg16" in figure.protocol
    again = dataclasses.replace(context, seed=5)  # the next evaluation
    _, figures = measured(build("diversity_lpips_vgg_v0.1", again), cut(whole, [5]))
    expected = measured(build("sample_distance", again), [whole])[1]
    for part in ("", "/real"):
        figure = figures[f"diversity_lpips_vgg_v0.1{part}"]
        assert figure.value == pytest.approx(2 * expected[f"sample_distance{part}"].value, rel=1e-12)
        assert figure.weights_sha256 == f"{WEIGHTS['vgg16'].sha256}+{'a1' * 32}"
    assert loaded == ["lpips_vgg_v0.1"]
    build("lpips_vgg_v0.0", again)
    assert loaded == ["lpips_vgg_v0.1", "lpips_vgg_v0.0"]


def test_a_failure_to_get_weights_passes_through_and_is_not_kept(monkeypatch) -> None:
    def load(name: str, weights_dir: str | None) -> DoubledL1:
        raise UserError("cannot be fetched")

    monkeypatch.setattr(lpips, "load_lpips", load)
    context = Context()
    with pytest.raises(UserError, match="cannot be fetched"):
        build("lpips_alex_v0.1", context)
    monkeypatch.setattr(lpips, "load_lpips", lambda name, weights_dir: DoubledL1(name))
    build("lpips_alex_v0.1", context)


def test_what_is_there_decides_what_is_chosen() -> None:
    def chosen(*fields: str, channels: int = 3, has_reference: bool = True) -> str:
        return " ".join(choose(None, frozenset({"names", "outputs", *fields}), channels, has_reference))

    assert chosen(has_reference=False) == "colourfulness"
    assert chosen(channels=1, has_reference=False) == ""
    assert chosen("targets") == "psnr ssim l1 lpips_alex_v0.1 fid_clean kid_clean colourfulness"
    assert chosen("targets", channels=1) == "psnr ssim l1 fid_clean kid_clean"
    assert chosen("inputs", "cycled", has_reference=False) == "colourfulness cycle_psnr identity_distance"
    assert chosen("inputs", has_reference=False) == "colourfulness identity_distance"
    assert "identity_distance" not in chosen("inputs", "targets")
    samples = "sample_distance diversity_lpips_alex_v0.0"
    assert chosen("samples", "targets").endswith(f"colourfulness {samples}") and "l1_best" in chosen(
        "samples", "targets"
    )
    assert chosen("z", "recovered_z", "mu", "logvar").endswith("latent_recovery kl active_dimensions")
    assert choose(["kid_legacy", "psnr_y", "kid_legacy"], ALL_FIELDS, 3, True) == ["kid_legacy", "psnr_y"]
    assert choose([], ALL_FIELDS, 3, True) == []


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("lpips", "there is no metric 'lpips'; there are psnr, psnr_y, ssim"),
        ("psnr", "the metric psnr needs the truth of each output$"),
        ("l1_best", "needs several samples of each input, from a model with noise and the truth of each output$"),
        ("fid_clean", "the metric fid_clean needs a set of real images to compare with$"),
        ("colourfulness", "the metric colourfulness needs images of 3 channels, not 1$"),
        ("kl", "the metric kl needs a model that encodes the truth$"),
    ],
)
def test_what_cannot_be_computed_is_refused_in_one_line(name, message) -> None:
    with pytest.raises(UserError, match=message) as caught:
        choose([name], frozenset({"names", "outputs"}), 1, False)
    assert "\n" not in str(caught.value)


def test_there_is_no_metric_of_another_name() -> None:
    with pytest.raises(UserError, match=r"there is no metric 'fid'; there are .*fid_clean, fid_legacy"):
        build("fid", Context())
