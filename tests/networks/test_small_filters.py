"""Networks of few filters learn without taking the process with them."""

from own_process import run_script


def test_every_network_of_few_filters_learns_a_step() -> None:
    """4 and 8 filters ended in a segmentation fault where a strided 1x1 convolution was one of TensorFlow's."""
    result = run_script("networks/small_filters_run.py")  # which asserts that the process ends well
    assert result["trapped"] == []
    # Each kind of network was there, with each number of filters.
    kinds = {("unet", filters) for filters in (4, 8, 12)}
    assert kinds <= {(changes.get("generator_type"), filters) for _, changes, _, filters in result["learnt"]}
