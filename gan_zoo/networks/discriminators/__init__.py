"""Judges: from an image, or a condition and an image joined, to logits.

| file | what |
| --- | --- |
| `patch_discriminator`, `pixel_discriminator`, `image_discriminator` | of patches, of each pixel, of the whole |
| `sr_discriminator`, `dual_discriminator`, `attention_discriminator` | SRGAN's, DualGAN's, U-GAT-IT's |
| `features` | what they see on the way |
| `multi_scale_discriminator` | UNIT's |
| `label_discriminator` | StarGAN's, which says what label an image has |
"""
