"""What `import_weights.py` does: weights that the authors' PyTorch code has saved, into a workdir and back.

| file | what |
| --- | --- |
| `importing` | files to a run, and a run to files |
| `files` | which file holds which network, and what is in it |
| `settings` | the model and the settings that networks of such an architecture belong to |
| `architecture` | what network a state_dict is of, from names and shapes alone |
| `kernels` | the kernels that such a network must have |
| `wrappers` | what training and saving put around the weights, and what holds nothing that learns |
| `ugatit` | the same of U-GAT-IT's file, which holds all of its networks |
| `names` | what the authors' code calls the variables of our networks |
"""
