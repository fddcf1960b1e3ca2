"""Timing on a shared machine: processor time rather than the clock, and rivals in turns."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

Work = Callable[[], object]


def core_seconds(rivals: Mapping[str, Work], rounds: int) -> dict[str, float]:
    """The least processor time (all threads, seconds) of each rival's work over the rounds, taken in turns.

    Processor time counts only what this process computed; the least of several rounds is the one that
    the rest of the machine disturbed least. One round before the first warms caches up.
    """
    found = {name: float("inf") for name in rivals}
    for round_number in range(rounds + 1):
        for name, work in rivals.items():
            began = time.process_time()
            work()
            spent = time.process_time() - began
            if round_number:
                found[name] = min(found[name], spent)
    return found
