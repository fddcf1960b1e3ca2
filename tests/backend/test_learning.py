"""What a person asks of the heads: train, promote, roll back; and the curve that they are shown."""

import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from annotated import CHOICES, config
from pools import (
    embedded,
    example,
    freeze,
    gathered,
    published,
    store,
    trained,
    version,
)

from seedqueue.backend import learning, seeding, waking
from seedqueue.backend.context import Context
from seedqueue.backend.errors import InvalidRequest, NoSeedQueue
from seedqueue.backend.learning_errors import NoSuchVersion, NothingToRollBackTo, NoTrainedHead
from seedqueue.backend.settings import Settings
from seedqueue.backend.versions import HeadKind

HELD_OUT = range(101, 161)


@pytest.fixture
def context(redis_url: str, nobody: str, tmp_path: Path) -> Iterator[Context]:
    """A home and a Redis; there is no Label Studio."""
    url = f"http://{nobody}/{uuid.uuid4().hex}"
    with Context(
        Settings(label_studio_url=url, label_studio_api_key="a" * 40, redis_url=redis_url, home=tmp_path / "home")
    ) as opened:
        yield opened


def serve(context: Context, number: int, head: HeadKind = "linear") -> None:
    context.versions.save(version(number, head))
    context.versions.promote(version(number, head))


def test_a_training_is_asked_for_of_some_head_or_of_all(context: Context) -> None:
    with pytest.raises(NoSeedQueue):
        learning.request_training(context, 1, None)
    published(context)
    wishes: list[tuple[str | None, tuple[str, ...]]] = [(None, ()), ("vgg11", ("vgg11",)), ("", ())]
    for head, expected in wishes:
        learning.request_training(context, 1, head)
        asked = waking.asked(context.broker, 1)
        assert asked is not None
        assert asked.heads == expected
    with pytest.raises(InvalidRequest, match="no head 'resnet'; give one of: linear, vgg11, unet-vgg11"):
        learning.request_training(context, 1, "resnet")


def test_promoting_and_rolling_back(context: Context) -> None:
    for number in (1, 2, 3):
        serve(context, number)
    assert learning.roll_back(context, 1).number == 2
    assert learning.promote(context, 1, 3).promoted
    assert [learning.roll_back(context, 1).number for _ in range(2)] == [2, 1]
    with pytest.raises(NothingToRollBackTo, match="Project 1 had no other version serving its classes"):
        learning.roll_back(context, 1)
    with pytest.raises(NoSuchVersion, match="no version 8; it has: 1, 2, 3"):
        learning.promote(context, 1, 8)
    with pytest.raises(NothingToRollBackTo):
        learning.roll_back(context, 2)


def test_of_two_heads_the_one_that_is_named_is_rolled_back(context: Context) -> None:
    serve(context, 1)
    serve(context, 2, "unet-vgg11")
    serve(context, 3)
    serve(context, 4, "unet-vgg11")
    with pytest.raises(InvalidRequest, match="two heads; name one: classes, masks"):
        learning.roll_back(context, 1)
    assert learning.roll_back(context, 1, "linear").name == "linear-1"
    assert learning.roll_back(context, 1, "masks").name == "unet-vgg11-2"
    assert [one.name for one in learning.told(context, 1).serving] == ["linear-1", "unet-vgg11-2"]
    with pytest.raises(NothingToRollBackTo, match="vgg11"):
        learning.roll_back(context, 1, "vgg11")


def test_what_is_told(context: Context) -> None:
    assert learning.told(context, 1) == learning.Told((), None, None, 0)
    freeze(context, [5, 6])
    context.records.append("learning", 1, 0, {"outcome": "trained", "message": "linear-1"})
    context.records.append("learning", 1, 1, {"outcome": "refreshed", "message": "3 ranks"})
    context.broker.note(waking.progress_name(1), {"head": "vgg11", "epoch": 1}, 60)
    serve(context, 1)
    found = learning.told(context, 1)
    assert (found.audit, found.progress, [one.name for one in found.serving]) == (
        2,
        {"head": "vgg11", "epoch": 1},
        ["linear-1"],
    )
    assert found.last is not None
    assert found.last["message"] == "linear-1"


def test_a_round_needs_a_queue_and_a_head(context: Context) -> None:
    with pytest.raises(NoSeedQueue):
        seeding.request_round(context, 1, {})
    published(context)
    with pytest.raises(NoTrainedHead, match="pixel-entropy"):  # what is usual where no classes are learnt
        seeding.request_round(context, 1, {})
    context.versions.promote(version(1))
    context.versions.save(replace(version(1), fingerprint="another"))
    with pytest.raises(NoTrainedHead, match="uncertainty-herding"):
        seeding.request_round(context, 1, {})
    with pytest.raises(InvalidRequest, match="Unknown choice 'extends'"):
        seeding.request_round(context, 1, {"extends": 1})


def test_the_curve_measures_all_versions_on_what_is_held_out_now(context: Context) -> None:
    store(context, embedded(160, noise=2.0))
    run = published(context)
    freeze(context, HELD_OUT)
    few, all_ = ([example(task) for task in HELD_OUT[:count]] for count in (30, 60))
    for labels in (10, 30, 50, 70):
        trained(context, run, gathered(map(example, range(1, labels + 1)), few))
    made = context.versions.all(1)
    context.versions.save(version(9, "vgg11"))  # a network is no point of the linear head's curve
    found = learning._curve(context, run, gathered(map(example, range(1, 71)), all_), "classes", made)
    assert (found.held_out, found.judged_on, found.metric) == ("audit slice", 60, "macro AUPRC over 3 classes")
    assert [(point.labels, point.version) for point in found.points] == [
        (10, "linear-1"),
        (30, "linear-2"),
        (50, "linear-3"),
        (70, "linear-4"),
    ]
    assert all(point.low is not None and point.low <= point.value for point in found.points)
    assert found.advice.recent is not None
    assert found.advice.recent.n == 60
    assert "The last 20 labels brought" in found.advice.sentence
    assert found.advice.seconds == 20 * 20.0
    again = learning._curve(context, run, gathered(map(example, range(1, 71)), all_), "classes", made)
    assert again == found


def test_without_an_audit_slice_the_curve_says_so(context: Context) -> None:
    store(context, embedded(60))
    run = published(context)
    trained(context, run, gathered(map(example, range(1, 11))))
    found = learning._curve(context, run, gathered(map(example, range(1, 11))), "classes", context.versions.all(1))
    assert (found.held_out, found.judged_on, found.points) == ("", 0, ())
    assert found.advice.verdict == "cannot tell"


def test_a_network_and_a_linear_head_are_two_curves(context: Context) -> None:
    store(context, embedded(160))
    run = published(context)
    freeze(context, HELD_OUT)
    found = gathered(map(example, range(1, 31)), map(example, HELD_OUT))
    first = trained(context, run, found)
    rows = context.records.bodies("held_out", 1, 1)[0][2]
    context.versions.save(version(2, "vgg11", labels=40))
    context.records.append("held_out", 1, 2, rows)
    curve = learning._curve(context, run, found, "classes", context.versions.all(1))
    assert [point.version for point in curve.points] == ["vgg11-2"]
    assert curve.advice.recent is None
    assert first.name == "linear-1"


def test_a_class_that_the_config_gained_leaves_a_curve_without_points(context: Context) -> None:
    store(context, embedded(60))
    run = published(context)
    freeze(context, range(41, 61))
    held_out = [example(task) for task in range(41, 61)]
    trained(context, run, gathered(map(example, range(1, 41)), held_out))
    now = config(CHOICES.format("single").replace("</Choices>", '<Choice value="new"/></Choices>'))
    with_new = [replace(one, classes=(*(one.classes or ()), False)) for one in held_out]
    found = learning._curve(context, run, gathered([], with_new, labelling=now), "classes", context.versions.all(1))
    assert (found.points, found.judged_on, found.held_out) == ((), 0, "")
