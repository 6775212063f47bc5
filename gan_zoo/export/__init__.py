"""What leaves for other programs.

| file | what |
| --- | --- |
| `saved_model` | TensorFlow Serving and its like: the signatures, and the files |
"""
