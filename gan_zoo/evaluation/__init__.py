"""What `evaluate.py` does: all metrics in one pass, of a run's checkpoints or of two folders.

| file | what |
| --- | --- |
| `measuring` | metrics over batches |
| `runs`, `folders` | of a run; of images against others of the same names |
| `translated_batches`, `folder_batches`, `label_batches` | what metrics take: translations, files, label maps |
| `records`, `output` | the JSON files and tables of figures; what is written at the end, report included |
"""
