"""A warm worker whose job never ends: die_working.py URL NAMESPACE LEASE; the job says "working"."""

import sys
from dataclasses import replace
from types import ModuleType

from rq.serializers import JSONSerializer

from seedqueue.backend import known_jobs, worker
from seedqueue.backend.broker import Broker
from seedqueue.backend.pace import Pace


def never_ends(*arguments: object) -> None:
    print("working", flush=True)
    sys.stdin.read()


def main() -> None:
    url, namespace, lease = sys.argv[1:]
    probe = ModuleType("seedqueue.backend.probe")
    probe.__dict__["work"] = never_ends
    sys.modules[probe.__name__] = probe
    known_jobs.JOBS["probe.work"] = "a test"
    broker = Broker(url, namespace)
    warm = worker.WarmWorker([broker.queue("embed")], connection=broker.redis, serializer=JSONSerializer)
    warm.pace = replace(Pace(), lease=float(lease), heartbeat=float(lease) / 4)
    warm.work(logging_level="ERROR")


if __name__ == "__main__":
    main()
