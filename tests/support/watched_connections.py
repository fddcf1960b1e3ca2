"""To whom processes speak: all of Python's connections by an audit hook, all of the machine's by strace where it is."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

# Python imports a `sitecustomize` of its path in every process; ours tells whom it speaks to, and what it looks up.
# PLANT: a place that is spoken to without need, which shows that it is found.
HOOK = """
import json, os, socket, sys
_out = os.open(os.environ["WATCHED_CONNECTIONS"], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
_spoken, _asked = ("socket.connect", "socket.sendto", "socket.sendmsg"), ("socket.getaddrinfo", "socket.gethostbyname")
def _hook(event, arguments):
    place = arguments[1] if event in _spoken else arguments[0] if event in _asked else None
    if isinstance(place, tuple):
        place = list(place[:2])
    elif event in _spoken or place is None:
        return  # a socket file
    else:
        place = place.decode() if isinstance(place, bytes) else str(place)
    os.write(_out, (json.dumps(place) + "\\n").encode())
sys.addaudithook(_hook)
if plant := os.environ.get("PLANT"):
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).connect((plant, 9))  # of a datagram's socket: nothing is sent
"""
CALLS = "connect,sendto,sendmsg,sendmmsg"
_PLACE = re.compile(r'htons\((\d+)\)[^}]*?(?:inet_addr\("|inet_pton\(AF_INET6, ")([^"]+)"')


@dataclass(frozen=True)
class Watch:
    """Processes that are started by `command` with `environment` are watched, and their children too."""

    folder: Path
    native: bool

    @property
    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(self.folder), "WATCHED_CONNECTIONS": str(self.folder / "python")}

    def command(self, argv: Iterable[str]) -> list[str]:
        strace = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", f"trace={CALLS}", "-o", str(self.folder / "strace")]
        return [*strace, *argv] if self.native else [*argv]

    def places(self) -> set[str]:
        """host:port of all that was spoken to, and the bare names that were looked up."""
        found = set()
        python, strace = self.folder / "python", self.folder / "strace"
        for line in python.read_text().splitlines() if python.exists() else ():
            told = json.loads(line)
            found.add(told if isinstance(told, str) else f"{told[0]}:{told[1]}")
        for line in strace.read_text(errors="replace").splitlines() if strace.exists() else ():
            found |= {f"{host}:{port}" for port, host in _PLACE.findall(line)}
        return found


def watch(folder: Path) -> Watch:
    """Keep what is seen in a new folder."""
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(HOOK)
    return Watch(folder, can_trace())


def can_trace() -> bool:
    """Whether strace is here and may look into other processes."""
    if shutil.which("strace") is None:
        return False
    tried = ["strace", "-f", "-qq", "--seccomp-bpf", "-e", "trace=connect", "true"]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0
