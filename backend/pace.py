"""Every wait of the jobs and workers, in one place.

Time-outs of single calls, and the polling of commands that wait, lie where they are used.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any


@dataclass(frozen=True)
class Pace:
    """Waits in seconds. Tests run with all of them scaled down (`SEEDQUEUE_PACE`)."""

    # An event is answered at once and worked off a little later, so that a burst of them is one job.
    reconcile_delay: float = 2.0
    quiet: float = 2.0  # a training begins once events have ceased for so long ...
    longest_wait: float = 30.0  # ... or have gone on for so long
    pending: float = 120.0  # then a job that was asked for and never began may be asked for again
    after_dry_run: float = 10.0  # "Start Training" tries again behind a dry run

    # Looks that find what no event said.
    look: float = 60.0  # at each published project, and for runs without a job
    listing: float = 20.0  # between two listings of a project: 10,000 tasks take Label Studio 3 s

    # Together the first three decide how soon a dead worker's job is taken over: within a minute, with time to spare.
    lease: float = 20.0
    heartbeat: float = 5.0
    sweep: float = 10.0
    schedule: float = 1.0  # between two looks for due jobs
    sign_of_life: float = 15.0  # a worker without one for so long is lost
    redis_away: float = 2.0  # between two tries to reach it

    lock_lease: float = 30.0  # a dead holder's lock ends then
    lock_wait: float = 300.0  # then whoever waits for a lock gives up

    # Cleaning up goes to the end of the line then: hundreds of single calls to a busy server take minutes.
    tidy: float = 10.0

    retries: tuple[float, ...] = (1.0, 5.0, 30.0)  # a job that failed is tried again after so long
    shortest_pause: float = 1.0  # between two tries of a run that waits for a server
    longest_pause: float = 30.0
    patience: float = 3600.0  # so long it waits for one
    shown_later: float = 10.0  # the queue shows a new version, once Label Studio is back
    fresh: float = 1.0  # /predict asks the home for newer versions

    def scaled(self, factor: float) -> Pace:
        """The same waits, each times `factor`."""
        if factor == 1:
            return self
        given: dict[str, Any] = {f.name: getattr(self, f.name) for f in fields(self)}
        waits: dict[str, Any] = {name: wait * factor for name, wait in given.items() if name != "retries"}
        return Pace(retries=tuple(wait * factor for wait in self.retries), **waits)
