"""A trained translator on images and files.

| file | what |
| --- | --- |
| `translating` | images of any size, and the noise that a translator takes; in graphs too |
| `trained`, `holders` | a trained model in Python; arrays, PIL images and paths, there and back |
| `labels` | the labels that an image can be given, by their names |
| `tiles` | large pictures in parts, where a translator looks only so far |
| `borders` | padded to what networks take, and cut back |
| `chroma` | photos of any size, their colours predicted in small |
| `painting` | what becomes of a picture: samples, styles, walks, the way back |
| `painted_files`, `contact_sheet` | picture files; all of them on a sheet |
| `memory` | how much a picture takes |
"""
