"""Publishing a seed queue: predictions scored by rank, one model version, uncertainty sampling.

Label Studio Community serves the lowest score first among the predictions of the project's model
version and honours locks. When every such task is locked by others it says "no tasks", so a tail of
further tasks stands behind the seeds and is topped up (`top_up`) as it is used.
"""

from __future__ import annotations

import hashlib
import json
import math
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from label_studio_sdk.types import PredictionRequest

from seedqueue.backend.connection import Connection, rename
from seedqueue.backend.errors import PredictionsDropped
from seedqueue.backend.label_studio import Studio
from seedqueue.backend.pool import IDS, PAGE, PoolTask, filtered, pages, views

SAMPLING = "Uncertainty sampling"
TAIL_FLOOR = 0.5  # seeds score below, the tail at it or above
TAIL = 200
TAIL_PER_USER = 10
AHEAD_STEP = 1e-9  # far below the distance of two tail scores
BATCH = 1000
_UNTOUCHED: list[dict[str, Any]] = [
    {"filter": f"filter:tasks:{column}", "operator": "equal", "type": "Number", "value": 0}
    for column in ("total_annotations", "cancelled_annotations")
]


@dataclass(frozen=True)
class Before:
    """What stood in the project before the first seed queue: what undo restores."""

    sampling: str
    model_version: str
    title: str  # of the connection to this backend; empty where it was not attached
    had_tabs: bool  # own tabs in the Data Manager; without any it shows a virtual Default tab


def before(studio: Studio, project: int, connection: Connection | None) -> Before:
    described = studio.call("GET", f"/api/projects/{project}", project=project)
    title = connection.title if connection else ""
    return Before(described["sampling"], described["model_version"] or "", title, bool(views(studio, project)))


def seed_scores(tasks: Sequence[int]) -> dict[int, float]:
    """Scores in [0, 0.5) that grow with the rank."""
    return {task: TAIL_FLOOR * position / len(tasks) for position, task in enumerate(tasks)}


def tail_score(task: int) -> float:
    """A score in [0.5, 1) drawn from the task's number: the tail is in random order, the same one always."""
    drawn = int.from_bytes(hashlib.blake2b(str(task).encode(), digest_size=4).digest(), "big")
    return TAIL_FLOOR + (1 - TAIL_FLOOR) * drawn / 2**32


def tail_length(studio: Studio) -> int:
    """How many unlabelled tasks stand behind the seeds.

    Locks cannot be counted through the API; no more can be held than there are users.
    """
    return max(TAIL, TAIL_PER_USER * len(studio.call("GET", "/api/users/")))


def tail(candidates: Iterable[int], length: int, first: Sequence[int] = ()) -> dict[int, float]:
    """The first `length` candidates in the order of their tail scores; those of `first` before all others."""
    ahead = {task: TAIL_FLOOR + position * AHEAD_STEP for position, task in enumerate(first)}
    scores = {task: ahead.get(task, tail_score(task)) for task in candidates}
    return dict(sorted(scores.items(), key=lambda item: item[1])[:length])


def import_scores(studio: Studio, project: int, version: str, scores: Mapping[int, float]) -> None:
    """Store one empty prediction per task; tasks that have one of this version are left out.

    Bulk import drops what it does not like without a word: the number created is checked.
    Raises `PredictionsDropped`.
    """
    present = tasks_with_version(studio, project, version) if version in versions(studio, project) else set()
    missing = [(task, score) for task, score in scores.items() if task not in present]
    for start in range(0, len(missing), BATCH):
        batch = missing[start : start + BATCH]
        request = [PredictionRequest(task=task, result=[], score=score, model_version=version) for task, score in batch]
        with studio.translated(project):
            answer = studio.sdk.projects.import_predictions(project, request=request)
        created = int(answer.created or 0)
        if created != len(batch):
            raise PredictionsDropped(len(batch), created)


def switch(studio: Studio, project: int, version: str, connection: Connection | None) -> None:
    """Let the sampler serve `version`, in one call that leaves no moment of random order.

    With the backend attached, its title becomes the version: the project's model version follows the
    title, and live pre-annotations are shown only while the two are equal.
    """
    if connection is not None and connection.title != version:
        rename(studio, project, connection, version)
    described = studio.call("GET", f"/api/projects/{project}", project=project)
    if described["model_version"] != version or described["sampling"] != SAMPLING:
        set_sampling(studio, project, SAMPLING, version)


def set_sampling(studio: Studio, project: int, sampling: str, model_version: str) -> None:
    with studio.translated(project):
        studio.sdk.projects.update(project, sampling=sampling, model_version=model_version)


def restore(studio: Studio, project: int, earlier: Before, mine: Iterable[str]) -> None:
    """Sampling and model version as they were, our predictions gone. The connection has its title back already."""
    stored = versions(studio, project)
    for version in mine:
        if version in stored:
            # Deleting any version nulls the project's model version; it is set again right below.
            delete = {"model_version": version}
            studio.call("DELETE", f"/api/projects/{project}/model-versions/", json=delete, slow=True)
    # Label Studio refuses a version that has neither predictions nor a connection of that title any more.
    known = {*versions(studio, project), earlier.title}
    set_sampling(studio, project, earlier.sampling, earlier.model_version if earlier.model_version in known else "")


def top_up(studio: Studio, project: int, version: str, pool: Sequence[PoolTask], length: int) -> int:
    """Lengthen the tail so that `length` tasks that nobody has touched have a rank again; how many were added."""
    present = tasks_with_version(studio, project, version)
    free = sum(task.task in present for task in pool if not task.labelled and not task.skipped)
    candidates = {task.task for task in pool if not task.labelled} - present
    added = tail(candidates, max(0, length - free))
    import_scores(studio, project, version, added)
    return len(added)


def join_tail(studio: Studio, project: int, version: str, pool: Sequence[PoolTask], apart: Collection[int]) -> int:
    """Give new tasks the places in the tail that their scores win them; how many were added.

    The tail is the first part of all tasks in a random order: whoever comes later has the same chance. apart: tasks
    whose place is another: the queue's, the audit slice's.
    """
    present = tasks_with_version(studio, project, version)
    free = [one.task for one in pool if not (one.labelled or one.skipped or one.task in apart)]
    last = max((tail_score(task) for task in present.intersection(free)), default=0.0)
    added = {task: score for task in free if task not in present and (score := tail_score(task)) < last}
    import_scores(studio, project, version, added)
    return len(added)


def rescore(studio: Studio, project: int, version: str, scores: Mapping[int, float]) -> None:
    """Give tasks these scores, whether they stand in the tail or have none yet."""
    import_scores(studio, project, version, scores)
    for task, score in scores.items():
        for prediction in studio.call("GET", "/api/predictions/", params={"task": task}):
            if prediction["model_version"] == version and prediction["score"] != score:
                path = f"/api/predictions/{prediction['id']}/"
                studio.call("PATCH", path, json={"score": score}, missing_ok=True)


def withdraw(studio: Studio, task: int, mine: Collection[str]) -> None:
    """Take back what these versions have said of a task: its rank, heads' pre-annotations."""
    for prediction in studio.call("GET", "/api/predictions/", params={"task": task}):
        if prediction["model_version"] in mine:
            studio.call("DELETE", f"/api/predictions/{prediction['id']}/", missing_ok=True)


def untouched_tasks(studio: Studio, project: int, version: str | None = None) -> int:
    """How many tasks have neither an annotation nor a skip, or of those how many have a rank of `version`.

    One cheap call. A skipped task may be over for everybody: it does not count as free.
    """
    return _count(studio, project, _UNTOUCHED if version is None else [*_UNTOUCHED, _has_version(version)])


def untouched_of(studio: Studio, project: int, tasks: Sequence[int]) -> int:
    """How many of these tasks have neither. One cheap call for every 400 of them."""
    parts = [list(tasks[start : start + IDS]) for start in range(0, len(tasks), IDS)]
    return sum(_count(studio, project, [*_UNTOUCHED, filtered("id", "in_list", "Number", part)]) for part in parts)


def _count(studio: Studio, project: int, items: list[dict[str, Any]]) -> int:
    params = {"project": project, "page_size": 1, "fields": "task_only", "include": "id", "query": _query(items)}
    return int(studio.call("GET", "/api/tasks", project=project, params=params)["total"])


def untouched(studio: Studio, project: int, version: str) -> set[int]:
    """The tasks with a rank of `version` that have neither an annotation nor a skip."""
    query = _query([*_UNTOUCHED, _has_version(version)])
    params = {"project": project, "page_size": PAGE, "fields": "task_only", "include": "id", "query": query}
    return {entry["id"] for page in pages(studio, project, params) for entry in page}


def versions(studio: Studio, project: int) -> dict[str, int]:
    """{model version: number of predictions} of a project."""
    path = f"/api/projects/{project}/model-versions"
    answer = studio.call("GET", path, project=project, params={"extended": "true"})
    return {row["model_version"]: row["count"] for row in answer["static"]}


def tasks_with_version(studio: Studio, project: int, version: str) -> set[int]:
    """The tasks that have a prediction whose version *contains* this one: Label Studio matches substrings.

    A later version only ever makes this a superset for an earlier one ("Seed queue 1" finds "Seed
    queue 12"), never for the newest.
    """
    query = _query([_has_version(version)])
    params = {"project": project, "page_size": PAGE, "fields": "task_only", "include": "id", "query": query}
    return {entry["id"] for page in pages(studio, project, params) for entry in page}


def remove_version(studio: Studio, project: int, version: str, until: float = math.inf) -> int:
    """Delete a version's predictions one by one; how many.

    The bulk call is faster, but nulls the project's model version, the current one included.
    until: at this time of `time.monotonic` it leaves the rest; asked again, it goes on.
    """
    removed = 0
    for task in tasks_with_version(studio, project, version):
        if time.monotonic() >= until:
            break
        for prediction in studio.call("GET", "/api/predictions/", params={"task": task}):
            if prediction["model_version"] == version:
                studio.call("DELETE", f"/api/predictions/{prediction['id']}/", missing_ok=True)
                removed += 1
    return removed


def _has_version(version: str) -> dict[str, Any]:
    name = "filter:tasks:predictions_model_versions"
    return {"filter": name, "operator": "contains", "type": "List", "value": [version]}


def _query(items: list[dict[str, Any]]) -> str:
    return json.dumps({"filters": {"conjunction": "and", "items": items}})
