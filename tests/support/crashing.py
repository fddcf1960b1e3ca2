"""A worker that is killed (SIGKILL) at one line of its work: `python crashing.py MODULE:FUNCTION before|after LANE...`.

The function, such as `seedqueue.backend.publish:switch` or `seedqueue.backend.records:Records.save_queue`, is really
called for "after", and never for "before".
"""

from __future__ import annotations

import functools
import importlib
import os
import signal
import sys
from typing import Any


def arm(point: str, moment: str) -> None:
    """Let the process die there."""
    module, _, path = point.partition(":")
    owner: Any = importlib.import_module(module)
    *outer, name = path.split(".")
    for part in outer:
        owner = getattr(owner, part)
    real = getattr(owner, name)

    @functools.wraps(real)
    def fatal(*args: Any, **options: Any) -> Any:
        if moment == "after":
            real(*args, **options)
        os.kill(os.getpid(), signal.SIGKILL)

    setattr(owner, name, fatal)


if __name__ == "__main__":
    from seedqueue.backend import settings, worker
    from seedqueue.backend.context import Context

    arm(sys.argv[1], sys.argv[2])
    worker.run(Context(settings.load()), sys.argv[3:])  # type: ignore[arg-type]
