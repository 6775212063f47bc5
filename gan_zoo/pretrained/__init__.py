"""Weights that others have trained: fetched, checked, read without running anything.

| file | what |
| --- | --- |
| `fetching` | where they are, what they have to be, and the cache |
| `torch_files`, `torch_writing` | PyTorch's files to arrays and back, without PyTorch |
| `safetensors_files` | the same of safetensors' files, with their library |
| `torch_pickle` | the pickles in them, by a reader that knows tensors alone |
| `keras_files` | whole Keras models out of users' files |
| `torch_layout` | how PyTorch lays out what Keras lays out otherwise |
"""
