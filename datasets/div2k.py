"""`div2k`: sharp photographs of about 2000 px, the usual ones to learn super-resolution from, through TFDS.

Agustsson and Timofte 2017, "NTIRE 2017 Challenge on Single Image Super-Resolution: Dataset and Study": 800 for
training, 100 for validation. Of the small pictures that come along the smallest are fetched, and not used: a model
makes its own.
"""

from datasets.tfds_images import tfds_definition

# The million steps of the paper, and 200,000 more, with a tenth of the rate in their second half: 50 are an epoch here.
_SRGAN = {
    "image_size": 96,
    "batch_size": 16,
    "learning_rate": 1e-4,
    "epochs": 24000,
    "pretrain_epochs": 20000,
    "decay_every": 22000,
}

DEFINITION = tfds_definition(
    "div2k/bicubic_x8",
    image_key="hr",
    gigabytes=4,
    shipped=True,
    description="sharp photos of about 2000 px, DIV2K; 4 GB download",
    recommended={"srgan": _SRGAN},
)
