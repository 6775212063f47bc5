"""What `import_weights.py` does: weights that the authors' PyTorch code has saved, into a workdir and back.

| file | what |
| --- | --- |
| `importing` | files to a run, and a run to files |
| `settings` | the model and the settings that networks of such an architecture belong to |
| `architecture` | what network a state_dict is of, from names and shapes alone |
| `wrappers` | what training and saving put around the weights, and what holds nothing that learns |
| `names` | what the authors' code calls the variables of our networks |
"""
