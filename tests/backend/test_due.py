"""When a head is trained: at the edges of what is new, what is left and what is asked for."""

from typing import Any

import pytest
from pools import CLASSES, FINGERPRINT, example, gathered, version

from seedqueue.backend.due import LINEAR_EVERY, Labelled, due
from seedqueue.backend.versions import HeadKind, ModelVersion, Stamp

OLD = [(number, "monday") for number in range(10)]


def labelled(stamps: list[Stamp], tasks: int | None = None) -> Labelled:
    return Labelled(len(stamps) if tasks is None else tasks, tuple(stamps), str(sorted(stamps)))


def learnt(stamps: list[Stamp], head: HeadKind = "linear", number: int = 1, **changes: Any) -> ModelVersion:
    return version(number, head, annotations=tuple(stamps), digest=str(sorted(stamps)), classes=CLASSES, **changes)


def is_due(now: Labelled, *versions: ModelVersion, head: HeadKind = "linear", **changes: Any) -> bool:
    given = {
        "classes": CLASSES,
        "kind": "masks" if head == "unet-vgg11" else "single",
        "fingerprint": FINGERPRINT,
        "every": 10,
        "seeds_left": 0,
        "asked": False,
    }
    return due(head, now, versions, **given | changes)


def test_one_labelled_task_is_too_few_whatever_is_asked() -> None:
    assert not is_due(labelled(OLD, tasks=1), asked=True)
    assert is_due(labelled(OLD[:2]), asked=True)


def test_the_first_training_waits_for_the_seeds_unless_asked_for() -> None:
    assert is_due(labelled(OLD))
    assert not is_due(labelled(OLD), seeds_left=1)
    assert is_due(labelled(OLD), seeds_left=1, asked=True)


def test_nothing_new_is_never_due() -> None:
    assert not is_due(labelled(OLD), learnt(OLD))
    assert not is_due(labelled(OLD), learnt(OLD), asked=True)


@pytest.mark.parametrize(("head", "every"), [("linear", LINEAR_EVERY), ("vgg11", 10), ("unet-vgg11", 10)])
def test_so_many_annotations_after_the_last_version(head: HeadKind, every: int) -> None:
    before = learnt(OLD, head)
    new = [(number, "tuesday") for number in range(100, 100 + every)]
    assert not is_due(labelled(OLD + new[:-1]), before, head=head)
    assert is_due(labelled(OLD + new), before, head=head)
    assert is_due(labelled(OLD + new[:1]), before, head=head, asked=True)


def test_what_came_went_or_was_edited_counts_alike() -> None:
    before = learnt(OLD)
    assert not is_due(labelled(OLD[1:]), before)
    assert is_due(labelled(OLD[2:]), before)
    edited = [(number, "tuesday") for number, _ in OLD[:2]]
    assert not is_due(labelled(edited[:1] + OLD[1:]), before)
    assert is_due(labelled(edited + OLD[2:]), before)
    assert is_due(labelled([*OLD[1:], (50, "tuesday")]), before)


def test_the_last_version_of_the_same_head_counts() -> None:
    first, other, third = learnt(OLD[:2]), learnt(OLD, "vgg11", 2), learnt(OLD, number=3)
    assert is_due(labelled(OLD), first, other)
    assert not is_due(labelled(OLD), first, other, third)


def test_another_embedder_or_label_config_makes_the_last_version_void() -> None:
    assert is_due(labelled(OLD), learnt(OLD), fingerprint="another")
    assert is_due(labelled(OLD), learnt(OLD), classes=(*CLASSES, "yak"))
    assert not is_due(labelled(OLD), learnt(OLD, "vgg11"), head="vgg11", fingerprint="another")


def test_the_digest_changes_when_an_annotation_is_edited_and_not_with_the_order() -> None:
    tasks = [example(1), example(2)]
    before = gathered(tasks).labelled("classes")
    assert gathered(reversed(tasks)).labelled("classes") == before
    assert before.tasks == 2
    edited = gathered([tasks[0], example(2, updated=("2026-11-02",))]).labelled("classes")
    assert edited.digest != before.digest
    assert gathered(tasks[:1]).labelled("classes").digest != before.digest
    assert gathered(tasks).labelled("masks").tasks == 0


def test_several_choices_in_place_of_one_are_another_task() -> None:
    assert is_due(labelled(OLD), learnt(OLD), kind="multi")
