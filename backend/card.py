"""What the version text of Label Studio's model card says while no head serves: how far queue and training are.

Once a head serves its name must stand there and nothing else: of the stored predictions Label Studio shows those of
the version that `/setup` told last, and asks `/predict` for every task that has none of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seedqueue.backend import progress, waking
from seedqueue.backend.broker import Broker
from seedqueue.backend.errors import RedisUnreachable
from seedqueue.backend.prelabels import UNTRAINED
from seedqueue.backend.progress import Progress
from seedqueue.backend.records import Records, Run

LONGEST = 200


@dataclass(frozen=True)
class Recorded:
    """What the records say: the newest run, the one that stands, how the last training ended."""

    newest: Run | None = None
    standing: Run | None = None
    last: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Moment:
    """What Redis says. embedded: of the newest run. training: of the one under way. asked: a person wants one."""

    embedded: Progress | None = None
    training: Mapping[str, Any] | None = None
    asked: bool = False


def recorded(records: Records, project: int) -> Recorded:
    rows = [body for _, _, body in records.bodies("learning", project) if body["outcome"] != "refreshed"]
    return Recorded(records.latest_run(project), records.published_run(project), rows[-1] if rows else None)


def moment(broker: Broker, project: int, newest: Run | None) -> Moment:
    """Nothing where Redis is away: the card is then a little poorer, and serving tasks goes on."""
    try:
        embedded = progress.of(broker, f"{project}-{newest.number}") if newest and newest.state == "embedding" else None
        training = broker.noted(waking.progress_name(project))
        return Moment(embedded, training, waking.asked(broker, project) is not None or waking.pressed(broker, project))
    except RedisUnreachable:
        return Moment()


def words(known: Recorded, now: Moment) -> str:
    """One line. Never a name under which predictions are stored."""
    newest, standing = known.newest, known.standing
    name = "dry run" if newest is not None and newest.choices.dry_run else "seed queue"
    if newest is not None and newest.active:
        told = f"{name} {newest.number}: {_doing(newest, now.embedded)}"
    elif now.training is not None:
        told = f"learning: {_learning(now.training)}"
    elif now.asked:
        told = "Start Training was received"
    elif newest is None or newest.state == "undone":
        told = UNTRAINED
    elif newest.state == "failed" and (standing is None or not newest.choices.dry_run):
        told = f"{name} {newest.number} failed: {newest.error}"
    elif standing is None:
        told = f"seed queue {newest.number} is chosen and not yet in place"
    elif known.last and known.last["outcome"] == "failed" and known.last.get("run") == standing.number:
        told = f"learning failed: {known.last['message']}"
    else:
        told = f"seed queue {standing.number} is in place, nothing trained yet"
    return " ".join(told.split())[:LONGEST]


def _doing(run: Run, embedded: Progress | None) -> str:
    if run.state == "embedding":
        return f"embedding {embedded.done} of {embedded.total}" if embedded else f"embedding {run.embedded} images"
    return {"requested": "listing the images", "selecting": "choosing"}.get(run.state, "being put in place")


def _learning(progress: Mapping[str, Any]) -> str:
    head, epoch, epochs = progress["head"], progress["epoch"], progress["epochs"]
    return f"{head}, epoch {epoch} of {epochs}" if epochs else str(head)
