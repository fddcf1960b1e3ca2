"""Learning masks on a real Label Studio: a U-Net of real radiographs, its rounds, odd regions, a killed training."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from annotating import name_of, served, submit
from image_server import ImageServer
from rq import Worker
from running import Backend, Eventually
from taught import SECONDS, Annotators, Taught, teach
from truth import KINDS_CONFIG, Truth, brush, choice, lung_masks, painted, read_mask, region

from seedqueue.backend import learning, waking
from seedqueue.backend.gathering import gather
from seedqueue.backend.learn import train_head

pytestmark = pytest.mark.slow

EPOCHS = 2
OUTLINES = """
<View>
  <Image name="image" value="$image"/>
  <BrushLabels name="mask" toName="image"><Label value="lung"/></BrushLabels>
  <PolygonLabels name="outline" toName="image"><Label value="lung"/></PolygonLabels>
</View>
""".strip()


@pytest.fixture(scope="module")
def truth(test_data: Path) -> Truth:
    return lung_masks(test_data, 16)


@pytest.fixture(scope="module")
def radiographs(truth: Truth) -> Iterator[ImageServer]:
    with served(truth) as server:
        yield server


@pytest.fixture(scope="module")
def segmenting(make_backend: Callable[..., Backend]) -> Backend:
    return make_backend(epochs=EPOCHS, train_every=2, threads=1, pace_factor=1.0)


@pytest.fixture
def make(segmenting: Backend, radiographs: ImageServer, truth: Truth, annotators: Annotators) -> Callable[..., Taught]:
    """`make(count, budget=...)`: a project over so many images with its seed queue."""
    return lambda count, **choices: teach(segmenting, radiographs, truth, annotators, count, **choices)


@dataclass(frozen=True)
class Segmented:
    """A project after its seed queue. looks: of jobs, since one seed was left; meanwhile: labelled during the first."""

    taught: Taught
    seeds: set[int]
    meanwhile: set[int]
    looks: int


@pytest.fixture(scope="module")
def segmented(
    segmenting: Backend, radiographs: ImageServer, truth: Truth, annotators: Annotators, eventually: Eventually
) -> Segmented:
    """6 seeds and 4 audit tasks labelled, and 2 tasks more while the first training waits for its images."""
    taught = teach(segmenting, radiographs, truth, annotators, budget=6, audit=4, near_duplicate=0)
    seeded = taught.expert.work(taught.before_last_seed)
    taught.still()
    with taught.looks() as count, held_back(radiographs):
        seeded += taught.expert.work(1)
        eventually(lambda: learning.told(segmenting.context, taught.project).progress, SECONDS, "a training")
        left = set(taught.unlabelled())
        audited = taught.expert.answer(left & taught.audit)
        meanwhile = taught.expert.answer(sorted(left - taught.audit)[:2])
        radiographs.gate.set()
        taught.learnt(8)
        looks = count()
    assert len(audited) == 2
    seeds = {one.annotation for one in seeded if one.task in taught.seeds}
    return Segmented(taught, seeds, set(meanwhile.values()), looks)


@contextmanager
def held_back(images: ImageServer) -> Iterator[None]:
    """No image is served until the gate is opened, at the end at the latest."""
    images.gate.clear()
    try:
        yield
    finally:
        images.gate.set()


def test_annotations_during_a_training_cause_exactly_one_more_look(segmented: Segmented) -> None:
    first, second = segmented.taught.versions()
    assert {number for number, _ in first.annotations} == segmented.seeds
    assert {number for number, _ in second.annotations} == segmented.seeds | segmented.meanwhile
    assert (first.name, second.name, second.parent) == ("unet-vgg11-1", "unet-vgg11-2", 1)
    assert segmented.looks == 2


def test_masks_are_judged_on_the_audit_slice(segmented: Segmented) -> None:
    first, second = segmented.taught.versions()
    assert len(first.audit) == 2  # the others are labelled while it trains
    assert set(second.audit) == segmented.taught.audit
    assert len(second.audit) == 4
    assert (first.held_out, second.held_out) == ("audit slice", "audit slice")
    assert second.primary["name"] == "macro DSC over 1 class"
    assert 0 < second.primary["value"] <= 1
    assert second.difference is not None
    assert second.difference["n"] == 2


def sizes(taught: Taught, items: list[dict[str, Any]], task: int) -> set[tuple[int, int]]:
    """The sizes of the masks in a result, which are those of the image; something is painted."""
    data = taught.backend.context.studio.call("GET", f"/api/tasks/{task}/")
    truth = taught.expert.truth
    image = read_mask(truth.images[name_of(data)])
    assert items
    for item in items:
        assert (item["from_name"], item["type"], item["value"]["brushlabels"]) == ("mask", "brushlabels", ["lung"])
        assert painted(item).any()
    return {painted(item).shape for item in items} | {image.shape}


def test_pre_annotations_are_brush_masks_of_the_images_size(segmented: Segmented) -> None:
    taught = segmented.taught
    [name] = taught.serving()
    tasks = taught.unlabelled()[:2]
    for task, [prediction] in zip(tasks, taught.predict(*tasks), strict=True):
        assert prediction["model_version"] == name
        assert len(sizes(taught, prediction["result"], task)) == 1
    assert taught.predict(min(taught.audit)) == [[]]
    [shown] = taught.expert.work(1)
    assert shown.versions == [name]
    assert len(sizes(taught, shown.shown[0], shown.task)) == 1


def test_the_next_round_goes_by_the_masks_entropy(segmented: Segmented) -> None:
    taught, records = segmented.taught, segmented.taught.backend.context.records
    head = taught.serving()
    answer = taught.backend.post(f"/api/projects/{taught.project}/round", {"budget": 2})
    run = records.run(taught.project, answer.json()["number"])
    assert run is not None
    run = taught.backend.ended(run)
    assert (run.state, run.choices.selector, [run.head]) == ("published", "pixel-entropy", head), run.error
    queue = [one.task for one in records.queue(taught.project, run.number)]
    assert [one.task for one in taught.expert.work(2)] == queue
    taught.still()


def self_crossing() -> list[list[float]]:
    """A figure of eight."""
    return [[10, 10], [90, 90], [90, 10], [10, 90]]


@pytest.mark.soak
def test_odd_regions_are_left_out_and_the_rest_is_learnt(make: Callable[..., Taught]) -> None:
    taught = make(8, budget=7)
    taught.backend.context.studio.call("PATCH", f"/api/projects/{taught.project}", json={"label_config": OUTLINES})
    studio = taught.expert.annotator.studio

    def polygon(points: list[list[float]]) -> list[dict[str, Any]]:
        return [region((100, 100), "polygon", "lung", {"points": points, "closed": True}) | {"from_name": "outline"}]

    odd = {
        "another size": brush(np.ones((40, 200), dtype=bool)),
        "empty rle": [region((100, 100), "brush", "lung", {"format": "rle", "rle": []})],
        "two points": polygon([[10, 10], [90, 90]]),
        "self-crossing": polygon(self_crossing()),
    }
    numbers = {
        name: submit(studio, task, result) for (name, result), task in zip(odd.items(), taught.seeds, strict=False)
    }
    whole = taught.expert.answer(taught.seeds[4:])
    version = taught.learnt(4)
    usable = {*whole.values(), numbers["self-crossing"]}
    assert usable <= {number for number, _ in version.annotations}
    assert version.labels == 4
    assert taught.serving() == ["unet-vgg11-1"]
    reasons = {one.annotation: one.reason for one in learning.overview(taught.backend.context, taught.project).problems}
    assert "empty" in reasons[numbers["empty rle"]]
    assert "2 points" in reasons[numbers["two points"]]


@pytest.mark.soak
def test_annotations_deleted_during_a_training(make: Callable[..., Taught]) -> None:
    taught = make(5, budget=4)
    annotations = taught.expert.answer(taught.seeds[:3])
    context, studio = taught.backend.context, taught.expert.annotator.studio
    run = context.records.published_run(taught.project)
    assert run is not None

    def delete(progress: object) -> None:
        while annotations:
            studio.call("DELETE", f"/api/annotations/{annotations.popitem()[1]}/")

    version = train_head(context, run, gather(context, taught.project), "unet-vgg11", delete)
    assert annotations == {}
    assert (version.labels, version.audited) == (3, False)
    assert taught.train().startswith("failed: There is nothing to train")
    assert taught.serving() == ["unet-vgg11-1"]
    [[prediction]] = taught.predict(taught.seeds[0])
    assert prediction["model_version"] == "unet-vgg11-1"


@pytest.mark.soak
def test_a_config_that_changes_from_classes_to_masks(
    segmenting: Backend, radiographs: ImageServer, truth: Truth, annotators: Annotators
) -> None:
    kinds = Truth(KINDS_CONFIG, truth.images, lambda name: choice("normal" if name < "m" else "benign"))
    taught = teach(segmenting, radiographs, kinds, annotators, 5, budget=3)
    studio = taught.expert.annotator.studio
    answered = taught.expert.work(3)
    assert taught.learnt(3).name == "linear-1"
    for one in answered:
        studio.call("DELETE", f"/api/annotations/{one.annotation}/")
    taught.backend.context.studio.call(
        "PATCH", f"/api/projects/{taught.project}", json={"label_config": truth.label_config}
    )
    assert "0 labelled tasks for unet-vgg11" in taught.train()
    assert taught.predict(taught.seeds[0]) == [[]]
    taught.expert.truth = truth
    taught.expert.answer(taught.seeds)
    assert taught.learnt(3, number=2).name == "unet-vgg11-2"
    assert taught.serving() == ["linear-1", "unet-vgg11-2"]
    [[prediction]] = taught.predict(taught.seeds[0])
    assert {item["type"] for item in prediction["result"]} == {"brushlabels"}


@pytest.mark.soak
def test_a_killed_training_that_was_asked_for_is_taken_up_where_it_was(
    make: Callable[..., Taught], eventually: Eventually
) -> None:
    taught = make(6, budget=5)
    taught.expert.answer(taught.seeds[:4])  # one seed is left: only who asks gets a training
    taught.still()
    assert taught.backend.post(f"/api/projects/{taught.project}/train").status_code == 202
    broker = taught.backend.context.broker

    def epoch() -> int:
        found = broker.noted(waking.progress_name(taught.project))
        return int(found["epoch"]) if found else 0

    eventually(epoch, SECONDS, "the first epoch")
    [learner] = [one for one in Worker.all(queue=broker.queue("learn")) if one.get_current_job() is not None]
    assert learner.pid is not None
    os.kill(learner.pid, signal.SIGKILL)
    epochs = [epoch()]
    assert taught.versions() == []

    def ended() -> bool:
        if (now := epoch()) != epochs[-1]:
            epochs.append(now)
        return bool(taught.versions())

    eventually(ended, SECONDS, "the version of the killed training")
    assert epochs[:3] == [1, 0, 2]  # 0: taken up; the first epoch is not repeated
    assert taught.versions()[0].labels == 4
