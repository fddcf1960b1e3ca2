"""Why a label exists: which queue asked for it, as the records tell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from seedqueue.backend import audit
from seedqueue.backend.records import QueuedTask, Records, Run
from seedqueue.selectors import registry
from seedqueue.selectors.errors import UnknownSelector

SEED = "seed"
FIRST_ROUND = 1  # the seed queue's: the first round that goes by a head is the second


@dataclass(frozen=True)
class Why:
    """because: "audit", "seed", "round 2", "by hand", "locked" or "other"; rank from 1 and run: of the queue."""

    because: str
    rank: int | None = None
    run: int | None = None


@dataclass(frozen=True)
class _Queue:
    """A queue as it was put in place. ended: when it was undone; None where it never was."""

    at: datetime
    ended: datetime | None
    run: int
    name: str
    tasks: Mapping[int, QueuedTask]


@dataclass(frozen=True)
class Reasons:
    """audit, locked: the tasks of the audit slice and of the locked list. queues: in the order of their time."""

    audit: frozenset[int]
    locked: frozenset[int]
    queues: tuple[_Queue, ...]

    def why(self, task: int, labelled: datetime) -> Why:
        """Of a task that was first labelled then.

        An audit task is one whatever asked for its label. Otherwise it is the newest queue with the task that had been
        put in place before, and had not been undone: where another one has replaced it, an annotator may still hold
        its tasks. A locked task that stood in none is "locked", any other one "other".
        """
        found = next((q for q in reversed(self.queues) if task in q.tasks and _stood(q, labelled)), None)
        rank, run = (found.tasks[task].rank, found.run) if found else (None, None)
        if task in self.audit:
            return Why("audit", rank, run)
        if found:
            return Why("by hand" if found.tasks[task].by_hand else found.name, rank, run)
        return Why("locked" if task in self.locked else "other")


def reasons_of(records: Records, project: int) -> Reasons:
    """What the records say of a project's queues, its audit slice and its locked list."""
    locked = records.bodies("locked", project)
    return Reasons(
        frozenset(one.task for one in audit.frozen(records, project)),
        frozenset(locked[-1][2].get("tasks") or ()) if locked else frozenset(),
        _queues(records, project),
    )


def _stood(queue: _Queue, moment: datetime) -> bool:
    return queue.at <= moment and (queue.ended is None or moment <= queue.ended)


def _queues(records: Records, project: int) -> tuple[_Queue, ...]:
    began: dict[int, datetime] = {}
    undone: list[tuple[datetime, int]] = []
    for row in records.dated("run", project):
        if row.body["state"] in ("publishing", "published"):
            began.setdefault(row.run, row.at)
        elif row.body["state"] == "undone":
            undone.append((row.at, row.run))
    runs = {run.number: run for run in records.runs(project)}
    published = {row.run for row in records.dated("run", project) if row.body["state"] == "published"}
    order = sorted((began[number], number) for number in published)
    rounds = round_numbers(runs[number] for _, number in order)
    return tuple(
        _Queue(
            at,
            next((moment for moment, last in undone if last >= number and moment >= at), None),
            number,
            _name(rounds[number]),
            {one.task: one for one in records.queue(project, number)},
        )
        for at, number in order
    )


def round_numbers(runs: Iterable[Run]) -> dict[int, int]:
    """{run: its round}: 1 for all seed queues, from 2 on for what goes by a head.

    runs: those that were published, in their order, undone ones too: labels of these stay. A queue that was lengthened
    or changed by hand keeps its round.
    """
    found, last = dict[int, int](), FIRST_ROUND
    for run in runs:
        base = run.choices.extends if run.choices.extends is not None else run.copies
        if base in found:
            found[run.number] = found[base]
        elif first_round(run.choices.selector):
            found[run.number] = FIRST_ROUND
        else:
            last += 1
            found[run.number] = last
    return found


def first_round(selector: str) -> bool:
    """Whether it chooses without a head; False for a selector that is not installed any more."""
    try:
        return registry.get(selector).first_round
    except UnknownSelector:
        return False


def _name(number: int) -> str:
    return SEED if number == FIRST_ROUND else f"round {number}"
