"""How much memory this process takes, and took at most."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

_STATUS, _CLEAR = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def resident_mb() -> float:
    """What the process holds in memory now, in MB (the most so far where there is no /proc)."""
    return _linux_mb("VmRSS") if _STATUS.exists() else _most_mb()


def peak_mb() -> float:
    """The most that it held since `forget_peak`, or ever, in MB.

    Linux hands ru_maxrss on from the parent to a program that it starts, so the kernel's own mark is read.
    """
    return _linux_mb("VmHWM") if _STATUS.exists() else _most_mb()


def forget_peak() -> None:
    """Begin the peak anew, where the kernel can."""
    with contextlib.suppress(OSError):
        _CLEAR.write_text("5")


def _linux_mb(name: str) -> float:
    [kilobytes] = [line.split()[1] for line in _STATUS.read_text().splitlines() if line.startswith(f"{name}:")]
    return int(kilobytes) * 1024 / 1e6


def _most_mb() -> float:
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / 1e6 if sys.platform == "darwin" else most * 1024 / 1e6
