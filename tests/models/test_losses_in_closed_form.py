"""The losses of pix2pix, colorization, CycleGAN and CUT in numpy, with every weight and every GAN mode.

The discriminator is replaced by half the square of what it sees: its slope there is the image itself.
"""

import dataclasses

import numpy as np
import pytest
import tensorflow as tf
from tiny_models import built, judge_by_half_squares

from gan_zoo.models.base import TranslationModel

REAL = {
    "lsgan": lambda x: (x - 1) ** 2,
    "vanilla": lambda x: np.log1p(np.exp(-x)),
    "hinge": lambda x: np.maximum(1 - x, 0),
    "wgangp": lambda x: -x,
}
FAKE = {
    "lsgan": lambda x: x**2,
    "vanilla": lambda x: np.log1p(np.exp(x)),
    "hinge": lambda x: np.maximum(1 + x, 0),
    "wgangp": lambda x: x,
}
GENERATOR = REAL | {"hinge": lambda x: -x}  # without a margin
CONDITIONAL = ("pix2pix", "colorization")
DOMAINS = ("a", "b")
SIDE, ROWS = 8, 3


@pytest.fixture(scope="module")
def squares() -> dict[str, TranslationModel]:
    weights = {"lambda_gradient_penalty": 3.0}
    found = {name: built(name, lambda_gan=1.5, lambda_l1=30.0, **weights) for name in CONDITIONAL}
    found["plain pix2pix"] = built("pix2pix", conditional=False, lambda_gan=1.5, lambda_l1=30.0, **weights)
    found["cyclegan"] = built("cyclegan", lambda_cycle_a=3.0, lambda_cycle_b=5.0, lambda_identity=0.4, **weights)
    found["cut"] = built("cut", lambda_gan=1.5, lambda_nce=6.0, temperature=0.3, **weights)
    for model in found.values():
        judge_by_half_squares(model)
    return found


@pytest.fixture
def with_settings(squares):
    """A model by its name, with other settings than those that its networks were built by."""
    configs = {name: model.config for name, model in squares.items()}

    def change(name: str, **settings) -> TranslationModel:
        squares[name].config = dataclasses.replace(configs[name], **settings)
        return squares[name]

    yield change
    for name, config in configs.items():
        squares[name].config = config


def images(count: int, channels: int = 3) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return list(random.uniform(-2, 2, (count, ROWS, SIDE, SIDE, channels)).astype(np.float32))


def index(rows: int = ROWS, start: int = 0) -> tf.Tensor:
    return tf.range(start, start + rows, dtype=tf.int64)


def assert_losses(found: dict[str, tf.Tensor], expected: dict[str, float]) -> None:
    # Means of a few hundred numbers around 1, in float32.
    assert {name: float(loss) for name, loss in found.items()} == pytest.approx(expected, rel=1e-5)


LOGITS = [np.float32([[-2.0, 0.5], [3.0, 1.5]])[None, ..., None], np.float32([[1.25]])[None, ..., None]]


@pytest.mark.parametrize("mode", REAL)
@pytest.mark.parametrize("name", CONDITIONAL)
def test_the_generator_of_a_pair_in_every_mode(with_settings, name, mode) -> None:
    target, fake = images(2)
    losses = with_settings(name, gan_mode=mode).generator_losses(target, fake, LOGITS)
    expected = {
        "gan": 1.5 * sum(GENERATOR[mode](scale).mean() for scale in LOGITS),
        "l1": 30.0 * np.abs(fake - target).mean(),
    }
    assert_losses(losses, expected)


@pytest.mark.parametrize("mode", REAL)
def test_the_generators_of_both_domains_in_every_mode(with_settings, mode) -> None:
    kinds = zip(("images", "cycled_images", "identity_images"), np.split(np.stack(images(6)), 3), strict=True)
    given = {kind: dict(zip(DOMAINS, pair, strict=True)) for kind, pair in kinds}
    logits = {"a": LOGITS, "b": [2 * scale for scale in LOGITS]}
    losses = with_settings("cyclegan", gan_mode=mode).generator_losses(**given, fake_logits=logits)
    expected = {f"gan_{domain}": sum(GENERATOR[mode](scale).mean() for scale in logits[domain]) for domain in DOMAINS}
    for domain, weight in (("a", 3.0), ("b", 5.0)):
        image = given["images"][domain]
        expected[f"cycle_{domain}"] = weight * np.abs(given["cycled_images"][domain] - image).mean()
        expected[f"identity_{domain}"] = 0.4 * weight * np.abs(given["identity_images"][domain] - image).mean()
    assert_losses(losses, expected)


def cross_entropy(queries: np.ndarray, keys: np.ndarray, temperature: float) -> float:
    """Of `[P, D]` both: minus the logarithm of what a softmax over all keys gives to a query's own."""
    cosines = np.exp(queries.astype(np.float64) @ keys.T / temperature)
    return float(-np.log(np.diag(cosines) / cosines.sum(1)).mean())


def unit_vectors(count: int) -> list[np.ndarray]:
    """Of two feature maps with different numbers of patches, for `count` images."""
    random = np.random.default_rng(count)
    vectors = [random.normal(size=(count, patches, 4)) for patches in (5, 3)]
    return [np.float32(each / np.linalg.norm(each, axis=-1, keepdims=True)) for each in vectors]


@pytest.mark.parametrize("mode", REAL)
def test_the_generator_of_one_direction_in_every_mode(with_settings, mode) -> None:
    queries, keys = unit_vectors(2 * ROWS), unit_vectors(2 * ROWS + 2)
    keys = [each[:-2] for each in keys]

    def expected(part: slice, weight: float, temperature: float = 0.3) -> float:
        of_maps = [
            np.mean([cross_entropy(q, k, temperature) for q, k in zip(of_q[part], of_k[part], strict=True)])
            for of_q, of_k in zip(queries, keys, strict=True)
        ]
        return weight * float(np.mean(of_maps))

    first, second = slice(ROWS), slice(ROWS, None)
    gan = 1.5 * sum(GENERATOR[mode](scale).mean() for scale in LOGITS)
    losses = with_settings("cut", gan_mode=mode).generator_losses(LOGITS, queries, keys)
    assert_losses(losses, {"gan": gan, "nce": expected(first, 3.0), "nce_identity": expected(second, 3.0)})
    # Without the identity the whole weight is on the translations.
    model = with_settings("cut", gan_mode=mode, identity_nce=False, temperature=0.7)
    alone = model.generator_losses(LOGITS, [each[first] for each in queries], [each[first] for each in keys])
    assert_losses(alone, {"gan": gan, "nce": expected(first, 6.0, 0.7)})


def test_negatives_of_the_batch(with_settings) -> None:
    model = with_settings("cut", negatives="batch", identity_nce=False)
    queries, keys = unit_vectors(ROWS), unit_vectors(ROWS + 1)
    keys = [each[:-1] for each in keys]
    pairs = [[each.reshape(-1, 4) for each in pair] for pair in zip(queries, keys, strict=True)]
    losses = model.generator_losses(LOGITS, queries, keys)
    assert float(losses["nce"]) == pytest.approx(6.0 * np.mean([cross_entropy(*pair, 0.3) for pair in pairs]), rel=1e-5)


@pytest.mark.parametrize("mode", REAL)
@pytest.mark.parametrize("name", [*CONDITIONAL, "plain pix2pix", "cut"])
def test_the_discriminator_of_a_pair_in_every_mode(with_settings, name, mode) -> None:
    model = with_settings(name, gan_mode=mode)
    condition, target, fake = images(3)
    given = [target, fake] if name == "cut" else [condition, target, fake]
    losses = dict(model.discriminator_losses(*given, index()))
    losses.pop("gradient_penalty", None)

    def logits(image: np.ndarray) -> np.ndarray:
        seen = [condition, image] if name in CONDITIONAL else [image]
        return np.concatenate(seen, -1) ** 2 / 2

    expected = {
        "discriminator_real": REAL[mode](logits(target)).mean(),
        "discriminator_fake": FAKE[mode](logits(fake)).mean(),
    }
    assert_losses(losses, expected)


@pytest.mark.parametrize("mode", REAL)
@pytest.mark.parametrize("domain", DOMAINS)
def test_the_discriminator_of_a_domain_in_every_mode(with_settings, domain, mode) -> None:
    model = with_settings("cyclegan", gan_mode=mode)
    real, fake = images(2)
    losses = dict(model.discriminator_losses(domain, real, fake, index()))
    losses.pop(f"gradient_penalty_{domain}", None)
    mean = (REAL[mode](real**2 / 2).mean() + FAKE[mode](fake**2 / 2).mean()) / 2
    assert_losses(losses, {f"discriminator_{domain}": mean})


def penalty(model: TranslationModel, domain: str | None, real: tf.Tensor, fake: tf.Tensor, rows: tf.Tensor) -> float:
    if model.data_kind == "unpaired" and domain is None:
        return float(model.discriminator_losses(real, fake, rows)["gradient_penalty"])
    if domain is None:
        losses = model.discriminator_losses(tf.zeros_like(real), real, fake, rows)
        return float(losses["gradient_penalty"])
    return float(model.discriminator_losses(domain, real, fake, rows)[f"gradient_penalty_{domain}"])


# The weight is that of the settings; CycleGAN halves it with the rest of its discriminators' losses.
PENALTIES = [("pix2pix", None, 3.0), ("plain pix2pix", None, 3.0), ("colorization", None, 3.0), ("cut", None, 3.0)]
PENALTIES += [("cyclegan", domain, 1.5) for domain in DOMAINS]


@pytest.mark.parametrize(("name", "domain", "weight"), PENALTIES)
def test_the_gradient_penalty(with_settings, name, domain, weight) -> None:
    model = with_settings(name, gan_mode="wgangp")
    (image,) = images(1)
    norms = np.sqrt((image**2).sum((1, 2, 3)))
    # Where real and fake are one, alpha matters not.
    found = penalty(model, domain, tf.constant(image), tf.constant(image), index())
    assert found == pytest.approx(weight * np.mean((norms - 1) ** 2), rel=1e-5)

    # Between an image of the norm r and zeros the slope is alpha * r, and each example tells its own alpha.
    real = tf.fill([1, SIDE, SIDE, 3], 100.0)
    r = 100.0 * np.sqrt(SIDE * SIDE * 3)

    def alphas(name: str, domain: str | None, **settings) -> np.ndarray:
        model = with_settings(name, gan_mode="wgangp", **settings)
        rows = [penalty(model, domain, real, tf.zeros_like(real), index(1, start)) for start in range(24)]
        return (1 + np.sqrt(np.array(rows) / weight)) / r

    found = alphas(name, domain)
    # Uniform in [0, 1): 24 draws have a mean of 0.5, known to 0.06, and an eighth without any has a chance of 4 %.
    assert 0 <= found.min() < 0.25 and 0.75 < found.max() < 1 and found.mean() == pytest.approx(0.5, abs=0.25)
    others = [alphas(name, domain, seed=1)] + ([alphas(name, "b")] if domain == "a" else [])
    for other in others:
        # The distance of two independent ones is 1/3, known to 0.05; that of two alike is 0.
        assert np.abs(found - other).mean() == pytest.approx(1 / 3, abs=0.25)
