"""What a run has learnt, as arrays."""

import pathlib

import numpy as np
import tensorflow as tf


def arrays(workdir: pathlib.Path) -> dict[str, np.ndarray]:
    reader = tf.train.load_checkpoint(str(workdir / "checkpoints"))
    names = reader.get_variable_to_shape_map()
    # How often something was saved, and the names and paths of the run, are not what was learnt.
    ignored = ("save_counter", "run/", "_CHECKPOINTABLE_OBJECT_GRAPH")
    return {name: reader.get_tensor(name) for name in names if not name.startswith(ignored)}
