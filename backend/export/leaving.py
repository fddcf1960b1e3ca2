"""The tasks that are not in an export, and what is missing of those that are."""

from __future__ import annotations

from collections.abc import Sequence

from seedqueue.backend.annotations import Gathered
from seedqueue.backend.examples import Example
from seedqueue.backend.export.reading import Listing
from seedqueue.backend.export.table import LeftOut
from seedqueue.backend.fetch import stable_uri

UNLABELLED = "nobody has annotated it"
SKIPPED = "it was skipped"
NO_LABEL = "its annotations hold no label that the label config has"
GONE = "it was deleted meanwhile"
TAKEN_BACK = "it was deleted meanwhile, or its annotations were"
NEW = "it came meanwhile"


def left_out(listing: Listing, found: Gathered, examples: Sequence[Example]) -> tuple[LeftOut, ...]:
    """Every task without an example, and everything that is wrong with an annotation."""
    uris = {one.task: stable_uri(one.uri) for one in listing.pool}
    told = [
        LeftOut(
            one.task, uris.get(one.task, ""), f"annotation {one.annotation}" if one.annotation else "task", one.reason
        )
        for one in found.problems
    ]
    known = {one.task for one in examples}.union(one.task for one in told if one.what == "task")
    for one in listing.pool:
        if one.task in known:
            continue
        if one.labelled:
            reason = NO_LABEL if one.task in listing.annotated else TAKEN_BACK
        else:
            reason = SKIPPED if one.skipped else UNLABELLED
        told.append(LeftOut(one.task, uris[one.task], "task", reason))
    came = {one.task for one in found.examples} - set(uris)
    return (*told, *(LeftOut(task, "", "task", NEW) for task in sorted(came)))
