"""A run that is killed at a check: after its line was written, before the checkpoint of that step was saved.

Called by `test_validation.py`, which goes on with it: `killed_while_checking.py WORKDIR STEP WORD...`.
"""

import os
import signal
import sys

import pytest
from tiny_runs import run_train, use_eight_pictures

from gan_zoo.training import health
from gan_zoo.training.health_log import HealthLog

FIRST_STEPS = 4  # a run of 1,000 steps would take too long

if __name__ == "__main__":
    workdir, step, *words = sys.argv[1:]
    append = HealthLog.append

    def append_and_die(self: HealthLog, line: dict) -> None:
        append(self, line)
        if line["step"] == int(step):
            os.kill(os.getpid(), signal.SIGKILL)

    HealthLog.append = append_and_die
    health.FIRST_STEPS = FIRST_STEPS
    with pytest.MonkeyPatch.context() as patch:
        use_eight_pictures(patch)
        run_train(*words, f"--workdir={workdir}")
