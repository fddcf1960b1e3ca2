"""Waiting for what is nobody's fault but the moment's: a server that restarts, a disk that somebody makes room on."""

from __future__ import annotations

import time

from seedqueue.backend.broker import Broker
from seedqueue.backend.errors import Busy, LabelStudioRefused, LabelStudioUnreachable, RedisUnreachable
from seedqueue.backend.tables import HomeNotWritable, HomeUnreachable, is_away

PASSING = (LabelStudioUnreachable, LabelStudioRefused, RedisUnreachable, HomeNotWritable, HomeUnreachable, Busy)
PASSING_CODES = (408, 425, 429)
# So long a run waits, and so often it tries: the clock may jump.
PATIENCE_SECONDS, PATIENCE_TIMES = 3600.0, 20
LONGEST_PAUSE_SECONDS = 30.0


def is_passing(error: Exception) -> bool:
    """Whether it may be over in a while. What Label Studio refuses for good (4xx) is not."""
    if isinstance(error, LabelStudioRefused):
        return error.code >= 500 or error.code in PASSING_CODES
    if isinstance(error, RuntimeError | OSError | ValueError):
        return is_away(error)
    return isinstance(error, PASSING)


def pause(broker: Broker, run: str, error: Exception) -> float | None:
    """Seconds until a run's next try, half of what it has waited already, from 1 to 30; what it waits for is noted.

    None where the error is no passing one, or the run has waited long enough. Raises `RedisUnreachable`.
    """
    if not is_passing(error):
        return None
    noted = broker.noted(_name(run)) or {"since": time.time(), "times": 0}
    waited = time.time() - float(noted["since"])
    if noted["times"] > PATIENCE_TIMES and waited > PATIENCE_SECONDS:
        return None
    told = {"since": noted["since"], "times": noted["times"] + 1, "reason": str(error)}
    broker.note(_name(run), told, 2 * PATIENCE_SECONDS)
    return min(max(1.0, waited / 2), LONGEST_PAUSE_SECONDS)


def reason(broker: Broker, run: str) -> str:
    """What a run waits for, empty where it does not."""
    noted = broker.noted(_name(run))
    return str(noted["reason"]) if noted else ""


def over(broker: Broker, run: str) -> None:
    """It goes on."""
    broker.forget(_name(run))


def _name(run: str) -> str:
    return f"waiting-{run}"
