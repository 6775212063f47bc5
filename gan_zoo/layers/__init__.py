"""What networks are made of.

| file | what |
| --- | --- |
| `convolutions` | convolutions that halve, and those of few pixels or channels as matrix products |
| `mirrored` | the convolutions of residual generators, over mirrored borders |
| `dropout`, `padding`, `tiling` | dropout from a seed; mirrored borders; a vector beside every pixel |
| `resizing` | features of any size brought to one |
| `upsampling` | ways to double the size |
| `normalization`, `adalin` | batch, instance, layer and spectral norm; layer-instance norm, adaptive or not |
| `class_activation` | attention by a classifier |
| `deviation_norm` | UNIT's layer norm |
| `prelu` | a rectifier that learns its slope |
| `initializers` | how kernels are drawn |
"""
