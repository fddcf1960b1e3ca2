"""Which tasks of a queue are read in common: its head, and a random share of the rest. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence


def in_common(queue: Sequence[int], first: int, share: float, seed: int) -> tuple[int, ...]:
    """The first tasks of the queue and a share in [0, 1] of the others, in rank order.

    Each task's lot depends on the seed and its number alone, never on what it shows or who labelled it: the same
    question has the same answer, more of a share keeps what there was, and so does a queue that was lengthened, as
    far as the share allows. Of a share above 0 one task at least is drawn.
    """
    rest = queue[first:]
    count = min(len(rest), max(1, round(share * len(rest)))) if share else 0
    drawn = set(sorted(rest, key=lambda task: _lot(seed, task))[:count])
    return (*queue[:first], *(task for task in rest if task in drawn))


def _lot(seed: int, task: int) -> tuple[bytes, int]:
    return hashlib.blake2b(f"{seed} {task}".encode(), digest_size=8).digest(), task
