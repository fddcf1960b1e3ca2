"""`python -m seedqueue.backend.alive`: exit code 0 while this machine's worker gives signs of life, for health checks.

With a port, `... alive 9090`, while the web app answers on it. Not under `seedqueue`, whose imports cost seconds.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Sequence

from rq import Worker
from rq.serializers import JSONSerializer

from seedqueue.backend import broker, presence, settings
from seedqueue.backend.errors import SeedqueueError
from seedqueue.backend.health import is_healthy


def alive(arguments: Sequence[str]) -> bool:
    """Whether the web app on the given port answers, else whether a worker of this machine was seen just now."""
    if arguments:
        return is_healthy(f"http://127.0.0.1:{arguments[0]}")
    link = broker.connect(settings.load())
    with link.reachable():
        found = Worker.all(connection=link.redis, serializer=JSONSerializer)
    here = {one.name for one in found if one.hostname == socket.gethostname()}
    return any(one.name in here and one.state != "lost" for one in presence.workers(link))


if __name__ == "__main__":
    try:
        sys.exit(0 if alive(sys.argv[1:]) else 1)
    except SeedqueueError as error:
        sys.exit(str(error))
