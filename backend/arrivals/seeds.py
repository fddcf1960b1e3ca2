"""A seed queue of the new tasks alone; what is labelled of the old ones is covered ground."""

from __future__ import annotations

from dataclasses import asdict

from seedqueue.backend import seeding
from seedqueue.backend.context import Context
from seedqueue.backend.errors import NoSeedQueue
from seedqueue.backend.export.reasons import first_round
from seedqueue.backend.records import Run

# What belongs to the one queue that stood, not to the way in which this team makes queues.
OF_ONE_QUEUE = ("extends", "dry_run", "tab", "where", "audit", "budget")


def request_seed(context: Context, project: int, after: int, budget: int) -> Run:
    """A run over the tasks newer than `after`, with the choices of the standing run; returned at once.

    A selector of later rounds, or one that is gone, gives way to the settings' one. Raises `NoSeedQueue`, what
    `seeding.request_seed` does.
    """
    standing = context.records.published_run(project)
    if standing is None:
        raise NoSeedQueue(project)
    kept = {name: value for name, value in asdict(standing.choices).items() if name not in OF_ONE_QUEUE}
    if not first_round(standing.choices.selector):
        del kept["selector"]
    asked = {**kept, "budget": budget, "where": f"id>{after}", "audit": 0}
    return seeding.request_seed(context, project, seeding.choices_from(asked, context.settings))
