"""Learning from annotations on a real Label Studio: versions, pre-annotations, rounds; classes of real ultrasound."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from annotating import Answered, served
from image_server import ImageServer
from running import Backend, Eventually
from taught import Annotators, Taught, teach
from truth import KINDS, Truth, ultrasound_kinds
from typer.testing import CliRunner

from seedqueue.backend import connection, learning
from seedqueue.backend.cli import app
from seedqueue.backend.pool import list_pool
from seedqueue.backend.settings import environment_of


@pytest.fixture(scope="module")
def truth(test_data: Path) -> Truth:
    return ultrasound_kinds(test_data, 100)


@pytest.fixture(scope="module")
def ultrasound(truth: Truth) -> Iterator[ImageServer]:
    with served(truth) as server:
        yield server


@dataclass(frozen=True)
class Grown:
    """A project after its seed queue and some more. early: what served while the last seed was not labelled."""

    taught: Taught
    seeded: list[Answered]
    early: list[str]
    audited: list[Answered]
    further: list[Answered]


@pytest.fixture(scope="module")
def grown(backend: Backend, ultrasound: ImageServer, truth: Truth, annotators: Annotators) -> Grown:
    """12 seeds, the audit slice and 4 tasks more labelled, each as it was served."""
    taught = teach(backend, ultrasound, truth, annotators, budget=12, audit=12)
    seeded = taught.expert.work(taught.before_last_seed)
    taught.still()
    early = taught.serving()
    seeded += taught.expert.work(1)
    taught.learnt(12)
    backend.eventually(lambda: taught.setup() == "linear-1", 5, "the version in /setup")
    audited = taught.expert.work(len(taught.audit - {one.task for one in seeded}))
    further = taught.expert.work(4)
    taught.learnt(15)  # a linear head trains every second label
    return Grown(taught, seeded, early, audited, further)


def test_nothing_is_learnt_before_the_seed_queue_is_done(grown: Grown) -> None:
    assert grown.early == []
    assert [one.task for one in grown.seeded] == [one.task for one in grown.taught.queue[:17]]
    assert [one.predictions for one in grown.seeded] == [()] * 17


def test_versions_appear_of_themselves_and_know_their_parents(grown: Grown) -> None:
    first, *others = grown.taught.versions()
    of_seeds = {one.annotation for one in grown.seeded if one.task in grown.taught.seeds}
    assert {number for number, _ in first.annotations} == of_seeds
    assert (first.name, first.parent, first.kind, first.classes) == ("linear-1", None, "single", KINDS)
    assert sum(first.per_class) == first.labels <= 12
    assert others
    for one in others:
        assert one.parent in range(1, one.number)
        assert one.difference is not None
        assert one.difference["n"] == len(one.audit)


def test_versions_are_judged_on_the_audit_slice_and_never_learn_from_it(grown: Grown) -> None:
    slice_, last = grown.taught.audit, grown.taught.versions()[-1]
    assert len(slice_) >= 12
    assert set(last.audit) == slice_
    assert last.held_out == "audit slice"
    audited = {one.annotation for one in [*grown.seeded, *grown.audited] if one.task in slice_}
    assert len(audited) == len(slice_)
    for version in grown.taught.versions():
        assert not audited & {number for number, _ in version.annotations}
    assert last.primary["name"].startswith("macro AUPRC")
    assert 0 < last.primary["value"] <= 1


def test_pre_annotations_are_shown_on_ordinary_tasks_and_on_no_audit_task(grown: Grown) -> None:
    names = {one.name for one in grown.taught.versions()}
    assert {one.task for one in grown.audited} <= grown.taught.audit
    assert [one.predictions for one in grown.audited] == [()] * len(grown.audited)
    for one in grown.further:
        assert set(one.versions) <= names
        [[item]] = one.shown
        assert (item["from_name"], item["type"]) == ("kind", "choices")
        assert set(item["value"]["choices"]) < set(KINDS)


def test_looking_at_thumbnails_lets_no_prediction_be_stored(grown: Grown) -> None:
    """Asking Label Studio for a task itself would: it asks the head that serves, and keeps what it says."""
    backend, project = grown.taught.backend, grown.taught.project
    before = backend.described(project)["total_predictions_number"]
    tasks = [one.task for one in list_pool(backend.context.studio, project)]
    answers = [backend.get(f"/api/projects/{project}/tasks/{task}/thumbnail").status_code for task in tasks]
    assert answers == [200] * len(tasks)
    assert backend.described(project)["total_predictions_number"] == before


def test_the_next_round_goes_by_the_head_and_is_served_in_rank_order(grown: Grown) -> None:
    taught = grown.taught
    records = taught.backend.context.records
    head = taught.serving()
    answer = taught.backend.post(f"/api/projects/{taught.project}/round", {"budget": 4})
    assert answer.status_code == 202, answer.text
    run = records.run(taught.project, answer.json()["number"])
    assert run is not None
    run = taught.backend.ended(run)
    assert (run.state, run.choices.selector, [run.head]) == ("published", "uncertainty-herding", head), run.error
    queue = records.queue(taught.project, run.number)
    assert len(queue) == 4
    assert not {one.task for one in queue} & {one.task for one in [*grown.seeded, *grown.audited, *grown.further]}
    labels = len(taught.versions()[-1].annotations)
    assert [one.task for one in taught.expert.work(4)] == [one.task for one in queue]
    assert taught.learnt(labels + 3).promoted


def test_the_learning_curve_and_its_advice_are_told(grown: Grown) -> None:
    taught = grown.taught
    [curve] = learning.overview(taught.backend.context, taught.project).curves
    assert (curve.family, curve.held_out, curve.judged_on) == ("classes", "audit slice", len(taught.audit))
    assert len(curve.points) >= 2
    assert [one.labels for one in curve.points] == sorted(one.labels for one in curve.points)
    told = taught.backend.get(f"/api/projects/{taught.project}/learning").json()
    assert told["curves"][0]["advice"]["sentence"] == curve.advice.sentence != ""
    assert told["last"]["outcome"] == "trained"
    assert [one["name"] for one in told["serving"]] == taught.serving()
    shown = command(taught, "learning")
    assert " ".join(curve.advice.sentence.split()[:4]) in " ".join(shown.split())


def test_what_serves_is_read_on_the_audit_slice(grown: Grown) -> None:
    taught = grown.taught
    told = taught.backend.get(f"/api/projects/{taught.project}/learning").json()
    [reading] = told["reading"]
    assert [reading["version"]] == taught.serving()
    assert reading["judged_on"] == told["curves"][0]["judged_on"] == sum(map(sum, reading["confusion"]))
    wrong = [one["task"] for one in reading["worst"] if one["truth"] != one["predicted"]]
    right = sum(reading["confusion"][at][at] for at in range(len(KINDS)))
    assert len(wrong) == min(12, reading["judged_on"] - right)
    assert set(wrong) <= taught.audit
    for one in reading["worst"]:
        found = taught.backend.context.studio.http.get(one["url"], follow_redirects=True)
        assert found.status_code == 200, one["url"]


def command(taught: Taught, *words: str) -> str:
    """What a command prints."""
    environment = environment_of(taught.backend.context.settings)
    ran = CliRunner().invoke(app, [*words, "--project", str(taught.project)], env=environment, catch_exceptions=False)
    assert ran.exit_code == 0, ran.output
    return str(ran.output)


def test_versions_are_listed_promoted_and_rolled_back(grown: Grown, eventually: Eventually) -> None:
    taught = grown.taught
    made, route = taught.versions(), f"/api/projects/{taught.project}"
    [newest] = [one for one in made if one.promoted]
    [older] = [one for one in made if one.number == newest.parent]
    listed = taught.backend.get(f"{route}/versions").json()["versions"]
    assert [(one["name"], one["promoted"]) for one in listed] == [(one.name, one == newest) for one in made]
    assert all(one.name in command(taught, "versions") for one in made)
    assert taught.backend.post(f"{route}/rollback").json()["name"] == older.name
    _answers(taught, older.name, eventually)
    command(taught, "promote", "--version", str(newest.number))
    _answers(taught, newest.name, eventually)
    assert f"{older.name} serves" in command(taught, "rollback")
    _answers(taught, older.name, eventually)
    assert taught.backend.post(f"{route}/versions/{newest.number}/promote").json()["promoted"]
    _answers(taught, newest.name, eventually)
    unknown = taught.backend.post(f"{route}/versions/999/promote")
    assert (unknown.status_code, unknown.json()["error"]) == (404, "NoSuchVersion")


def _answers(taught: Taught, version: str, eventually: Eventually) -> None:
    """Label Studio meets this version within seconds, and audit tasks none."""
    eventually(lambda: taught.setup() == version, 5, f"{version} in /setup")
    [[prediction], nothing] = taught.predict(taught.unlabelled()[0], min(taught.audit))
    assert prediction["model_version"] == version
    assert 0 < prediction["score"] <= 1
    assert nothing == []


@pytest.fixture(scope="module")
def early(backend: Backend, ultrasound: ImageServer, truth: Truth, annotators: Annotators) -> Taught:
    """A project of which 3 seeds of 8 are labelled, and whose head was trained by "Start Training"."""
    taught = teach(backend, ultrasound, truth, annotators, 24, budget=8, audit=4)
    taught.expert.work(4)  # the third is an audit task
    taught.still()
    assert taught.versions() == []
    backend.start_training(taught.project)
    taught.learnt(3)
    return taught


def test_a_person_trains_at_once_and_is_told_where_nothing_is_new(early: Taught) -> None:
    known = len(early.versions())
    message = early.train()
    assert message.startswith("failed: There is nothing to train")
    assert "nothing new" in message
    early.expert.work(1)
    assert early.train().startswith(f"trained: linear-{known + 1} learnt from")
    assert len(early.versions()) == known + 1
    wrong = early.backend.post(f"/api/projects/{early.project}/train", {"head": "forest"})
    assert (wrong.status_code, wrong.json()["error"]) == (422, "InvalidRequest")


def test_the_queues_own_predictions_carry_the_heads_word(early: Taught) -> None:
    studio = early.backend.context.studio
    waiting = set(early.unlabelled())
    said = {}
    for rank, one in enumerate(early.queue):
        found = studio.call("GET", "/api/predictions/", params={"task": one.task})
        [own] = [each for each in found if each["model_version"] == "Seed queue 1"]
        assert own["score"] == pytest.approx(0.5 * rank / len(early.queue))  # as it was published
        if one.audit or one.task in waiting:
            assert bool(own["result"]) != one.audit
        said[one.task] = own["result"]
    [attached] = connection.connections(studio, early.project)
    studio.call("DELETE", f"/api/ml/{attached.number}")
    studio.call("PATCH", f"/api/projects/{early.project}", json={"model_version": "Seed queue 1"})
    try:
        shown = early.expert.work(3)
    finally:
        early.backend.attach(early.project)
    assert [one.task for one in shown] == [one.task for one in early.queue if one.task in waiting][:3]
    for one in shown:
        kinds = [item["value"] for result in one.shown for item in result]
        assert kinds == [item["value"] for item in said[one.task]]
        assert one.versions == ["Seed queue 1"]
