"""Which workers are there: their signs of life in Redis, the lanes that they listen to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from rq import Worker
from rq.serializers import JSONSerializer

from seedqueue.backend.broker import LANES, QUEUES, Broker, Lane


@dataclass(frozen=True)
class WorkerSeen:
    """A worker: busy, idle, suspended or lost, the lanes that it listens to, when it was last seen (ISO time)."""

    name: str
    state: str
    lanes: tuple[Lane, ...]
    seen: str


def listening(broker: Broker, lane: Lane = "embed") -> int:
    """How many workers listen for a lane's jobs of this Label Studio."""
    with broker.reachable():
        return int(Worker.count(queue=broker.queue(lane)))


def workers(broker: Broker) -> list[WorkerSeen]:
    """The workers that are known. A killed one stays known for minutes; without its sign of life it is lost."""
    lanes = {broker.queue(lane).name: lane for lane in LANES}
    with broker.reachable():
        found = Worker.all(connection=broker.redis, serializer=JSONSerializer)
        ours = [one for one in found if any(name in lanes for name in one.queue_names())]
        alive = {one.name: broker.noted(_sign(one.name)) for one in ours}
    return [
        WorkerSeen(
            one.name,
            str(one.get_state()) if alive[one.name] else "lost",
            tuple(lanes[name] for name in one.queue_names() if name in lanes),
            alive[one.name] or (one.last_heartbeat.isoformat() if one.last_heartbeat else ""),
        )
        for one in ours
    ]


def strangers(broker: Broker) -> int:
    """How many workers at this Redis are those of another namespace: of another LABEL_STUDIO_URL."""
    ours = {broker.queue(lane).name for lane in LANES}
    with broker.reachable():
        found = Worker.all(connection=broker.redis, serializer=JSONSerializer)
        names = [one.queue_names() for one in found]
    return sum(each[0].startswith(f"{QUEUES}-") and ours.isdisjoint(each) for each in names if each)


def sign_of_life(broker: Broker, worker: str) -> None:
    """Note that a worker is there; it does so every second, also while a job runs."""
    broker.note(_sign(worker), datetime.now(UTC).isoformat(timespec="seconds"), broker.pace.sign_of_life)


def _sign(worker: str) -> str:
    return f"worker-{worker}"
