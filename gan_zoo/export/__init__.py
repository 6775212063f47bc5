"""What leaves for other programs.

| file | what |
| --- | --- |
| `loading` | an exported SavedModel back in Python |
| `saved_model` | TensorFlow Serving and its like: the signatures, and the files |
"""
