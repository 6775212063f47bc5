"""Models whose networks take turns resume to the bit, in the middle of a turn and before a change of their losses."""

import numpy as np
import pytest
from run_arrays import arrays
from tiny_runs import run_train, use_eight_pictures

STEPS, STOP = 6, 4  # the second step of the second turn of three
SETTINGS = {
    # The rate of the way back changes with the step behind the one that comes.
    "discogan": ["discriminator_every=3", "rate_change_step=5", "start_rate=0.1", "rate=0.9"],
    "dualgan": ["n_critic=3", "gan_mode=wgan", "weight_clip=0.05", "rms_momentum=0.5", "learning_rate=0.01"],
}
# What DualGAN's networks are is no matter here: small ones.
SETTINGS["dualgan"] += ["image_size=32", "generator_type=resnet", "num_blocks=1", "discriminator_type=patch"]


@pytest.mark.usefixtures("eagerly")
@pytest.mark.parametrize("name", SETTINGS)
def test_a_stopped_run_ends_as_one_that_was_not(name, tmp_path, monkeypatch) -> None:
    use_eight_pictures(monkeypatch)
    settings = [f"--set={setting}" for setting in SETTINGS[name]]
    words = [f"--model={name}", "--dataset=eight", *settings, "--sample_every=0", "--evaluate_every=0"]
    updates = []
    for folder, steps in (("alone", STEPS), ("stopped", STOP), ("stopped", STEPS)):
        result = run_train(*words, f"--workdir={tmp_path / folder}", f"--steps={steps}")
        assert result.code == 0, result
        found = arrays(tmp_path / folder)
        updates.append({kind: count(found, kind) for kind in ("generator", "discriminator")})
    assert f"going on after step {STOP}" in result.out
    expected, actual = arrays(tmp_path / "alone"), arrays(tmp_path / "stopped")
    assert expected.keys() == actual.keys()
    assert not [key for key in expected if expected[key].tobytes() != np.asarray(actual[key]).tobytes()]
    assert expected["extra_state/step/.ATTRIBUTES/VARIABLE_VALUE"] == STEPS
    # Steps 0 and 3 are the discriminators' of DiscoGAN and the generators' of DualGAN.
    of_discogan = [{"discriminator": 2, "generator": steps - 2} for steps in (STEPS, STOP, STEPS)]
    of_dualgan = [{"discriminator": steps, "generator": 2} for steps in (STEPS, STOP, STEPS)]
    assert updates == {"discogan": of_discogan, "dualgan": of_dualgan}[name]


def count(found: dict[str, np.ndarray], kind: str) -> int:
    """The updates of all networks of a kind, which are alike."""
    (number,) = {int(found[key]) for key in found if key.startswith(f"optimizers/{kind}") and "_iterations" in key}
    return number
