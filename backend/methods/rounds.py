"""Which runs a paper speaks of, and which round each belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from seedqueue.backend.export.reasons import FIRST_ROUND, first_round, round_numbers
from seedqueue.backend.methods.recorded import RunRow
from seedqueue.backend.records import QueuedTask


@dataclass(frozen=True)
class Round:
    """One choice of images and its later forms: lengthened, or changed by hand.

    number: 1 for a seed queue, from 2 on for what was chosen by the word of a head, as `export` counts them: a round
    that was taken away keeps its number. again: whether it is a seed queue after another one. rows: the runs, oldest
    first; the last one's queue is what annotators got in the end.
    """

    number: int
    again: bool
    rows: tuple[RunRow, ...]

    @property
    def first(self) -> RunRow:
        return self.rows[0]

    @property
    def last(self) -> RunRow:
        return self.rows[-1]

    @property
    def seeds(self) -> frozenset[int]:
        """The tasks that a selector chose in it: no audit tasks, none that a person added."""
        return frozenset(one.task for one in _queue(self.last) if not (one.audit or one.by_hand))

    @property
    def by_hand(self) -> frozenset[int]:
        return frozenset(one.task for one in _queue(self.last) if one.by_hand and not one.audit)

    @property
    def taken_out(self) -> int:
        """Seeds of its earlier forms that a person took out: those that a changed copy has no more."""
        earlier = {row.run.number: row for row in self.rows}
        found = 0
        for row in self.rows:
            if base := earlier.get(row.run.copies or 0):
                kept = {one.task for one in _queue(row)}
                found += sum(one.task not in kept for one in _queue(base) if not one.audit)
        return found


@dataclass(frozen=True)
class Rounds:
    """counted: those that stand. replaced: seed queues that gave way to another before anything was labelled.
    withdrawn: published ones that were taken away with `seedqueue undo`."""

    counted: tuple[Round, ...]
    replaced: tuple[Round, ...]
    withdrawn: tuple[RunRow, ...]

    @property
    def listing(self) -> RunRow | None:
        """The run that listed the whole project last; where none did, the last one."""
        rows = [row for one in self.counted for row in one.rows]
        whole = [row for row in rows if not row.run.choices.tab and not row.run.choices.where]
        return next(reversed(whole or rows), None)


def rounds_of(rows: Sequence[RunRow]) -> Rounds:
    undone = max((row.run.number for row in rows if row.run.state == "undone"), default=0)
    withdrawn = [row for row in rows if row.run.number <= undone and row.published]
    standing = [row for row in rows if row.run.number > undone and row.run.state == "published" and row.queue]
    chains: list[list[RunRow]] = []
    for row in standing:
        base = row.run.choices.extends or row.run.copies
        chain = next((each for each in chains if any(one.run.number == base for one in each)), None)
        if chain is None:
            chains.append([row])
        else:
            chain.append(row)
    after_each = [*chains[1:], None][: len(chains)]
    counted = [chain for chain, after in zip(chains, after_each, strict=True) if not _gave_way(chain, after)]
    gone = [chain for chain in chains if chain not in counted]
    return Rounds(
        _numbered(counted, round_numbers(row.run for row in rows if row.published)),
        tuple(Round(FIRST_ROUND, True, tuple(chain)) for chain in gone),
        tuple(row for row in withdrawn if row.queue),
    )


def _numbered(chains: Sequence[Sequence[RunRow]], numbers: Mapping[int, int]) -> tuple[Round, ...]:
    found, seeded = list[Round](), False
    for chain in chains:
        number = numbers[chain[0].run.number]
        found.append(Round(number, seeded and number == FIRST_ROUND, tuple(chain)))
        seeded = seeded or number == FIRST_ROUND
    return tuple(found)


def _gave_way(chain: Sequence[RunRow], after: Sequence[RunRow] | None) -> bool:
    """Whether the next queue came before a single label of this one: then nobody learnt from it."""
    if after is None or after[0].run.head or not first_round(after[0].run.choices.selector):
        return False
    return after[0].run.labelled <= chain[0].run.labelled


def _queue(row: RunRow) -> tuple[QueuedTask, ...]:
    return row.queue.body if row.queue else ()
