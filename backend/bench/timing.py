"""Timing on a shared machine: processor time rather than the clock, and rivals in turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

Work = Callable[[], object]


@dataclass(frozen=True)
class Spent:
    """Seconds that a work took: core, processor time of all threads; clock, what a person waits."""

    core: float
    clock: float


def core_seconds(rivals: Mapping[str, Work], rounds: int) -> dict[str, float]:
    """The least processor time (all threads, seconds) of each rival's work over the rounds, taken in turns.

    Processor time counts only what this process computed; the least of several rounds is the one that
    the rest of the machine disturbed least. One round before the first warms caches up.
    """
    in_turns(rivals, 1)
    return {name: spent.core for name, spent in in_turns(rivals, rounds).items()}


def in_turns(rivals: Mapping[str, Work], rounds: int) -> dict[str, Spent]:
    """The least of both times of each rival's work over the rounds, taken in turns; nothing is run to warm up."""
    core, clock = ({name: float("inf") for name in rivals} for _ in range(2))
    for _ in range(rounds):
        for name, work in rivals.items():
            seen, began = time.monotonic(), time.process_time()
            work()
            core[name] = min(core[name], time.process_time() - began)
            clock[name] = min(clock[name], time.monotonic() - seen)
    return {name: Spent(core[name], clock[name]) for name in rivals}
