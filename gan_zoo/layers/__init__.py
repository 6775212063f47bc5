"""What networks are made of.

| file | what |
| --- | --- |
| `convolutions` | convolutions that halve, and those of few pixels or channels as matrix products |
| `mirrored` | the convolutions of residual generators, over mirrored borders |
| `dropout`, `padding`, `tiling` | dropout from a seed; mirrored borders; a vector beside every pixel |
| `resizing` | features of any size brought to one |
| `upsampling` | ways to double the size |
| `blur` | half and double the size without aliasing |
| `normalization`, `adalin` | batch, instance, layer and spectral norm; layer-instance norm, adaptive or not |
| `class_activation` | attention by a classifier |
| `deviation_norm` | UNIT's layer norm |
| `prelu`, `unit_length` | a rectifier that learns its slope; vectors onto the unit sphere |
| `initializers` | how kernels are drawn |
"""
