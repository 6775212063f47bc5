"""What models learn with.

| file | what |
| --- | --- |
| `losses` | functions of logits and images |
| `image_pool` | older fakes for a discriminator |
| `noise`, `hints` | noise and coloured points as functions of (seed, example) |
| `patches` | the pixels of feature maps that a loss compares |
| `schedules`, `optimizers` | learning rates over data epochs; Adam and RMSProp in one kernel, and clipped weights |
"""
