"""`coco`: the photographs of COCO 2017, and `coco_panoptic`: those with a label for each pixel, through TFDS.

118,287 for training, 5,000 for validation; a few are grey, which a colorization leaves out.
"""

from datasets.tfds_images import tfds_definition

# The epochs are those of res_unet; dynamic_unet takes 50.
_COLORIZATION = {
    "image_size": 256,
    "batch_size": 16,
    "learning_rate": 2e-4,
    "beta_1": 0.5,
    "beta_2": 0.999,
    "epochs": 40,
}

# As in `datasets/div2k.py`, of 7,392 steps an epoch.
_SRGAN = {
    "image_size": 96,
    "batch_size": 16,
    "learning_rate": 1e-4,
    "epochs": 162,
    "pretrain_epochs": 135,
    "decay_every": 149,
}

DEFINITION = tfds_definition(
    "coco/2017",
    shipped=True,
    gigabytes=27,
    description="photos of everyday scenes, COCO 2017; 27 GB download",
    recommended={"colorization": _COLORIZATION, "srgan": _SRGAN},
)
PANOPTIC = tfds_definition(
    "coco/2017_panoptic",
    shipped=True,
    gigabytes=21,
    mask_key="panoptic_image",
    description="the same with `mask`, a label for each pixel; 21 GB download",
    recommended={"colorization": _COLORIZATION},
)
