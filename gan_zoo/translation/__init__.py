"""A trained translator on images and files.

| file | what |
| --- | --- |
| `translating` | images of any size, and the noise that a translator takes; in graphs too |
| `trained`, `holders` | a trained model in Python; arrays, PIL images and paths, there and back |
| `chroma` | photos of any size, their colours predicted in small |
| `painting`, `contact_sheet` | picture files: samples, styles, walks, the way back; all of them on a sheet |
"""
