"""A run on disk.

| file | what |
| --- | --- |
| `record` | what a run is: `config.json` |
| `workdir` | which folder may be trained in |
| `checkpoints`, `checkpoint_files` | what a checkpoint holds, how it is written and read; where its files lie |
| `damage` | whether the bytes of a checkpoint are those that were written |
| `lock` | one process at a time in a folder |
| `loading` | a trained model from its workdir alone |
"""
