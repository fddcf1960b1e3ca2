"""How many annotators a task is served to: its own overlap, and whether that makes it finished.

Label Studio Community serves whatever is not marked as finished. It counts anew only where an annotation comes or goes:
when a task's overlap changes, it is told.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

from seedqueue.backend.label_studio import Studio
from seedqueue.backend.pool import PAGE, entries_of

ROUNDS = 4  # of telling a task whether it is finished, while annotators work on it

Entry = Mapping[str, Any]


def stored(studio: Studio, project: int, tasks: Collection[int]) -> dict[int, Entry]:
    """{task: its overlap, whether it is finished, its counts} of those that are there."""
    return {entry["id"]: entry for entry in entries_of(studio, project, tasks, params_of(project))}


def params_of(project: int) -> dict[str, Any]:
    """What a list of tasks is asked for, so that it tells of each what `Entry` has."""
    return {
        "project": project,
        "page_size": PAGE,
        "fields": "task_only",
        "include": "id,overlap,is_labeled,total_annotations,cancelled_annotations",
        "resolve_uri": "false",
    }


def unfinished(studio: Studio, project: int, tasks: Collection[int]) -> list[int]:
    """Those of these tasks, in their order, that annotators have yet to read: their overlap is not reached."""
    entries = stored(studio, project, tasks)
    return [task for task in tasks if task in entries and not entries[task]["is_labeled"]]


def counts_skips(described: Mapping[str, Any]) -> bool:
    """Whether a skip counts as a reading in this project, given as `GET /api/projects/ID` tells of it."""
    return bool(described["skip_queue"] == "IGNORE_SKIPPED")


def tell(
    studio: Studio,
    wanted: Mapping[int, int],
    entries: Mapping[int, Entry],
    skips: bool,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> None:
    """Give tasks these overlaps, and say which of them are finished by that.

    entries: of `stored`; tasks without one are gone and passed over, those that are as they should be left alone.
    """
    for done, (task, overlap) in enumerate(wanted.items(), start=1):
        if (entry := entries.get(task)) is not None and not _as_wanted(entry, overlap, skips):
            _tell(studio, task, overlap, _read(entry, skips) >= overlap, skips)
        progress(done, len(wanted))


def readers(annotations: Sequence[Entry], skips: bool) -> int:
    """How many people's annotations count towards a task's overlap, as Label Studio itself counts."""
    counted = [one for one in annotations if skips or not one.get("was_cancelled")]
    return len({str(one.get("completed_by")) for one in counted})


def missing(entry: Entry, skips: bool) -> int:
    """How many people have yet to read a task, as far as its counts tell."""
    return 0 if entry["is_labeled"] else max(0, entry["overlap"] - _read(entry, skips))


def _as_wanted(entry: Entry, overlap: int, skips: bool) -> bool:
    """As far as counts tell: of an overlap above 1 two annotations may be one person's."""
    return bool(entry["overlap"] == overlap and entry["is_labeled"] == (_read(entry, skips) >= overlap))


def _read(entry: Entry, skips: bool) -> int:
    return int(entry["total_annotations"] + (entry["cancelled_annotations"] if skips else 0))


def _tell(studio: Studio, task: int, overlap: int, finished: bool, skips: bool) -> None:
    """The answer has the task's annotations. One that came meanwhile shows in the next answer."""
    for _ in range(ROUNDS):
        body = {"overlap": overlap, "is_labeled": finished}
        answer = studio.call("PATCH", f"/api/tasks/{task}/", json=body, missing_ok=True)
        if answer is None:
            return
        finished = readers(answer["annotations"], skips) >= overlap
        if answer["is_labeled"] == finished:
            return
