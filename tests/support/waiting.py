"""Waiting for a condition: of tests, and of the long proofs, which run without pytest."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

FIRST_POLL_SECONDS, LONGEST_POLL_SECONDS = 0.02, 0.3


class NotInTime(AssertionError):
    """What was waited for did not come."""


def eventually(condition: Callable[[], Any], seconds: float = 60.0, what: str = "the condition") -> Any:
    """Wait until it holds and give its value. Raises `NotInTime` after so many seconds.

    It is asked less and less often: most conditions ask a server, whose answers cost more than a moment's delay.
    """
    deadline, pause = time.monotonic() + seconds, FIRST_POLL_SECONDS
    while not (value := condition()):
        if time.monotonic() > deadline:
            raise NotInTime(f"{what} did not hold within {seconds:.0f} s")
        time.sleep(pause)
        pause = min(1.3 * pause, LONGEST_POLL_SECONDS)
    return value
