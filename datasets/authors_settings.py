"""What the authors of the papers chose alike for most data sets; exceptions stand beside them.

`AUTHORS`: pix2pix and CycleGAN; `BICYCLEGAN`: BicycleGAN.
"""

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
