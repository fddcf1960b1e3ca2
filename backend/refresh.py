"""Pre-annotations in the queue itself: the ranks' own predictions carry what the newest head says.

Label Studio shows live predictions while the backend answers, and these where it does not (a project that is
not attached), in the Data Manager's columns and in exports.
"""

from __future__ import annotations

from typing import Any

from seedqueue.backend import publish
from seedqueue.backend.context import Context
from seedqueue.backend.locked import held_out
from seedqueue.backend.records import Run
from seedqueue.backend.trained import TrainedHeads

MOST = 20  # tasks whose turn is next; each costs Label Studio a tenth of a second


def refresh(context: Context, run: Run) -> int:
    """Rewrite the result of the next tasks' rank predictions, score and version as they are; how many changed.

    Audit tasks get none: what an annotator is shown must not decide about what they say there.
    """
    studio, project = context.studio, run.project
    label_config = studio.call("GET", f"/api/projects/{project}", project=project)["label_config"]
    tasks = [studio.call("GET", f"/api/tasks/{task}/", missing_ok=True) for task in _next(context, run)[:MOST]]
    present: list[dict[str, Any]] = [task for task in tasks if task is not None]
    said = TrainedHeads(context).predict(project, [_as_sent(task) for task in present], label_config)
    changed = 0
    for task, answers in zip(present, said, strict=True):
        result = answers[0]["result"] if answers else []
        for prediction in task["predictions"]:
            if prediction["model_version"] == run.version and _plain(prediction["result"]) != _plain(result):
                path = f"/api/predictions/{prediction['id']}/"
                changed += studio.call("PATCH", path, json={"result": result}, missing_ok=True) is not None
    context.records.append("learning", project, run.number, _note(context, project, changed))
    return changed


def _next(context: Context, run: Run) -> list[int]:
    """The tasks that nobody has touched, in the order in which they are served: the queue, behind it the tail."""
    waiting = publish.untouched(context.studio, run.project, run.version)
    waiting -= held_out(context.records, run.project)
    ranked = [one.task for one in context.records.queue(run.project, run.number)]
    behind = sorted(waiting.difference(ranked), key=publish.tail_score)
    return [task for task in ranked if task in waiting] + behind


def _note(context: Context, project: int, changed: int) -> dict[str, Any]:
    heads = [one.name for one in context.versions.serving(project).values()]
    return {"outcome": "refreshed", "message": f"{changed} ranks carry the word of {', '.join(heads)}"}


def _as_sent(task: dict[str, Any]) -> dict[str, Any]:
    return {"id": task["id"], "data": task["data"]}


def _plain(result: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Without what Label Studio adds to a stored region."""
    return [{key: one.get(key) for key in ("from_name", "to_name", "type", "value")} for one in result]
