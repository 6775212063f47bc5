"""Scripts of the tests that need a TensorFlow of their own: logical devices must be made before it starts."""

import json
import os
import pathlib
import subprocess
import sys
from typing import Any

TESTS = pathlib.Path(__file__).parent


def run_script(name: str) -> Any:
    """What `tests/<name>` prints as its last line, in JSON."""
    done = subprocess.run(
        [sys.executable, str(TESTS / name)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(TESTS.parent), str(TESTS)]), "TF_CPP_MIN_LOG_LEVEL": "3"},
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])
