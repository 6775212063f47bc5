"""Functional Keras builders, one file a family.

| file | what |
| --- | --- |
| `unet`, `resnet`, `adalin_resnet` | generators of pix2pix, BicycleGAN and CycleGAN, and of U-GAT-IT's kind |
| `res_unet`, `dynamic_unet` | generators of colorization: deep residual, and around a classifier |
| `patch_discriminator`, `pixel_discriminator`, `image_discriminator` | judges of patches, of each pixel, of the whole |
| `sr_resnet`, `sr_discriminator` | SRGAN's generator and its judge |
| `latent_encoder` | BicycleGAN's encoder: from an image to mu and logvar |
| `resnet_encoder`, `backbones` | ImageNet classifiers as encoders |
| `classifiers`, `inception` | what metrics look through |
| `perceptual` | what perceptual losses look through |
"""
