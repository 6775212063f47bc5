"""A loop on a terminal that shows progress and saves when asked to stop; its first argument is the file to save to."""

import fcntl
import pathlib
import sys
import termios
import time
import types

import tensorflow as tf

from gan_zoo.training.callbacks import Progress, SaveCheckpoints, StopSignals

fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # the terminal of this session
sizes = {"total_steps": 10_000, "steps_per_epoch": 10_000}
progress = Progress(
    0, **sizes, batch_size=1, log_every=1, learning_rate=lambda step: 0.1, writer=tf.summary.create_noop_writer()
)
file = pathlib.Path(sys.argv[1])
checkpoints = types.SimpleNamespace(save=lambda step: file.write_text(str(step)))
model = types.SimpleNamespace(stop_training=False)
with StopSignals() as stop:
    save = SaveCheckpoints(0, checkpoints, **sizes, minutes=60, keep_every=0, stop=stop)
    save.set_model(model)
    for batch in range(10_000):
        progress.on_train_batch_begin(batch)
        progress.on_train_batch_end(batch, {"l1": 1.0})
        save.on_train_batch_end(batch, {})
        if model.stop_training:
            break
        time.sleep(0.01)
progress.close()
print("stopped", flush=True)
sys.exit(128 + stop.received)
