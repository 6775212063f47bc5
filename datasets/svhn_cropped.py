"""`svhn_cropped`: house numbers of 32x32 pixels, a digit each, with their classes, through TFDS.

Netzer et al. 2011, "Reading Digits in Natural Images with Unsupervised Feature Learning": 73,257 for training, 26,032
for testing.
"""

from datasets.tfds_images import tfds_definition

# As in `datasets/mnist.py`, in colour.
_STARGAN = {
    "image_size": 32,
    "load_scale": 1.0,
    "flip": False,
    "discriminator_layers": 4,
    "batch_size": 16,
    "epochs": 20,
}

DEFINITION = tfds_definition(
    "svhn_cropped",
    shipped=True,
    labelled=True,
    gigabytes=2,
    description="digits of house numbers, 32 px, SVHN; 1.6 GB download",
    recommended={"stargan": _STARGAN},
)
