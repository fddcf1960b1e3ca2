"""Who said what of the tasks that several have read: from Label Studio's tasks to readings. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from seedqueue.backend.agreement import Rated
from seedqueue.backend.annotations import Problem, nobody, one_of_each, said_of
from seedqueue.backend.field_values import group_of
from seedqueue.backend.label_config import Labelling


@dataclass(frozen=True)
class ReadTask:
    """One task and what each of its annotators said of it, each once.

    group: the patient or study. settled: it has a ground truth, so that a disagreement is over.
    """

    task: int
    group: str
    rated: tuple[Rated, ...]
    settled: bool = False


@dataclass(frozen=True)
class Readings:
    """shared: the tasks that two or more have read. adjudicators: people who have only settled what others read.

    annotated: tasks with an annotation that counts. annotators: everybody who has annotated, adjudicators aside.
    """

    shared: tuple[ReadTask, ...]
    annotated: int
    annotators: tuple[str, ...]
    adjudicators: tuple[str, ...]
    problems: tuple[Problem, ...]

    @property
    def readers(self) -> tuple[str, ...]:
        """Who has read a task in common with somebody."""
        return tuple(sorted({one.annotator for task in self.shared for one in task.rated}))

    @property
    def patients(self) -> int:
        """Of how many the shared tasks are; a task is its own where none is known."""
        return len({one.group for one in self.shared})


def readings_from(tasks: Iterable[Mapping[str, Any]], labelling: Labelling, group_field: str = "") -> Readings:
    """The readings of Label Studio's tasks `{id, data, annotations: [...]}`.

    Of one annotator the newest annotation of a task counts that is no ground truth: a reading made before the answer
    was settled. A ground truth counts where its annotator has no other: somebody's reading that was found right.
    Whoever has nothing but ground truths, and those where others had read already, is an adjudicator and no reader:
    their tasks are those that others disagreed on. Skipped annotations are none, nor are those without an author.
    """
    problems: list[Problem] = []
    found: list[ReadTask] = []
    starred: set[str] = set()
    plain: set[str] = set()
    for task in tasks:
        said = [one for one in said_of(task, labelling, problems) if one.annotator != nobody(one.annotation)]
        mine = one_of_each(said, truths=False)
        number, truths = int(task["id"]), [one for one in said if one.ground_truth]
        for one in mine:
            later = one.ground_truth and any(other.at < one.at for other in mine)
            (starred if later else plain).add(one.annotator)
        group = group_of(task.get("data"), group_field, number)
        rated = tuple(one.rated for one in mine if one.counts)
        found.append(ReadTask(number, group, rated, bool(truths)))
    adjudicators = starred - plain
    read = [replace(one, rated=tuple(r for r in one.rated if r.annotator not in adjudicators)) for one in found]
    return Readings(
        tuple(one for one in read if len(one.rated) > 1),
        sum(bool(one.rated) for one in found),
        tuple(sorted(plain)),
        tuple(sorted(adjudicators)),
        tuple(problems),
    )
