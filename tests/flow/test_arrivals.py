"""Images that come later, on a real Label Studio: what is new, novel and drifted; a fresh audit, seeds of them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

import pytest
from annotating import Expert, submit
from image_server import ImageServer
from load import pictures
from running import Backend
from taught import Annotators, Taught
from truth import Result, Truth
from typer.testing import CliRunner

from seedqueue.backend import audit
from seedqueue.backend.arrivals.looking import look
from seedqueue.backend.arrivals.report import Report
from seedqueue.backend.cli import app
from seedqueue.backend.demo.project import LABEL_CONFIG, create_project
from seedqueue.backend.milestones import Arrived
from seedqueue.backend.pool import list_pool
from seedqueue.backend.settings import environment_of

pytestmark = pytest.mark.slow

AUDIT, FRESH, DRAWN = 28, 30, 52


def said_of(name: str) -> Result:
    """Half of the images show a finding, whatever they look like."""
    choice = "finding" if crc32(name.encode()) % 2 else "no finding"
    return [{"from_name": "finding", "to_name": "image", "type": "choices", "value": {"choices": [choice]}}]


@dataclass
class Month:
    """A project whose old part is labelled and taught, and to which other images came a month later."""

    taught: Taught
    old: list[int]
    new: list[int] = field(default_factory=list)

    def command(self, *words: str) -> str:
        environment = environment_of(self.taught.backend.context.settings)
        asked = ["arrivals", "--project", str(self.taught.project), *words]
        ran = CliRunner().invoke(app, asked, env=environment, catch_exceptions=False)
        assert ran.exit_code == 0, ran.output
        return " ".join(ran.output.split())

    def look(self) -> Report:
        return look(self.taught.backend.context, self.taught.project, metadata=["view"])

    def last(self) -> Arrived:
        found = Arrived.last(self.taught.backend.context.records, self.taught.project)
        assert found is not None
        return found


@pytest.fixture(scope="module")
def later() -> Iterator[ImageServer]:
    """Drawn shapes, where phantoms of radiographs stood before."""
    with ImageServer({f"later_{name}": content for name, content in pictures(DRAWN, 96, 5).items()}) as server:
        yield server


@pytest.fixture(scope="module")
def earlier(phantoms: list[Path]) -> Iterator[ImageServer]:
    with ImageServer({file.name: file.read_bytes() + b"a month ago" for file in phantoms}) as server:
        yield server


def tasks(backend: Backend, project: int) -> list[int]:
    return sorted(one.task for one in list_pool(backend.context.studio, project))


@pytest.fixture(scope="module")
def month(backend: Backend, earlier: ImageServer, later: ImageServer, annotators: Annotators) -> Month:
    studio = backend.context.studio
    project = create_project(studio, "arrivals", LABEL_CONFIG)
    old = [{"image": url, "view": "PA"} for url in earlier.urls()]
    studio.call("POST", f"/api/projects/{project}/import", json=old)
    backend.attach(project)
    [annotator] = annotators(project, 1)
    expert = Expert(annotator, Truth(LABEL_CONFIG, {}, said_of))
    taught = Taught(backend, project, expert, backend.seed(project, budget=8, audit=AUDIT, near_duplicate=0.0))
    expert.answer({*taught.seeds, *taught.audit})
    taught.learnt(8)
    found = Month(taught, tasks(backend, project))
    new = [{"image": url, "view": "LL"} for url in later.urls()] + [{"image": f"{later.url}/lost.png", "view": "LL"}]
    studio.call("POST", f"/api/projects/{project}/import", json=new)
    found.new = [task for task in tasks(backend, project) if task not in found.old]
    return found


def test_what_came_is_new_novel_and_drifted_and_a_fresh_audit_is_drawn(month: Month) -> None:
    told = month.command("--audit", str(FRESH), "--metadata", "view,scanner")
    assert f"{DRAWN + 1} new tasks after task {month.old[-1]} (the newest task when the audit slice was made" in told
    assert "1 new image cannot be read" in told
    assert f"task {month.new[-1]}," in told
    assert "drift: view, appearance" in told
    assert "PA 100 % before, 0 % now" in told
    assert "not compared: scanner, no task has it" in told
    assert f"audit, linear-1: cannot be said yet: 0 of {FRESH} are labelled" in told
    last = month.last()
    assert (last.after, last.new, last.old, last.newest) == (month.old[-1], DRAWN + 1, len(month.old), month.new[-1])
    assert last.novel > DRAWN / 2
    assert {"appearance", "view"} <= {name for name, _ in last.drifted}
    assert (last.audit, last.holds, last.run) == (FRESH, None, 0)


def test_the_fresh_slice_is_served_next_without_a_pre_annotation_and_never_learnt_from(month: Month) -> None:
    taught = month.taught
    context, project = taught.backend.context, taught.project
    part = audit.part_after(context.records, project, month.old[-1])
    assert part is not None
    fresh = {one.task for one in part.tasks}
    assert len(fresh) == FRESH
    assert fresh < set(month.new)
    assert {one.task for one in audit.first(context.records, project)} == taught.audit - fresh
    [served] = taught.expert.work(1)
    assert served.task in fresh
    assert all(not one["result"] for one in served.predictions)
    assert taught.predict(min(fresh)) == [[]]
    skipped, *others = sorted(fresh - {served.task})
    submit(taught.expert.annotator.studio, skipped, [], was_cancelled=True)
    taught.expert.answer(others)
    taught.still()
    learnt = {number for one in taught.versions() for number, _ in one.annotations}
    assert len(learnt) == 8
    assert not {task for one in taught.versions() for task in one.audit} & fresh
    month.command("--audit", str(FRESH))  # asked for twice, drawn once
    assert audit.part_after(context.records, project, month.old[-1]) == part


def test_a_labelled_fresh_slice_says_what_can_be_said(month: Month) -> None:
    found = month.look()
    assert (found.cut.after, found.labelled) == (month.old[-1], FRESH - 1)
    assert found.cut.why.endswith("nothing came since")
    [one] = found.holding
    assert (one.version, one.labelled, one.size) == ("linear-1", FRESH - 1, FRESH - 1)
    assert one.sentence.endswith("; 1 skipped left out")
    assert one.compared is not None
    assert one.compared.n_fresh == FRESH - 1
    assert one.compared.n_old == len(audit.first(month.taught.backend.context.records, month.taught.project))
    assert one.compared.left_out == ("not usable",)
    assert one.compared.low is not None
    assert "yet" not in one.sentence


def test_seeds_come_from_the_new_part_alone(month: Month) -> None:
    context, project = month.taught.backend.context, month.taught.project
    told = month.command("--seed", "5")
    # the one that was skipped goes to others
    assert f"6 of {8 + AUDIT + DRAWN + 1} tasks, 1 audit task among them, stand first" in told
    run = context.records.published_run(project)
    assert run is not None
    assert (run.choices.where, run.number) == (f"id>{month.old[-1]}", month.last().run)
    seeds = {one.task for one in context.records.queue(project, run.number) if not one.audit}
    held_out = {one.task for one in audit.frozen(context.records, project)}
    assert len(seeds) == 5
    assert seeds <= set(month.new) - held_out


def test_what_comes_after_a_look_is_the_next_new_part(month: Month, later: ImageServer) -> None:
    backend, project = month.taught.backend, month.taught.project
    body = [{"image": f"{url}?again", "view": "LL"} for url in later.urls()[:2]]
    backend.context.studio.call("POST", f"/api/projects/{project}/import", json=body)
    found = month.look()
    assert (found.cut.after, found.new, found.fresh) == (month.new[-1], 2, 0)
    assert found.novelty is not None
    assert found.far == ()  # the same images are in the project
