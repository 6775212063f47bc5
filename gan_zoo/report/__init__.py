"""The page that shows what an evaluation found.

| file | what |
| --- | --- |
| `page` | the whole, in one file |
| `figures`, `charts` | tables and curves |
| `pictures`, `gallery` | examples, and those that are kept for it while metrics run |
| `style` | its look |
"""
