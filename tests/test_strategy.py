"""Several devices compute what one computes: two logical CPUs, in a process of their own."""

import pytest
from own_process import run_script
from tiny_runs import NETWORKS_OF_THEIR_OWN

from gan_zoo.training.setup import make_strategy


@pytest.fixture(scope="module")
def comparisons() -> dict:
    """By model what `mirrored_run.py` prints."""
    return run_script("mirrored_run.py")


@pytest.mark.parametrize("name", NETWORKS_OF_THEIR_OWN)
def test_two_devices_learn_what_one_learns(comparisons, name) -> None:
    comparison = comparisons[name]
    assert comparison["replicas"] == 2 and comparison["same_start"] and comparison["replicas_equal"]
    for network, difference in comparison["differences"].items():
        # Sums in another order: 1e-5 of the way that the weights went. A loss scaled wrongly, halves swapped or other
        # noise change that way itself, by a tenth at the least.
        move = comparison["moves"][network]
        assert move > 1e-4, network
        assert difference < 1e-3 * move, (network, difference, move)


@pytest.mark.parametrize("name", NETWORKS_OF_THEIR_OWN)
def test_two_devices_report_the_losses_of_one(comparisons, name) -> None:
    one, mirrored = comparisons[name]["losses"]
    for step, (ours, theirs) in enumerate(zip(one, mirrored, strict=True)):
        assert ours == pytest.approx(theirs, rel=1e-4), step
    assert name != "bicyclegan" or one[0]["kl"] > 0.1


@pytest.mark.parametrize("name", NETWORKS_OF_THEIR_OWN)
def test_a_checkpoint_of_two_devices_fits_one(comparisons, name) -> None:
    assert comparisons[name]["carried_over"]


def test_auto_is_one_device_without_gpus() -> None:
    assert make_strategy("auto").num_replicas_in_sync == make_strategy("one").num_replicas_in_sync == 1
    with pytest.raises(ValueError, match="two"):
        make_strategy("two")
