"""What a stage took: wall time by stage, and processor time."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager


class Clock:
    """Seconds by stage, as often as a stage is entered."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {"select": 0.0, "train": 0.0, "judge": 0.0}
        self.core_seconds = 0.0

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        began, core = time.perf_counter(), time.process_time()
        try:
            yield
        finally:
            self.seconds[name] += time.perf_counter() - began
            self.core_seconds += time.process_time() - core
