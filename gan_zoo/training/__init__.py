"""A run from its settings to its last checkpoint.

| file | what |
| --- | --- |
| `loop` | the whole: load or start, stream, fit, end |
| `session`, `setup` | what a run is made of; devices, networks, steps and rates |
| `layout` | what happens beside the steps, in which order |
| `callbacks`, `samples`, `plateau` | progress, checkpoints, reasons to stop; pictures; a rate that follows the checks |
| `checks`, `validation`, `early_stopping` | how good it is on a few examples, which step was the best, when to stop |
| `health`, `health_measures`, `health_log` | what is wrong with the run, by what, and where that is written |
"""
