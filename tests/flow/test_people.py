"""Three annotators on a real Label Studio: what they read in common, how they agree, which labels look wrong."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
from annotating import name_of, submit
from image_server import ImageServer
from running import Backend
from typer.testing import CliRunner

from seedqueue.backend import seeding
from seedqueue.backend.cli import app
from seedqueue.backend.demo.annotator import Annotator
from seedqueue.backend.demo.phantoms import write_phantoms
from seedqueue.backend.milestones import Agreed, Overlap
from seedqueue.backend.people import agreeing, overlaps, pacing
from seedqueue.backend.pool import filtered, list_pool, pages, views
from seedqueue.backend.records import QueuedTask
from seedqueue.backend.settings import environment_of

pytestmark = pytest.mark.slow

Annotators = Callable[[int, int], list[Annotator]]

COUNTS = {"lateral": 12, "frontal": 18}  # two kinds that hog tells apart
CONFIG = """<View><Image name="image" value="$image"/><Choices name="view" toName="image" choice="single">
<Choice value="frontal"/><Choice value="lateral"/></Choices></View>"""
PLANTED = 3
CARELESS = 2  # the third annotator


@pytest.fixture(scope="module")
def two_views(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ImageServer]:
    files = write_phantoms(tmp_path_factory.mktemp("views"), count=60, seed=7)
    kept = [file for kind, count in COUNTS.items() for file in [f for f in files if f.name.startswith(kind)][:count]]
    with ImageServer({file.name: file.read_bytes() for file in kept}) as server:
        yield server


@dataclass
class Reading:
    """A project that three annotators have read to its end, one task each in turn."""

    backend: Backend
    project: int
    queue: list[QueuedTask]
    common: tuple[int, ...]
    planted: list[int]
    people: list[Annotator]
    served: list[list[int]] = field(default_factory=lambda: [[], [], []])
    divided: set[int] = field(default_factory=set)

    def read(self) -> None:
        working = [0, 1, 2]
        while working:
            for who in list(working):
                task = self.people[who].next_task()
                if task is None:
                    working.remove(who)
                else:
                    self.served[who].append(task["id"])
                    submit(self.people[who].studio, task["id"], self._answer(who, task))

    def _answer(self, who: int, task: dict[str, Any]) -> list[dict[str, Any]]:
        number, lateral = task["id"], name_of(task).startswith("lateral")
        if number in self.planted or (who == CARELESS and number in self.common[::2]):
            lateral = not lateral
        if who == CARELESS and number in self.common[::2]:
            self.divided.add(number)
        return said("lateral" if lateral else "frontal")

    def command(self, name: str, *options: str) -> str:
        environment = environment_of(self.backend.context.settings)
        done = CliRunner(env={**environment, "COLUMNS": "140"}).invoke(
            app, [name, "--project", str(self.project), *options]
        )
        assert done.exit_code == 0, done.output
        return done.output

    def tab(self, title: str) -> set[int]:
        return {one.task for one in list_pool(self.backend.context.studio, self.project, title)}


def said(view: str) -> list[dict[str, Any]]:
    return [{"from_name": "view", "to_name": "image", "type": "choices", "value": {"choices": [view]}}]


@pytest.fixture(scope="module")
def reading(backend: Backend, two_views: ImageServer, annotators: Annotators) -> Reading:
    project = backend.new_project(two_views.urls(), CONFIG)
    backend.attach(project)
    queue = backend.seed(project, budget=20)
    made = overlaps.share_reading(backend.context, project, 3, first=10, share=0.2)
    queued = {one.task for one in queue}  # what is read in common is drawn by numbers, which are others each time
    names = {one.uri.rpartition("/")[2]: one.task for one in list_pool(backend.context.studio, project)}
    alone = [names[name] for name in sorted(names) if "frontal" in name and names[name] not in queued]
    found = Reading(backend, project, queue, made.tasks, alone[:PLANTED], annotators(project, 3))
    found.read()
    return found


def test_tasks_in_common_are_served_to_all_and_the_others_once(reading: Reading) -> None:
    queue = [one.task for one in reading.queue]
    assert reading.common[:10] == tuple(queue[:10])
    assert len(reading.common) == 12
    times = Counter(task for who in reading.served for task in who)
    assert times == {**dict.fromkeys(times, 1), **dict.fromkeys(reading.common, 3)}
    assert len(times) == sum(COUNTS.values())


def test_everybody_is_served_in_the_order_of_the_ranks(reading: Reading) -> None:
    rank = {one.task: one.rank for one in reading.queue}
    for who in reading.served:
        ranks = [rank[task] for task in who if task in rank]
        assert ranks == sorted(ranks)
        assert [task in rank for task in who] == sorted((task in rank for task in who), reverse=True)
        assert set(reading.common) <= set(who)


def test_the_careless_one_is_flagged_and_tabs_show_what_to_look_at(reading: Reading) -> None:
    shown = reading.command("agreement", "--by-name", "--tabs")
    [flag] = [line for line in shown.splitlines() if "stands out" in line]
    assert f"annotator{CARELESS}@example.com" in flag
    assert reading.tab("Disagreements") == reading.divided
    suspects = reading.tab("Suspected label errors")
    assert len(suspects.intersection(reading.planted)) >= PLANTED - 1  # how many are wrong is an estimate
    assert len(suspects) <= PLANTED + 2
    agreed = Agreed.last(reading.backend.context.records, reading.project)
    assert agreed is not None
    assert (agreed.tasks, agreed.annotators, agreed.disagreements) == (12, 3, len(reading.divided))
    assert agreed.suspects == len(suspects)


def test_a_settled_disagreement_leaves_the_tab_and_tabs_can_be_taken_away(reading: Reading) -> None:
    context, project = reading.backend.context, reading.project
    first, *others = sorted(reading.divided)
    submit(context.studio, first, said("frontal"), ground_truth=True)
    report = agreeing.look_at_agreement(context, project, tabs_too=True)
    assert reading.tab("Disagreements") == set(others) == {one.task for one in report.disagreements}
    assert (report.settled, report.adjudicators) == (1, 1)
    assert len(set(report.names)) == 3
    assert all(one.startswith("annotator ") for one in report.names)
    found = {(one.given, one.suggested) for one in report.doubted.suspects if one.task in reading.planted}
    assert found == {("lateral", "frontal")}
    agreeing.remove_tabs(context, project)
    assert [view["data"]["title"] for view in views(context.studio, project)] == ["Default", "Seed queue"]


def test_the_pace_is_told_by_letters(reading: Reading) -> None:
    shown = reading.command("pace")
    assert "no date for the end: a date takes 3 whole days of work" in shown
    assert "@" not in shown
    found = pacing.pace(reading.backend.context, reading.project)
    assert found.labels >= sum(map(len, reading.served))
    assert found.seconds == pytest.approx(7.5)


def test_fewer_annotators_strand_no_task_and_release_puts_all_back(
    backend: Backend, project: int, annotators: Annotators
) -> None:
    context = backend.context
    queue = [one.task for one in backend.seed(project, budget=6)]
    one, two, three = annotators(project, 3)
    assert [served.task for served in one.work(6)] == queue  # nothing is read in common yet, and all are finished
    common = overlaps.share_reading(context, project, 3, first=4, share=0.0).tasks
    assert common == tuple(queue[:4])
    assert states(backend, project, common) == dict.fromkeys(common, (3, False))
    backend.ended(seeding.request_extension(context, project, 7))  # gives no rank to what somebody has read
    assert overlaps.share_reading(context, project, 3, first=4, share=0.0).tasks == common
    assert [served.task for served in two.work(2)] == list(common[:2])
    overlaps.share_reading(context, project, 2, first=4, share=0.0)
    assert states(backend, project, common) == {task: (2, task in common[:2]) for task in common}
    assert [served.task for served in three.work(2)] == list(common[2:])
    assert states(backend, project, common) == dict.fromkeys(common, (2, True))
    assert overlaps.release(context, project) == 4
    assert states(backend, project, common) == dict.fromkeys(common, (1, True))
    assert overlaps.release(context, project) == 0
    last = Overlap.last(context.records, project)
    assert last is not None
    assert last.tasks == ()


def states(backend: Backend, project: int, tasks: Sequence[int]) -> dict[int, tuple[int, bool]]:
    """{task: (how many are to read it, whether it is finished)}."""
    items = [filtered("id", "in_list", "Number", list(tasks))]
    params = {
        "project": project,
        "page_size": 100,
        "fields": "task_only",
        "include": "id,overlap,is_labeled",
        "query": json.dumps({"filters": {"conjunction": "and", "items": items}}),
    }
    found = [entry for page in pages(backend.context.studio, project, params) for entry in page]
    return {entry["id"]: (entry["overlap"], entry["is_labeled"]) for entry in found}
