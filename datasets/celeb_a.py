"""`celeb_a`: 202,599 faces with 40 attributes, through TFDS.

Liu et al. 2015, "Deep Learning Face Attributes in the Wild" (arXiv 1411.7766). 178x218 pixels, of which the square in
the middle is taken, as the authors of StarGAN do.
"""

from datasets.tfds_images import tfds_definition

# 128 px out of 178, and 200,000 steps of 16 over the 162,770 pictures for training.
_STARGAN = {
    "image_size": 128,
    "load_scale": 1.0,
    "flip": True,
    "batch_size": 16,
    "epochs": 20,
    "n_critic": 5,
}

DEFINITION = tfds_definition(
    "celeb_a",
    shipped=True,
    labelled=True,
    gigabytes=2,
    centre=178,
    attributes=("Black_Hair", "Blond_Hair", "Brown_Hair", "Male", "Young"),
    description="faces with 40 attributes, CelebA; 1.4 GB download",
    recommended={"stargan": _STARGAN},
)
