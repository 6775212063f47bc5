"""What networks are made of.

| file | what |
| --- | --- |
| `convolutions` | convolutions of few pixels or channels as matrix products |
| `mirrored` | the convolutions of residual generators, over mirrored borders |
| `upsampling` | ways to double the size |
| `normalization`, `adalin` | batch, instance, layer and spectral norm; layer-instance norm, adaptive or not |
| `initializers` | how kernels are drawn |
"""
