"""What a project's heads can learn from: its annotated tasks, divided into what is learnt and what is held out."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

from seedqueue.backend import audit, locked
from seedqueue.backend.agreement import Agreement
from seedqueue.backend.annotations import Problem, examples_from
from seedqueue.backend.context import Context
from seedqueue.backend.due import Labelled
from seedqueue.backend.examples import Example, annotation_key
from seedqueue.backend.label_config import Labelling, parse_labelling
from seedqueue.backend.label_studio import Studio
from seedqueue.backend.pool import filtered, pages
from seedqueue.backend.versions import Family

PAGE = 200  # tasks with all their regions: a page of brush masks is megabytes
HeldOut = Literal["audit slice", "locked test list", "ground truth", ""]


@dataclass(frozen=True)
class Gathered:
    """The examples of a project. `training` is without audit and locked tasks, others of their groups, ground truth.

    later: the audit tasks of later parts, drawn from images that came later: versions are judged without them, as the
    first part alone is a fair sample of its pool.
    """

    labelling: Labelling
    training: tuple[Example, ...]
    audit: tuple[Example, ...]
    ground_truth: tuple[Example, ...]
    problems: tuple[Problem, ...]
    agreement: Agreement
    locked: tuple[Example, ...] = ()
    later: frozenset[int] = frozenset()

    def of(self, family: Family) -> list[Example]:
        """What a head of this family can learn from, by task: the head is the same in whatever order they come."""
        return _telling(self.training, family)

    def held_out(self, family: Family) -> tuple[HeldOut, list[Example]]:
        """The audit slice as far as it is labelled, else the locked test list, else the team's ground truth."""
        named: tuple[tuple[HeldOut, tuple[Example, ...]], ...] = (
            ("audit slice", tuple(one for one in self.audit if one.task not in self.later)),
            ("locked test list", self.locked),
            ("ground truth", self.ground_truth),
        )
        for name, examples in named:
            if told := _telling(examples, family):
                return name, told
        return "", []

    def labelled(self, family: Family) -> Labelled:
        """The same as `due` wants it."""
        examples = self.of(family)
        stamps = sorted(stamp for one in examples for stamp in zip(one.annotations, one.updated, strict=True))
        return Labelled(len(examples), tuple(stamps), annotation_key(examples))

    @property
    def seconds_per_label(self) -> float | None:
        """The median time that an image took its annotators together; None where Label Studio knows of none."""
        told = [one.seconds for one in (*self.training, *self.audit) if one.seconds]
        return median(told) if told else None


def _telling(examples: Sequence[Example], family: Family) -> list[Example]:
    return sorted((one for one in examples if tells(one, family)), key=lambda one: one.task)


def tells(example: Example, family: Family) -> bool:
    return (example.classes if family == "classes" else example.masks) is not None


def gather(context: Context, project: int, group_field: str = "") -> Gathered:
    """A project's annotated tasks as Label Studio has them now. Raises `LabelConfigUnusable`, `ProjectNotFound`."""
    labelling = labelling_of(context.studio, project)
    return gathered_from(context, project, annotated_tasks(context.studio, project), labelling, group_field)


def gathered_from(
    context: Context, project: int, tasks: Iterable[dict[str, Any]], labelling: Labelling, group_field: str = ""
) -> Gathered:
    """The same of tasks that were read already."""
    found = examples_from(tasks, labelling, group_field)
    frozen = audit.frozen(context.records, project)
    kept_back = locked.of(context.records, project)
    slice_, apart = {one.task for one in frozen}, set(kept_back.tasks)
    groups = {one.group for one in frozen}.union(kept_back.groups)
    # A list that was locked by another field, or before there was one, knows no groups: what can judge tells its own.
    groups |= {one.group for one in found.examples if one.task in apart}
    learnt = [one for one in found.examples if one.task not in slice_ | apart and one.group not in groups]
    return Gathered(
        labelling,
        training=tuple(one for one in learnt if not one.ground_truth),
        audit=tuple(one for one in found.examples if one.task in slice_),
        ground_truth=tuple(one for one in learnt if one.ground_truth),
        locked=tuple(one for one in found.examples if one.task in apart - slice_),
        problems=found.problems,
        agreement=found.agreement,
        later=frozenset(slice_.difference(one.task for one in audit.first(context.records, project))),
    )


def labelling_of(studio: Studio, project: int) -> Labelling:
    """What the project asks of its annotators. Raises `LabelConfigUnusable`, `ProjectNotFound`."""
    described = studio.call("GET", f"/api/projects/{project}", project=project)
    return parse_labelling(described.get("parsed_label_config") or {}, described.get("label_config") or "")


def annotated_tasks(studio: Studio, project: int) -> list[dict[str, Any]]:
    """Every task with an annotation that was not cancelled, its annotations in full."""
    return _in_full(studio, project, "total_annotations")


def touched_tasks(studio: Studio, project: int) -> list[dict[str, Any]]:
    """Every task with an annotation or a skip, these in full."""
    return _in_full(studio, project, "total_annotations", "cancelled_annotations")


def _in_full(studio: Studio, project: int, *counts: str) -> list[dict[str, Any]]:
    """The tasks of which one of these counts is above 0."""
    items = [filtered(count, "greater", "Number", 0) for count in counts]
    params = {
        "project": project,
        "page_size": PAGE,
        "fields": "all",  # `include` would leave the annotations out, asked for or not
        "resolve_uri": "false",
        "query": json.dumps({"filters": {"conjunction": "or", "items": items}}),
    }
    return [task for page in pages(studio, project, params) for task in page]


def annotation_state(studio: Studio, project: int) -> str:
    """A word that changes when an annotation comes, changes or goes: two cheap calls."""
    described = studio.call("GET", f"/api/projects/{project}", project=project)
    newest = {
        "project": project,
        "page_size": 1,
        "fields": "task_only",
        "include": "id,updated_at",
        "query": json.dumps({"ordering": ["-tasks:updated_at"]}),
    }
    last = studio.call("GET", "/api/tasks", project=project, params=newest)["tasks"]
    counts = [described["total_annotations_number"], described["num_tasks_with_annotations"]]
    return json.dumps([counts, [task["updated_at"] for task in last]])
