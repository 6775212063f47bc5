"""What is wrong with a run, from the measures that its checks have taken: pure functions of the history.

A history is what `workdir/health.jsonl` holds, a line a check, as mappings

    {"step": 1500,
     "measures": {"translators": {name: {measure: value}}, "discriminator_losses": {log name: value},
                  "gradient_norms": {network: value}},
     "warnings": {key: sentence}}

A measure that is missing or null (None) is not judged. Of a translator, all as means over a few fixed validation
examples, distances being mean absolute differences in [0, 1] (a level of 255 is 1/255):

| measure | what |
|---|---|
| `sample_distance` | of consecutive samples of one input; only where the translator takes z |
| `output_distance`, `real_distance` | of the translations, and of the real images, of consecutive examples |
| `contrast`, `real_contrast` | standard deviation over the pixels of an image, a channel at a time, in [0, 1] |
| `extreme`, `real_extreme` | share of the values that are 0 or 255 |
| `colourfulness`, `real_colourfulness` | Hasler and Suesstrunk's; only with 3 channels |
| `l1`, `training_l1` | distance to the truth, of validation and of training examples; only where there is a truth |

Each threshold lies far from what healthy runs show; the comments say how far, from what BicycleGAN and pix2pix on
facades and CycleGAN on summer2winter_yosemite have shown. Over the whole of `make demo` no check says a thing, whatever
the seed (0 to 4): `python train.py --model=bicyclegan --dataset=shapes --steps=4000 --evaluate_every=250 --seed=N`.
"""

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Line = Mapping[str, Any]
Measures = Mapping[str, float | None]

FIRST_STEPS = 1000  # no judgement on an earlier check: all begins grey, and alike
IN_A_ROW = 3  # checks that must agree, where nothing else is said

SMALLEST_SAMPLE_DISTANCE = 0.01  # of the real distance; healthy: 0.30 at least, in a demo
SMALLEST_OUTPUT_DISTANCE = 0.1  # of the real distance; healthy: 0.41 at least
SMALLEST_CONTRAST = 0.05  # of the real contrast; healthy: 0.56 at least, 0.34 before the first step
SMALLEST_UNSATURATED = 0.1  # of the real share of values between 0 and 255; healthy: 0.99 at least
SMALLEST_COLOURFULNESS = 0.25  # of the real colourfulness; healthy: 0.55 at least
LARGEST_L1 = 2.5  # of the training L1; healthy: 1.4 at most, after 75 epochs over 400 images
SMALLEST_DISCRIMINATOR_LOSS = 0.02  # healthy: 0.37 at least, in a demo; an undecided one has 0.25 to 2
DISCRIMINATOR_CHECKS, DISCRIMINATOR_STEPS = 4, 1000  # in a row, and so far apart: a loss is that of a single step
LARGEST_GRADIENT_NORM = 30.0  # of the median of the checks before; healthy: 2.7 at most between any two of a demo
GRADIENT_CHECKS = 2  # that make a median

# Real images that are nearly alike, nearly grey, nearly all black and white or nearly flat say nothing of the model.
REAL_DISTANCE, REAL_CONTRAST, REAL_UNSATURATED, REAL_COLOURFULNESS = 0.01, 0.01, 0.2, 5.0


def check(history: Sequence[Line]) -> dict[str, str]:
    """What the last line of a history gives reason to say and no line before it has said.

    Args:
        history: the lines of a run in the order of their steps; the last may lack its `warnings`.

    Returns:
        Sentences without a full stop, each under its key: the name of the check, behind it after a slash what it is
        about where there may be several.
    """
    judged = [line for line in history if line["step"] >= FIRST_STEPS]
    if not judged or judged[-1] is not history[-1]:
        return {}
    found = _of_translators(judged) | _of_discriminators(judged) | _of_gradients(judged)
    said = {key for line in history for key in line.get("warnings", ())}
    return {key: sentence for key, sentence in found.items() if key not in said}


def replay(history: Sequence[Line]) -> list[dict[str, Any]]:
    """The same lines with the warnings that `check` gives now, whatever was said then."""
    lines: list[dict[str, Any]] = []
    for line in history:
        lines.append({**line, "warnings": {}})
        lines[-1]["warnings"] = check(lines)
    return lines


def _of_translators(judged: Sequence[Line]) -> dict[str, str]:
    names = list(judged[-1]["measures"].get("translators", {}))
    found = {}
    for name in names:
        series = [line["measures"].get("translators", {}).get(name, {}) for line in judged]
        for key, (is_ill, sentence) in TRANSLATOR_CHECKS.items():
            if len(series) >= IN_A_ROW and all(map(is_ill, series[-IN_A_ROW:])):
                several = len(names) > 1
                found[f"{key}/{name}" if several else key] = f"{name}: " * several + sentence(series[-1])
    return found


def _below(measure: str, share: float, real: str, real_at_least: float) -> Callable[[Measures], bool]:
    """Whether a measure lies below a share of the real one."""

    def is_ill(measures: Measures) -> bool:
        value, reference = measures.get(measure), measures.get(real)
        return None not in (value, reference) and reference >= real_at_least and value < share * reference

    return is_ill


_is_constant = _below("contrast", SMALLEST_CONTRAST, "real_contrast", REAL_CONTRAST)


def _though_not_constant(is_ill: Callable[[Measures], bool]) -> Callable[[Measures], bool]:
    """Flat images are alike and grey too: that they are flat says it all."""
    return lambda measures: is_ill(measures) and not _is_constant(measures)


def _is_saturated(measures: Measures) -> bool:
    extreme, real = measures.get("extreme"), measures.get("real_extreme")
    return (
        None not in (extreme, real) and 1 - real >= REAL_UNSATURATED and 1 - extreme < SMALLEST_UNSATURATED * (1 - real)
    )


def _is_overfitted(measures: Measures) -> bool:
    value, training = measures.get("l1"), measures.get("training_l1")
    return None not in (value, training) and value > LARGEST_L1 * training


def _share(measures: Measures, measure: str, real: str) -> str:
    return f"{measures[measure] / measures[real]:.2%}"


TRANSLATOR_CHECKS: dict[str, tuple[Callable[[Measures], bool], Callable[[Measures], str]]] = {
    "constant_output": (
        _is_constant,
        lambda m: (
            "the generator's output is constant: the contrast within its images is "
            f"{_share(m, 'contrast', 'real_contrast')} of the real ones'; see in the samples that inputs and targets "
            "are what you mean, and start anew with a lower learning_rate or another seed"
        ),
    ),
    "saturated_output": (
        _is_saturated,
        lambda m: (
            f"the generator's output is saturated: {m['extreme']:.1%} of its values are black or full, "
            f"{m['real_extreme']:.1%} of the real ones, and there it learns nothing more; start anew with a lower "
            "learning_rate or a smaller init_gain"
        ),
    ),
    "noise_ignored": (
        _though_not_constant(_below("sample_distance", SMALLEST_SAMPLE_DISTANCE, "real_distance", REAL_DISTANCE)),
        lambda m: (
            "the noise is being ignored: samples of one input differ by "
            f"{_share(m, 'sample_distance', 'real_distance')} of what real images differ by; start anew with a larger "
            "lambda_latent, a smaller lambda_l1 or z_injection=all"
        ),
    ),
    "mode_collapse": (
        _though_not_constant(_below("output_distance", SMALLEST_OUTPUT_DISTANCE, "real_distance", REAL_DISTANCE)),
        lambda m: (
            "mode collapse: translations of different inputs differ by "
            f"{_share(m, 'output_distance', 'real_distance')} of what real images differ by; start anew with another "
            "seed, a lower learning_rate, or more weight on the L1, cycle or NCE loss"
        ),
    ),
    "colours_fading": (
        _though_not_constant(_below("colourfulness", SMALLEST_COLOURFULNESS, "real_colourfulness", REAL_COLOURFULNESS)),
        lambda m: (
            f"the colours are fading: the colourfulness is {m['colourfulness']:.1f}, that of real images "
            f"{m['real_colourfulness']:.1f}; give the adversarial loss more weight, or the L1, cycle or NCE loss less"
        ),
    ),
    "overfitting": (
        _is_overfitted,
        lambda m: (
            f"validation is much worse than training: L1 {m['l1']:.3f} against {m['training_l1']:.3f}, the model "
            "learns its examples by heart; more examples, flip, a larger load_scale, dropout or fewer base_filters "
            "help, and --checkpoint=best takes the weights from before"
        ),
    ),
}


def _of_discriminators(judged: Sequence[Line]) -> dict[str, str]:
    losses = [_joined(line["measures"].get("discriminator_losses", {})) for line in judged]
    found = {}
    for name in losses[-1]:
        low = 0  # how many of the last checks
        for values in reversed(losses):
            value = values.get(name)
            if value is None or value >= SMALLEST_DISCRIMINATOR_LOSS:
                break
            low += 1
        steps = judged[-1]["step"] - judged[-low]["step"] if low else 0
        if low >= DISCRIMINATOR_CHECKS and steps >= DISCRIMINATOR_STEPS:
            found[f"discriminator_won/{name}"] = (
                f"the {name} has won: its loss is below {SMALLEST_DISCRIMINATOR_LOSS} since step "
                f"{judged[-low]['step']}, and the generator learns nothing from it any more; start anew with fewer "
                "discriminator_filters or discriminator_layers, or more weight on the generator's other losses"
            )
    return found


def _joined(losses: Measures) -> dict[str, float | None]:
    """Where a discriminator logs its real and its fake loss, it is their sum that says who wins."""
    joined: dict[str, float | None] = {}
    for name, value in losses.items():
        stem = name.removesuffix("_real").removesuffix("_fake")
        before = joined.get(stem, 0.0)
        joined[stem] = None if None in (value, before) else before + value
    return joined


def _of_gradients(judged: Sequence[Line]) -> dict[str, str]:
    *before, now = [line["measures"].get("gradient_norms", {}) for line in judged]
    found = {}
    for name, norm in now.items():
        earlier = [norms[name] for norms in before if norms.get(name) is not None]
        if norm is None or len(earlier) < GRADIENT_CHECKS:
            continue
        usual = statistics.median(earlier)
        if norm > LARGEST_GRADIENT_NORM * usual > 0:
            found[f"exploding_gradients/{name}"] = (
                f"the gradients of the {name} are exploding: their norm is {norm:.3g}, {norm / usual:.0f} times "
                "what it was; start anew with a lower learning_rate, or less weight on the loss that grows"
            )
    return found
