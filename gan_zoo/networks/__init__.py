"""Functional Keras builders, one file a family.

| file | what |
| --- | --- |
| `unet`, `resnet`, `adalin_resnet` | generators of pix2pix, BicycleGAN, CycleGAN and CUT, and of U-GAT-IT's kind |
| `attention_resnet` | U-GAT-IT's generator |
| `res_unet`, `dynamic_unet` | generators of colorization: deep residual, and around a classifier |
| `encoder_decoder`, `dual_unet` | generators of DiscoGAN and DualGAN |
| `sr_resnet`, `label_resnet` | the generators of SRGAN, and of StarGAN |
| `residual_autoencoder` | UNIT's encoders and decoders, over codes that keep their places |
| `projection_heads` | what compares patches in CUT |
| `latent_encoder` | BicycleGAN's encoder: from an image to mu and logvar |
| `resnet_encoder`, `backbones` | ImageNet classifiers as encoders |
| `classifiers`, `inception` | what metrics look through |
| `discriminators` | a room of its own |
| `perceptual` | what perceptual losses look through |
"""
