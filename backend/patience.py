"""Waiting for what is nobody's fault but the moment's: a server that restarts, a disk that somebody makes room on."""

from __future__ import annotations

import time

from seedqueue.backend.broker import Broker
from seedqueue.backend.errors import Busy, LabelStudioRefused, LabelStudioUnreachable, RedisUnreachable
from seedqueue.backend.tables import HomeNotWritable, HomeUnreachable, is_away

PASSING = (LabelStudioUnreachable, LabelStudioRefused, RedisUnreachable, HomeNotWritable, HomeUnreachable, Busy)
PASSING_CODES = (408, 425, 429)
PATIENCE_TIMES = 20  # so often a run tries at the least: the clock may jump


def is_passing(error: Exception) -> bool:
    """Whether it may be over in a while. What Label Studio refuses for good (4xx) is not."""
    if isinstance(error, LabelStudioRefused):
        return error.code >= 500 or error.code in PASSING_CODES
    if isinstance(error, RuntimeError | OSError | ValueError):
        return is_away(error)
    return isinstance(error, PASSING)


def pause(broker: Broker, run: str, error: Exception) -> float | None:
    """Seconds until a run's next try: half of what it has waited already, within the pace's bounds.

    What it waits for is noted. None where the error is no passing one, or the run has waited long enough. Raises
    `RedisUnreachable`.
    """
    if not is_passing(error):
        return None
    noted = broker.noted(_name(run)) or {"since": time.time(), "times": 0}
    waited = time.time() - float(noted["since"])
    if noted["times"] > PATIENCE_TIMES and waited > broker.pace.patience:
        return None
    told = {"since": noted["since"], "times": noted["times"] + 1, "reason": str(error)}
    broker.note(_name(run), told, 2 * broker.pace.patience)
    return min(max(broker.pace.shortest_pause, waited / 2), broker.pace.longest_pause)


def reason(broker: Broker, run: str) -> str:
    """What a run waits for, empty where it does not."""
    noted = broker.noted(_name(run))
    return str(noted["reason"]) if noted else ""


def over(broker: Broker, run: str) -> None:
    """It goes on."""
    broker.forget(_name(run))


def _name(run: str) -> str:
    return f"waiting-{run}"
