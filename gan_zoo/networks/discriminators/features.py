"""What a discriminator sees on its way to a judgement."""

import re

import keras


def with_features(discriminator: keras.Model) -> keras.Model:
    """The same network, with the same weights, that also gives what it computes in between.

    Args:
        discriminator: a `patch_discriminator`, `pixel_discriminator` or `image_discriminator`.

    Returns:
        A model from the image to a list of two lists: the logits, and what leaves each activation but the first of a
        scale, `[B, h, w, C]`, scale by scale.
    """
    behind_norms = [layer for layer in discriminator.layers if re.search(r"activation_[1-9]\d*$", layer.name)]
    features = [layer.output for layer in sorted(behind_norms, key=lambda layer: layer.name)]
    logits = keras.tree.flatten(discriminator.output)
    return keras.Model(discriminator.input, [logits, features], name=f"{discriminator.name}_with_features")
