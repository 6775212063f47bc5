"""What the checks of a run's health say of a history, when, and how often; and what they are silent over."""

import numpy as np
import pytest
import tensorflow as tf

from gan_zoo.learning.optimizers import FusedAdam, FusedRMSprop
from gan_zoo.metrics.colourfulness import colourfulness
from gan_zoo.training import health
from gan_zoo.training.health_log import HealthLog, best_of, read_lines
from gan_zoo.training.health_measures import ImageMeasures, discriminator_losses, finite, gradient_norms

# Measured at the ends of whole runs: BicycleGAN and pix2pix on facades, CycleGAN on summer2winter.
HEALTHY = {
    "bicyclegan": {
        "output_distance": 0.217,
        "real_distance": 0.238,
        "contrast": 0.193,
        "real_contrast": 0.199,
        "extreme": 0.0005,
        "real_extreme": 0.0121,
        "colourfulness": 20.2,
        "real_colourfulness": 25.4,
        "sample_distance": 0.157,
        "l1": 0.201,
        "training_l1": 0.194,
    },
    "pix2pix": {
        "output_distance": 0.199,
        "real_distance": 0.238,
        "contrast": 0.180,
        "real_contrast": 0.199,
        "extreme": 0.0011,
        "real_extreme": 0.0121,
        "colourfulness": 19.3,
        "real_colourfulness": 25.4,
        "l1": 0.170,
        "training_l1": 0.132,
    },
    "cyclegan": {
        "output_distance": 0.230,
        "real_distance": 0.294,
        "contrast": 0.242,
        "real_contrast": 0.230,
        "extreme": 0.0,
        "real_extreme": 0.0023,
        "colourfulness": 40.9,
        "real_colourfulness": 35.2,
    },
}
WELL = HEALTHY["bicyclegan"]


def line(step: int, losses: dict | None = None, norms: dict | None = None, **measures) -> dict:
    return {
        "step": step,
        "figures": {},
        "measures": {
            "translators": {"translate": WELL | measures},
            "discriminator_losses": {"discriminator": 0.3} if losses is None else losses,
            "gradient_norms": {"generator": 27.0} if norms is None else norms,
        },
    }


def said(lines: list[dict]) -> list[tuple[int, str]]:
    """Step and key of all that a run of these checks says."""
    return [(each["step"], key) for each in health.replay(lines) for key in each["warnings"]]


STEPS = range(500, 4500, 500)


def test_healthy_runs_hear_nothing() -> None:
    for measures in HEALTHY.values():
        lines = [line(step) for step in STEPS]
        for each in lines:
            each["measures"]["translators"] = {"translate": measures}
        assert said(lines) == []


# A little on the ill side of each threshold, and a little on the other one.
ILL = {
    "noise_ignored": ({"sample_distance": 0.00237}, {"sample_distance": 0.00239}),
    "mode_collapse": ({"output_distance": 0.0237}, {"output_distance": 0.0239}),
    "constant_output": ({"contrast": 0.0099}, {"contrast": 0.0100}),
    "saturated_output": ({"extreme": 0.902}, {"extreme": 0.901}),
    "colours_fading": ({"colourfulness": 6.34}, {"colourfulness": 6.36}),
    "overfitting": ({"l1": 0.486}, {"l1": 0.484}),
}


@pytest.mark.parametrize("key", ILL)
def test_an_ill_translator_is_told_once_at_the_third_check(key) -> None:
    ill, well = ILL[key]
    assert said([line(step, **ill) for step in STEPS]) == [(2000, key)]
    assert said([line(step, **well) for step in STEPS]) == []
    # Two checks in a row are chance, and the count begins anew.
    turns = [line(step, **(ill if number % 3 else well)) for number, step in enumerate(range(1000, 9000, 500))]
    assert said(turns) == []
    assert said([line(step, **ill) for step in (100, 200, 300, 999)]) == []
    # A measure that is not there or not finite is not judged.
    assert said([line(step, **dict.fromkeys(ill)) for step in STEPS]) == []


def test_a_sentence_is_plain_and_says_what_to_do() -> None:
    ill = [line(step, sample_distance=0.0008) for step in STEPS]
    (sentence,) = health.check(ill[:4]).values()
    assert sentence == (
        "the noise is being ignored: samples of one input differ by 0.34% of what real images differ by; start anew "
        "with a larger lambda_latent, a smaller lambda_l1 or z_injection=all"
    )
    for key, (measures, _) in ILL.items():
        sentence = health.check([line(step, **measures) for step in (1000, 1500, 2000)])[key]
        assert ";" in sentence and "\n" not in sentence and not sentence.endswith(".")


def test_real_images_that_say_nothing_are_no_measure() -> None:
    for measures in (
        {"output_distance": 0.0, "sample_distance": 0.0, "real_distance": 0.009},
        {"extreme": 1.0, "real_extreme": 0.85},  # black and white drawings
        {"contrast": 0.0, "real_contrast": 0.009},
        {"colourfulness": 0.0, "real_colourfulness": 4.9},
    ):
        assert said([line(step, **measures) for step in STEPS]) == []


def test_flat_images_are_told_by_one_sentence() -> None:
    flat = {"contrast": 0.0, "output_distance": 0.0, "sample_distance": 0.0, "colourfulness": 0.0}
    assert said([line(step, **flat) for step in STEPS]) == [(2000, "constant_output")]


def test_several_translators_are_named() -> None:
    lines = [line(step) for step in STEPS]
    for each in lines:
        each["measures"]["translators"] = {"a_to_b": WELL, "b_to_a": WELL | {"contrast": 0.0}}
    assert said(lines) == [(2000, "constant_output/b_to_a")]
    assert health.check(lines[:4])["constant_output/b_to_a"].startswith("b_to_a: the generator's output is constant")


def test_a_discriminator_has_won_when_it_stays_near_zero_for_long() -> None:
    def losses(step: int) -> dict:
        return {"discriminator_a": 0.0199 if step >= 1500 else 0.2, "discriminator_b": 0.2}

    assert said([line(step, losses(step)) for step in STEPS]) == [(3000, "discriminator_won/discriminator_a")]
    # Checks every ten steps: four of them are not long.
    lines = [line(step, {"discriminator": 0.001}) for step in range(1000, 2020, 10)]
    assert said(lines) == [(2000, "discriminator_won/discriminator")]
    assert said([line(step, {"discriminator": 0.0201}) for step in STEPS]) == []
    # Its two halves are one loss: to call all real is no victory.
    halves = {"discriminator_real": 0.001, "discriminator_fake": 2.0}
    assert said([line(step, halves) for step in STEPS]) == []
    halves = {"discriminator_real": 0.009, "discriminator_fake": 0.009}
    assert said([line(step, halves) for step in STEPS]) == [(2500, "discriminator_won/discriminator")]


def test_gradients_explode_against_what_they_were() -> None:
    norms = {1000: 1.0, 1500: 3.0, 2000: 2.0, 2500: 59.0, 3000: 76.0, 3500: 1e4}
    lines = [line(step, norms={"generator": norm}) for step, norm in norms.items()]
    assert said(lines) == [(3000, "exploding_gradients/generator")]  # medians 2, and 2.5 of the four before
    assert "76, 30 times what it was" in health.check(lines[:5])["exploding_gradients/generator"]
    lines = [line(step, norms={"generator": None if step == 2000 else 27.0}) for step in STEPS]
    assert said(lines) == []


def test_a_replay_needs_the_measures_alone() -> None:
    lines = [line(step, contrast=0.0) for step in STEPS]
    spoken = [{**each, "warnings": {"noise_ignored": "of other thresholds"}} for each in lines]
    assert [each["warnings"].keys() for each in health.replay(spoken)] == [
        {"constant_output"} if step == 2000 else set() for step in STEPS
    ]
    assert spoken[0]["warnings"]  # untouched


def test_the_measures_of_images_are_what_their_names_say() -> None:
    random = np.random.default_rng(0)
    outputs, real = (random.integers(0, 256, (5, 8, 6, 3), np.uint8) for _ in range(2))
    samples = random.integers(0, 256, (5, 4, 8, 6, 3), np.uint8)
    outputs[2:, :, :3] = 255
    measures = ImageMeasures()
    for part in (slice(0, 2), slice(2, 5)):
        measures.update(outputs[part], real[part], targets=real[part], samples=samples[part])
    wide = {name: images.astype(np.float64) / 255 for name, images in (("", outputs), ("real_", real))}
    expected = {
        "l1": np.abs(wide[""] - wide["real_"]).mean(),
        "output_distance": np.abs(np.diff(wide[""], axis=0)).mean(),
        "real_distance": np.abs(np.diff(wide["real_"], axis=0)).mean(),
        "sample_distance": np.abs(np.diff(samples / 255.0, axis=1)).mean(),
        "colourfulness": colourfulness(outputs).mean(),
        "real_colourfulness": colourfulness(real).mean(),
    }
    for prefix, images in wide.items():
        expected[f"{prefix}contrast"] = images.std(axis=(1, 2)).mean()
        expected[f"{prefix}extreme"] = ((images == 0) | (images == 1)).mean()
    assert measures.values() == pytest.approx(expected, rel=1e-12)

    grey = ImageMeasures()  # neighbours of another size are no pair, and grey has no colours
    for size in (8, 12, 12):
        grey.update(np.full((1, size, 8, 1), 10 * size, np.uint8), np.zeros((1, size, 8, 1), np.uint8))
    assert grey.values() == pytest.approx(
        {"output_distance": 0, "real_distance": 0, "contrast": 0, "real_contrast": 0, "extreme": 0, "real_extreme": 1}
    )


def test_the_norm_of_the_gradients_is_read_from_adam() -> None:
    variables = [tf.Variable([1.0, 2.0]), tf.Variable(3.0)]
    optimizer = FusedAdam(1e-3, beta_1=0.5, beta_2=0.9)
    optimizer.build(variables)
    assert gradient_norms({"generator": optimizer}) == {}
    squares = []
    for scale in (1.0, 2.0, 0.5):
        optimizer.apply([tf.constant([3.0, 4.0]) * scale, tf.constant(12.0) * scale], variables)
        squares.append((13.0 * scale) ** 2)
    weights = [0.9**2, 0.9, 1.0]
    expected = np.sqrt(np.dot(weights, squares) / sum(weights))
    assert gradient_norms({"generator": optimizer}) == pytest.approx({"generator": expected}, rel=1e-6)


def test_the_norm_of_the_gradients_is_read_from_rmsprop() -> None:
    variables = [tf.Variable([1.0, 2.0]), tf.Variable(3.0)]
    optimizer = FusedRMSprop(1e-3, rho=0.5)
    optimizer.build(variables)
    assert gradient_norms({"critic": optimizer}) == {}
    for scale in (1.0, 2.0):
        optimizer.apply([tf.constant([3.0, 4.0]) * scale, tf.constant(12.0) * scale], variables)
    expected = np.sqrt((0.5 * 13.0**2 + 26.0**2) / 1.5)  # nothing is left of the three ones that it started with
    assert gradient_norms({"critic": optimizer}) == pytest.approx({"critic": expected}, rel=1e-6)


def test_losses_of_discriminators_but_of_critics() -> None:
    logs = {"gan": 1.0, "discriminator_real": 0.5, "discriminator_fake": 0.25, "gradient_penalty": 2.0}
    assert discriminator_losses(logs, "lsgan") == {"discriminator_real": 0.5, "discriminator_fake": 0.25}
    assert discriminator_losses(logs, "wgangp") == discriminator_losses(logs, "wgan") == {}
    assert finite({"psnr": float("inf"), "l1": 0.5}) == {"psnr": None, "l1": 0.5}


def test_the_log_forgets_what_comes_after_the_checkpoint(tmp_path) -> None:
    log = HealthLog(tmp_path, 0)
    assert not log.path.exists() and log.lines == []
    for step in (500, 1000, 1500):
        log.append(line(step))
    text = log.path.read_text()
    with log.path.open("a") as file:
        file.write('{"step": 20')  # killed in the middle
    assert [each["step"] for each in read_lines(tmp_path)] == [500, 1000, 1500]
    assert HealthLog(tmp_path, 1500).lines == log.lines and log.path.read_text() == text
    again = HealthLog(tmp_path, 1400)
    assert again.lines == log.lines[:2] and log.path.read_text() == "".join(text.splitlines(True)[:2])
    again.append(line(1500))
    assert log.path.read_text() == text
    assert [path.name for path in tmp_path.iterdir()] == ["health.jsonl"]


def test_the_best_of_a_log() -> None:
    values = {500: 0.3, 1000: None, 1500: 0.2, 2000: 0.2, 2500: 0.25}
    lines = [{"step": step, "figures": {"l1": {"value": value, "better": "lower"}}} for step, value in values.items()]
    assert best_of(lines, "l1") == (1500, 0.2) and best_of(lines[:2], "l1") == (500, 0.3)
    for each in lines:
        each["figures"]["l1"]["better"] = "higher"
    assert best_of(lines, "l1") == (500, 0.3)
    assert best_of(lines, "psnr") is None and best_of([], "l1") is None
