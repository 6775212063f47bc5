"""From files and examples to batches.

| file | what |
| --- | --- |
| `pipeline` | the endless stream of batches that can start at any step, and the examples once, in order |
| `examples` | one example: what a data set has to answer |
| `unpaired`, `single`, `labelled` | two domains, of pairs too; targets alone, of any data set; images with labels |
| `memory` | how much there is; pictures that are decoded only where it is enough |
| `resizing` | the authors' five ways to bring it to size |
| `fingerprint` | whether two folders hold the same examples |
| `skipped_files` | files that cannot be used, and why |
| `array_files` | images of any count of channels: `.npy`, and TIFF with a page a channel |
| `value_range` | files of 16 bit that hold less: which number is white |
| `folders` | which pictures lie in a folder and below it |
| `picture_files` | pictures, hints and their folders as a user names them |
| `label_maps` | pictures whose pixels are the numbers of classes |
| `reading` | how a run reads its files: colour profiles, numbers of classes |
"""
