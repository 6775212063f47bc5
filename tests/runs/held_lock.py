"""Holds the lock of the folder that its argument names until it is killed."""

import sys
import time

from gan_zoo.runs import lock

lock.BEAT_SECONDS = 0.2
with lock.RunLock(sys.argv[1]) as held:
    held.take()
    print("held", flush=True)
    time.sleep(600)
