"""Pairs made from photos, side by side, for models that learn from pairs: what `prepare.py` does.

| file | what |
| --- | --- |
| `settings` | what a user may choose, and which choice belongs to which |
| `edges` | line drawings: Canny's edges, XDoG |
| `regions` | where something is done to a picture: the whole, its centre, random boxes, a mask |
| `cam` | the regions in which a classifier sees a class |
| `classifiers` | classifiers out of files, and one that is fetched |
| `making` | a photo to its pair |
| `record` | `pairs.json`, and what is done when a run is killed |
| `preparing` | a folder of photos to a folder of pairs, on all cores |
| `progress` | how far it is |
"""
