"""Splits: by patient, by bytes, the audit slice in test, and nobody moves when images come."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from seedqueue.backend.export.choices import ExportChoices, parse_splits
from seedqueue.backend.export.errors import SplitsUnusable
from seedqueue.backend.export.splits import Member, Place, places, split_of

SPLITS = ExportChoices().splits


def members(count: int, patients: int = 0) -> list[Member]:
    return [
        Member(task, f"p{task % patients}" if patients else "", f"hash {task}", False) for task in range(1, 1 + count)
    ]


def placed(given: list[Member], seed: int = 0) -> dict[int, Place]:
    return places(given, SPLITS, seed)


def test_shares_are_read_in_their_order() -> None:
    assert parse_splits("train=70,val=15,test=15") == SPLITS
    assert parse_splits(" a = 62.5, b=37.5") == (("a", 62.5), ("b", 37.5))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("train=70,val=15", "sum to 85"),
        ("train=70,train=30", "'train' stands there twice"),
        ("train", "'train' is not name=percent"),
        ("tr/ain=100", "is not name=percent"),
        ("train=-1,test=101", "is not name=percent"),
        ("train=nan,test=100", "is not name=percent"),
        ("", "is not name=percent"),
    ],
)
def test_shares_that_cannot_be_used_are_named(text: str, reason: str) -> None:
    with pytest.raises(SplitsUnusable, match=reason):
        parse_splits(text)


def test_images_of_one_patient_stay_together_and_shares_are_about_right() -> None:
    found = placed(members(6000, patients=2000))
    of_patient: dict[str, set[str]] = {}
    for one in members(6000, patients=2000):
        of_patient.setdefault(one.patient, set()).add(found[one.task].split)
    assert all(len(splits) == 1 for splits in of_patient.values())
    shares = Counter(place.split for place in found.values())
    assert {name: round(number / 60) for name, number in shares.items()} == pytest.approx(
        {"train": 70, "val": 15, "test": 15}, abs=3
    )


def test_the_same_bytes_stay_together_and_link_their_patients() -> None:
    given = [
        Member(1, "a", "x", False),
        Member(2, "b", "x", False),
        Member(3, "b", "y", False),
        Member(4, "", "y", False),
    ]
    found = placed(given)
    assert {place.group for place in found.values()} == {"a"}
    assert len({place.split for place in found.values()}) == 1
    assert placed([Member(7, "", "x", False), Member(9, "", "x", False)])[9].group == "task 7"
    apart = placed([Member(7, "", "", False), Member(9, "", "", False)])  # not known is not the same
    assert apart[7].group != apart[9].group


def test_images_that_come_later_move_nobody() -> None:
    early, seeds = members(400, patients=150), range(3)
    late = [*members(1000, patients=300), Member(1001, "", "hash 3", False)]
    late = early + [one for one in late if one.task > 400]
    for seed in seeds:
        before, after = placed(early, seed), placed(late, seed)
        assert {task: after[task] for task in before} == before


def test_order_does_not_matter_and_the_seed_does() -> None:
    given = members(300, patients=100)
    assert placed(given[::-1]) == placed(given)
    assert placed(given, 1) != placed(given, 0)


def test_a_group_with_an_audit_or_locked_task_is_in_test_and_no_other_moves() -> None:
    given = members(300, patients=100)
    trained = next(one for one in given if placed(given)[one.task].split == "train")
    changed = placed([replace(one, apart=one.task == trained.task) for one in given])
    before = placed(given)
    assert {one.patient for one in given if changed[one.task] != before[one.task]} == {trained.patient}
    assert {changed[one.task].split for one in given if one.patient == trained.patient} == {"test"}


def test_the_test_split_is_there_for_them_without_a_share() -> None:
    assert places([Member(1, "a", "", True)], (("train", 100.0),), 0)[1].split == "test"


def test_a_split_without_a_share_gets_nothing() -> None:
    assert {split_of(f"p{n}", (("train", 100.0), ("val", 0.0)), 0) for n in range(500)} == {"train"}
    assert places([], SPLITS, 0) == {}
