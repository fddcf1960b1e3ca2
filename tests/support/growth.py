"""What a backend's processes and its home take, sampled while it works: does it level off or grow?"""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from threading import Event, Thread
from types import TracebackType

import numpy as np
import psutil

from seedqueue.backend.context import Context
from seedqueue.backend.errors import RedisUnreachable

KINDS = {"redis-server": "redis", "uvicorn": "web", "--lane learn": "learner", "--lane embed": "embedder"}
LARGEST_SLOPE = 1.0  # MB a minute
LARGEST_SHARE = 1.05
SLACK = 10.0  # MB: of a process of 400 MB, half of what 5 % would be
Sample = dict[str, float]


class Growth:
    """Samples each `seconds` in a thread of its own; `error`: what ended it.

    minute; MB that `serve` and each process below it hold alone, and their open files; MB that Redis says it holds;
    files and MB of the home. Alone: a share of common pages would jump when another backend on the machine ends.
    """

    def __init__(self, serve: psutil.Process, context: Context, file: Path, seconds: float = 10.0) -> None:
        self.serve, self.context, self.file, self.seconds = serve, context, file, seconds
        self.samples: list[Sample] = []
        self.error: Exception | None = None
        self._done = Event()
        self._thread = Thread(target=self._run, daemon=True)

    def __enter__(self) -> Growth:
        self._began = time.monotonic()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()
        self._write()

    def columns(self, ending: str) -> list[str]:
        """The names of the measured columns that end so."""
        return sorted({name for sample in self.samples for name in sample if name.endswith(ending)})

    def quarters(self, name: str) -> tuple[float, float, float]:
        """The medians of the first, the third and the last quarter."""
        told = [sample[name] for sample in self.samples if name in sample]
        quarter = max(1, len(told) // 4)
        return median(told[:quarter]), median(told[-2 * quarter : -quarter] or told), median(told[-quarter:])

    def slope(self, name: str, half: int = 1) -> float:
        """How much a column grows in a minute, by a line through the first (0) or the second half."""
        told = [(one["minute"], one[name]) for one in self.samples if name in one]
        middle = len(told) // 2
        told = told[middle:] if half else told[middle // 2 : middle]  # less the warm-up
        if len(told) < 2:
            return 0.0
        minutes, values = np.array(told).T
        return float(np.polyfit(minutes, values, 1)[0])

    def is_level(self, name: str) -> bool:
        """Whether a column in MB has stopped growing."""
        _, early, late = self.quarters(name)
        return late <= LARGEST_SHARE * early + SLACK and self.slope(name) < LARGEST_SLOPE

    def _run(self) -> None:
        while not self._done.wait(self.seconds):
            try:
                self.samples.append(self._sample())
                self._write()
            except (OSError, psutil.Error, RedisUnreachable) as error:  # told by the test, in its own thread
                self.error = error
                return

    def _sample(self) -> Sample:
        found: Sample = {"minute": (time.monotonic() - self._began) / 60}
        for process in [self.serve, *self.serve.children(recursive=True)]:
            try:
                command = " ".join(process.cmdline())
                name = next((kind for word, kind in KINDS.items() if word in command), "serve")
                if process == self.serve or name != "serve":
                    found[f"{name} MB"] = process.memory_full_info().uss / 1e6
                    found[f"{name} open files"] = process.num_fds()
            except psutil.NoSuchProcess:  # a job's helper, gone again
                continue
        with self.context.broker.reachable():
            found["in Redis MB"] = self.context.broker.redis.info("memory")["used_memory"] / 1e6
            found["keys in Redis"] = self.context.broker.redis.dbsize()
        found |= _folder(Path(str(self.context.settings.home)))
        return found

    def _write(self) -> None:
        names = list(dict.fromkeys(name for sample in self.samples for name in sample))
        with self.file.open("w", newline="") as opened:
            writer = csv.DictWriter(opened, names)
            writer.writeheader()
            writer.writerows(self.samples)


def _folder(home: Path) -> Sample:
    count, size = 0, 0
    for file in home.rglob("*"):
        try:
            if file.is_file():
                count, size = count + 1, size + file.stat().st_size
        except FileNotFoundError:  # compacted away meanwhile
            continue
    return {"files of the home": count, "megabytes of the home": size / 1e6}


def serving(accepts: Callable[[list[str]], bool]) -> psutil.Process:
    """The one process whose command line `accepts` takes."""
    found = []
    for process in psutil.process_iter():
        try:
            if accepts(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    [one] = found
    return one
