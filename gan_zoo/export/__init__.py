"""What leaves for other programs.

| file | what |
| --- | --- |
| `loading` | an exported SavedModel back in Python |
| `saved_model` | TensorFlow Serving and its like: the signatures, and the files |
| `files`, `labels` | those of files and of 16 bit; those of translators that take labels |
| `requests` | what a request may bring, looked at in the graph |
| `decoding` | JPEG and PNG files to images in a graph |
"""
