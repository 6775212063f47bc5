"""What FID and KID share: the features of two sets of images.

| file | what |
| --- | --- |
| `sets` | extracted once for all who ask, and kept on disk |
| `inception` | images to features, resized as each protocol has it |
| `statistics` | mean and covariance of features that are seen once |
"""
