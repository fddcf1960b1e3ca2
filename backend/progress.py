"""How far a run is: images and shards, counted in Redis."""

from __future__ import annotations

import time
from dataclasses import dataclass

from seedqueue.backend.broker import Broker

KEPT_SECONDS = 30 * 24 * 3600


@dataclass(frozen=True)
class Progress:
    """Images of a run: how many there are to embed, how many are done.

    per_second, seconds_left: at the mean speed so far; None before the first image.
    """

    total: int
    done: int
    per_second: float | None = None
    seconds_left: float | None = None


def start(broker: Broker, run: str, total: int) -> None:
    """A run has so many images to embed; what was counted for it before is forgotten."""
    with broker.reachable(), broker.redis.pipeline() as pipe:
        pipe.delete(broker.key("progress", run), broker.key("shards", run))
        pipe.hset(broker.key("progress", run), mapping={"total": total, "done": 0, "began": time.time()})
        pipe.expire(broker.key("progress", run), KEPT_SECONDS)
        pipe.execute()


def advance(broker: Broker, run: str, images: int) -> None:
    with broker.reachable(), broker.redis.pipeline() as pipe:
        pipe.hincrby(broker.key("progress", run), "done", images)
        pipe.incrby(broker.key("images"), images)
        pipe.execute()


def images_done(broker: Broker) -> int:
    """How many images shards have finished since Redis was started."""
    with broker.reachable():
        return int(broker.redis.get(broker.key("images")) or 0)


def of(broker: Broker, run: str) -> Progress | None:
    """None where Redis knows nothing of the run: not started, or Redis was lost."""
    with broker.reachable():
        total, done, began = broker.redis.hmget(broker.key("progress", run), ["total", "done", "began"])
    if total is None:
        return None
    return progress_of(int(total), int(done or 0), time.time() - float(began or time.time()))


def progress_of(total: int, done: int, seconds: float) -> Progress:
    """What `done` images in `seconds` say of the rest; a shard that ran twice never makes more than all."""
    done = min(done, total)
    if not done or seconds <= 0:  # the clock may jump
        return Progress(total, done)
    return Progress(total, done, done / seconds, (total - done) * seconds / done)


def shard_done(broker: Broker, run: str, shard: int) -> int:
    """Note a finished shard; the number of finished shards of the run."""
    with broker.reachable(), broker.redis.pipeline() as pipe:
        pipe.sadd(broker.key("shards", run), shard)
        pipe.expire(broker.key("shards", run), KEPT_SECONDS)
        pipe.scard(broker.key("shards", run))
        return int(pipe.execute()[-1])


def shards_done(broker: Broker, run: str) -> int:
    with broker.reachable():
        return int(broker.redis.scard(broker.key("shards", run)))


def shards_issued(broker: Broker, run: str) -> int:
    with broker.reachable():
        return int(broker.redis.get(broker.key("issued", run)) or 0)


def issue_shard(broker: Broker, run: str) -> int:
    """The number of the next shard, from 0: each is given once."""
    with broker.reachable(), broker.redis.pipeline() as pipe:
        pipe.incr(broker.key("issued", run))
        pipe.expire(broker.key("issued", run), KEPT_SECONDS)
        return int(pipe.execute()[0]) - 1
