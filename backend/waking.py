"""When a job looks at a project, to learn or to compare: bursts become one job, what comes meanwhile one more.

All of it lies in Redis and may be lost: the periodic look (`revival`) wakes a project whose annotations changed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from seedqueue.backend.broker import Broker
from seedqueue.backend.versions import HeadKind

KEPT_SECONDS = 24 * 3600.0


@dataclass(frozen=True)
class Asked:
    """A person wants a training now: of these heads, or of all that train of themselves where there are none.

    at: when they asked, in seconds since the epoch: asking again during a training is another wish.
    """

    heads: tuple[HeadKind, ...]
    at: float


def wake(broker: Broker, project: int, *, event: bool = True) -> None:
    """See to it that a job looks at the project soon. event: something changed just now, and more may follow.

    Waking twice is waking once, until the job has begun to look.
    """
    now = time.time()
    if event:
        broker.note(f"learn-last-{project}", now, broker.pace.pending)
    if broker.first_in(f"learn-{project}", broker.pace.pending):
        broker.note(f"learn-first-{project}", now, broker.pace.pending)
        broker.enqueue("learn", "learning_jobs.consider", project, delay=broker.pace.quiet if event else 0)


def wake_again(broker: Broker, project: int) -> None:
    """The same job a little later: it came too early, or another one of the project is at work."""
    broker.renew(f"learn-{project}", broker.pace.pending)
    broker.enqueue("learn", "learning_jobs.consider", project, delay=broker.pace.quiet)


def looking(broker: Broker, project: int) -> None:
    """The job begins to look: what comes from now on wakes another one."""
    broker.forget(f"learn-{project}")


def still_coming(broker: Broker, project: int) -> bool:
    """Whether events came just now, and the first of them not long ago."""
    last, first = broker.noted(f"learn-last-{project}"), broker.noted(f"learn-first-{project}")
    now = time.time()
    return last is not None and now - last < broker.pace.quiet and now - (first or last) < broker.pace.longest_wait


def lag(broker: Broker, project: int, now: float) -> float:
    """Seconds since the oldest event that no job has begun to look at; 0 where there is none."""
    first, wanted = broker.noted(f"learn-first-{project}"), broker.is_set(f"learn-{project}")
    return max(0.0, now - first) if wanted and first is not None else 0.0


def reconcile(broker: Broker, project: int, delay: float = 0) -> None:
    """See to it that Label Studio is compared with what is known, `delay` seconds from now at the earliest.

    Asking again is asking once until the job begins: a comparison takes seconds on a busy server, and a new round must
    not wait behind dozens of them.
    """
    if broker.first_in(f"reconcile-{project}", broker.pace.pending):
        broker.enqueue("control", "jobs.reconcile", project, delay=delay)


def reconciling(broker: Broker, project: int) -> None:
    """The job begins to compare: what comes from now on asks for another one."""
    broker.forget(f"reconcile-{project}")


def ask(broker: Broker, project: int, heads: Sequence[HeadKind] = ()) -> None:
    """Have heads trained now, whatever is due."""
    broker.note(f"learn-asked-{project}", {"heads": list(heads), "at": time.time()}, KEPT_SECONDS)
    wake(broker, project, event=False)


def press(broker: Broker, project: int) -> None:
    """Note that "Start Training" was received: the model card says so before any job has begun."""
    broker.note(f"pressed-{project}", time.time(), broker.pace.pending)


def pressed(broker: Broker, project: int) -> bool:
    """Whether it was, and its job has not said yet what comes of it."""
    return broker.noted(f"pressed-{project}") is not None


def taken_up(broker: Broker, project: int) -> None:
    """The job has: a run is recorded, or a training asked for."""
    broker.forget(f"pressed-{project}")


def progress_name(project: int) -> str:
    """Under which the training under way is noted."""
    return f"learn-progress-{project}"


def asked(broker: Broker, project: int) -> Asked | None:
    """What is asked for, None where nothing is. It stays asked for until it is `answered`: a job may be killed."""
    found = broker.noted(f"learn-asked-{project}")
    return None if found is None else Asked(tuple(found["heads"]), found["at"])


def answered(broker: Broker, project: int, one: Asked | None) -> None:
    """Take back what was asked for, unless something else was meanwhile."""
    if one is not None and asked(broker, project) == one:
        broker.forget(f"learn-asked-{project}")
