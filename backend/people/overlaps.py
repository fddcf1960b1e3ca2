"""Reading in common: how many annotators each task of a queue is served to, in Label Studio Community.

A task's own `overlap` can be set through its API. While the project's maximum_annotations stays 1, Label Studio
does not serve begun tasks first (and at random), as it does else: every annotator gets the queue in rank order,
tasks that are read in common until all have read them, the others once. An annotator's lock takes one of a
task's places and no more.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from seedqueue.backend import publish, seeding
from seedqueue.backend.context import Context
from seedqueue.backend.label_studio import Studio
from seedqueue.backend.locked import locked
from seedqueue.backend.milestones import Overlap
from seedqueue.backend.people.drawing import in_common
from seedqueue.backend.people.errors import OverlapIsProjectWide, OverlapRefused
from seedqueue.backend.pool import IDS, PAGE, filtered, pages

ROUNDS = 4  # of telling a task whether it is finished, while annotators work on it


def share_reading(context: Context, project: int, annotators: int, first: int = 10, share: float = 0.1) -> Overlap:
    """Let so many annotators read the head of the standing seed queue and a share of its rest; what is read in common.

    first: tasks at the queue's head; share: of the others, in [0, 1]. Asked again it gives what is asked now: tasks
    that are no longer read in common get back what they had, and with fewer annotators those that have been read
    by enough are finished. One annotator: as `release`. What stood before is written down before anything is
    changed: what is cut off is finished by the next call, or put back.

    Raises `NoSeedQueue`, `OverlapIsProjectWide`, `OverlapRefused`.
    """
    run, queue = seeding.standing_queue(context, project)
    if annotators < 2:
        release(context, project)
        return Overlap(1, first, share, ())
    described = context.studio.call("GET", f"/api/projects/{project}", project=project)
    if described["maximum_annotations"] > 1:
        raise OverlapIsProjectWide(project, described["maximum_annotations"])
    apart = locked(context.records, project)
    ranked = [one.task for one in queue if one.task not in apart]
    drawn = in_common(ranked, first, share, run.choices.random_seed)
    earlier = _before(context, project)
    stored = _stored(context.studio, project, {*drawn, *earlier})
    now = {task: stored[task]["overlap"] for task in drawn if task in stored}
    before = {task: earlier.get(task, overlap) for task, overlap in now.items()}
    dropped = {task: overlap for task, overlap in earlier.items() if task not in before}
    wanted = Overlap(annotators, first, share, tuple(before), tuple(before.items()))
    _save(context, project, replace(wanted, before=tuple({**before, **dropped}.items())))
    counts_skips = described["skip_queue"] == "IGNORE_SKIPPED"
    _set(context.studio, project, {**dict.fromkeys(before, annotators), **dropped}, stored, counts_skips)
    _rank(context.studio, project, run.version, [one.task for one in queue], before)
    _save(context, project, wanted)
    return wanted


def release(context: Context, project: int) -> int:
    """Give every task that is read in common back what it had; how many. None is left half read: who read it counts.

    Tasks that are gone are passed over. Nothing happens where nothing is read in common.
    """
    before = _before(context, project)
    if not before:
        return 0
    described = context.studio.call("GET", f"/api/projects/{project}", project=project)
    stored = _stored(context.studio, project, before)
    counts_skips = described["skip_queue"] == "IGNORE_SKIPPED"
    _set(context.studio, project, {task: before[task] for task in stored}, stored, counts_skips)
    Overlap(1, 0, 0.0, ()).save(context.records, project)
    return len(stored)


def _save(context: Context, project: int, overlap: Overlap) -> None:
    if Overlap.last(context.records, project) != overlap:
        overlap.save(context.records, project)


def _before(context: Context, project: int) -> dict[int, int]:
    """{task: how many were to read it} of all tasks that were changed and not put back."""
    last = Overlap.last(context.records, project)
    return dict(last.before) if last else {}


def _stored(studio: Studio, project: int, tasks: Collection[int]) -> dict[int, Mapping[str, Any]]:
    """{task: its overlap, whether it is finished, its counts} of those that are there."""
    found: dict[int, Mapping[str, Any]] = {}
    numbers = sorted(tasks)
    for start in range(0, len(numbers), IDS):
        items = [filtered("id", "in_list", "Number", numbers[start : start + IDS])]
        params = {
            "project": project,
            "page_size": PAGE,
            "fields": "task_only",
            "include": "id,overlap,is_labeled,total_annotations,cancelled_annotations",
            "query": json.dumps({"filters": {"conjunction": "and", "items": items}}),
        }
        found |= {entry["id"]: entry for page in pages(studio, project, params) for entry in page}
    return found


def _set(
    studio: Studio,
    project: int,
    wanted: Mapping[int, int],
    stored: Mapping[int, Mapping[str, Any]],
    counts_skips: bool,
) -> None:
    """Tell the tasks how many are to read them, and whether that makes them finished. Raises `OverlapRefused`."""
    for task in _unlike(wanted, stored, counts_skips):
        _tell(studio, task, wanted[task], counts_skips)
    after = _stored(studio, project, wanted)
    wrong = [task for task, entry in after.items() if entry["overlap"] != wanted[task]]
    if wrong:
        raise OverlapRefused(wanted[wrong[0]], wrong)


def _unlike(wanted: Mapping[int, int], stored: Mapping[int, Mapping[str, Any]], counts_skips: bool) -> Iterator[int]:
    """The tasks that have another overlap, or may be held finished or unfinished against it."""
    for task, overlap in wanted.items():
        if (entry := stored.get(task)) is not None:
            read = entry["total_annotations"] + (entry["cancelled_annotations"] if counts_skips else 0)
            if entry["overlap"] != overlap or entry["is_labeled"] != (read >= overlap):
                yield task


def _tell(studio: Studio, task: int, overlap: int, counts_skips: bool) -> None:
    """Label Studio does not look again whether a task is finished when its overlap changes: it is told.

    Its answer has the task's annotations. One that came meanwhile shows in the next answer.
    """
    body: dict[str, Any] = {"overlap": overlap}
    for _ in range(ROUNDS):
        answer = studio.call("PATCH", f"/api/tasks/{task}/", json=body, missing_ok=True)
        if answer is None:
            return
        finished = readers(answer["annotations"], counts_skips) >= overlap
        if answer["is_labeled"] == finished:
            return
        body = {"overlap": overlap, "is_labeled": finished}


def readers(annotations: Sequence[Mapping[str, Any]], counts_skips: bool) -> int:
    """How many people's annotations count towards a task's overlap, as Label Studio itself counts."""
    counted = [one for one in annotations if counts_skips or not one.get("was_cancelled")]
    return len({str(one.get("completed_by")) for one in counted})


def _rank(studio: Studio, project: int, version: str, queue: Sequence[int], tasks: Collection[int]) -> None:
    """Give those that have none their rank: a queue published anew leaves out what one annotator has read."""
    scores = publish.seed_scores(queue)
    publish.import_scores(studio, project, version, {task: scores[task] for task in queue if task in tasks})
