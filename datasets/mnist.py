"""`mnist`: 70,000 handwritten digits of 28x28 grey pixels with their classes, through TFDS.

LeCun et al. 1998, "Gradient-Based Learning Applied to Document Recognition". More of their kind are
`tfds:emnist/digits`, `tfds:kmnist` and `tfds:fashion_mnist`.
"""

from datasets.tfds_images import tfds_definition

# Nobody has trained it on digits that we know of: the network of 128 px, with a discriminator as deep as 32 px take.
_STARGAN = {
    "image_size": 32,
    "load_scale": 1.0,
    "flip": False,
    "input_channels": 1,
    "target_channels": 1,
    "discriminator_layers": 4,
    "batch_size": 16,
    "epochs": 20,
}

DEFINITION = tfds_definition(
    "mnist",
    shipped=True,
    labelled=True,
    description="handwritten digits of 28 px, MNIST; 12 MB download",
    recommended={"stargan": _STARGAN},
)
