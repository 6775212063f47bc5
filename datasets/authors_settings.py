"""What the authors of the papers chose alike for most data sets; exceptions stand beside them.

`AUTHORS`: pix2pix and CycleGAN; `BICYCLEGAN`: BicycleGAN; `DISCOGAN`, `DUALGAN`, `CUTS`: theirs and CUT's;
`unit_settings`: UNIT.
"""

from typing import Any

# 256 px cut from 286, mirrored, one image a step, 100 epochs at the full rate and 100 in which it falls to zero.
AUTHORS = {
    "load_scale": 286 / 256,
    "flip": True,
    "batch_size": 1,
    "epochs": 200,
}

# Mirrored; z joins every level on the way down: the default of their options, which all of their scripts keep.
BICYCLEGAN = {
    "z_injection": "all",
    "flip": True,
}

# 64 px, not cut, not mirrored. Their 5000 epochs of 50,000 pairs would be four million steps: 100 are ours.
DISCOGAN = {
    "batch_size": 64,
    "epochs": 100,
}

# 256 px, not cut, not mirrored, one image a step; the weight of the way back and the epochs are their examples'.
DUALGAN = {
    "lambda_cycle_a": 1000.0,
    "lambda_cycle_b": 1000.0,
    "epochs": 100,
}

# CUT as CycleGAN, for twice as long; FastCUT for 150 epochs at the full rate and 50 in which it falls.
CUTS = {
    "cut": AUTHORS | {"epochs": 400},
    "fastcut": AUTHORS | {"epochs": 200, "decay_fraction": 0.25},
}
# Where one side is label maps or drawings, the way that adds detail: one direction is all that they learn.
CUTS_B_TO_A = {model: settings | {"direction": "b_to_a"} for model, settings in CUTS.items()}


def unit_settings(examples: int) -> dict[str, Any]:
    """A million steps of one image a domain, the rate halved every 100,000, where an epoch has so many examples."""
    return {"epochs": round(1e6 / examples), "decay_every": round(1e5 / examples)}
