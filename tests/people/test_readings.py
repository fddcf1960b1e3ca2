from __future__ import annotations

from typing import Any

from readers import Readers

from seedqueue.backend.people.disagreements import disagreements_of
from seedqueue.backend.people.pseudonyms import pseudonyms
from seedqueue.backend.people.readings import readings_from


def test_the_newest_reading_of_each_counts_and_skips_are_none(task: Any, readers: Readers) -> None:
    found = readings_from(
        [
            task(1, (7, "yes", False, 8), (8, "no", False, 9), (7, "no", False, 10)),
            task(2, (7, "yes", False, 8), (8, "skip", False, 9)),
            task(3, (None, "yes", False, 8), (None, "no", False, 9)),
        ],
        readers.one,
    )
    assert [one.task for one in found.shared] == [1]
    assert [one.annotator for one in found.shared[0].rated] == ["8", "7"]  # in the order of what counts
    assert {one.annotator: one.classes for one in found.shared[0].rated} == dict.fromkeys("78", (False, True, False))
    assert (found.annotated, found.readers, found.annotators) == (2, ("7", "8"), ("7", "8"))


def test_who_only_settles_what_others_read_is_no_reader(task: Any, readers: Readers) -> None:
    found = readings_from(
        [
            task(1, (7, "yes", False, 8), (8, "no", False, 9), (9, "no", True, 10)),
            task(2, (7, "yes", True, 8), (8, "yes", False, 9)),  # somebody's reading that was found right
            task(3, (7, "no", False, 8), (8, "yes", False, 9), (7, "yes", True, 10)),
        ],
        readers.one,
    )
    assert found.adjudicators == ("9",)
    assert [[one.annotator for one in each.rated] for each in found.shared] == [["7", "8"]] * 3
    assert [each.settled for each in found.shared] == [True, True, True]
    assert found.shared[2].rated[0].classes == (False, True, False)  # what was said before it was settled


def test_patients_are_groups(task: Any, readers: Readers) -> None:
    tasks = [task(1, (7, "yes", False, 8), (8, "no", False, 9), patient="p"), task(2, (7, "no", False, 8))]
    assert readings_from(tasks, readers.one, "patient").shared[0].group == "p"
    assert readings_from(tasks, readers.one).shared[0].group == "task 1"
    common = [task(n, (7, "yes", False, 8), (8, "no", False, 9), patient=f"p{n % 2}") for n in (1, 2, 3)]
    assert [readings_from(common, readers.one, field).patients for field in ("patient", "")] == [2, 3]


def test_disagreements_come_worst_first_and_settled_ones_not(task: Any, readers: Readers) -> None:
    tasks = [
        task(1, (7, "yes", False, 8), (8, "yes", False, 9), (9, "no", False, 10)),
        task(2, (7, "yes", False, 8), (8, "no", False, 9), (9, "unsure", False, 10)),
        task(3, (7, "yes", False, 8), (8, "yes", False, 9)),
        task(4, (7, "yes", False, 8), (8, "no", False, 9), (7, "no", True, 10)),
    ]
    found = disagreements_of(readings_from(tasks, readers.one).shared, readers.one)
    assert [(one.task, one.said) for one in found] == [(2, "1 x yes, 1 x no, 1 x unsure"), (1, "2 x yes, 1 x no")]
    assert [one.agreement for one in found] == [0, 1 / 3]


def test_masks_that_overlap_little_are_a_disagreement(readers: Readers) -> None:
    tasks = readers.drawn([[(0, 50), (0, 50), None, (0, 50)], [(25, 75), (5, 55), None, None]])
    found = disagreements_of(tasks, readers.masks)
    assert [(one.task, one.said) for one in found] == [(3, "lung: DSC 0.00"), (0, "lung: DSC 0.50")]
    assert len(disagreements_of(tasks, readers.masks, least_dice=0.95)) == 3


def test_pseudonyms_tell_neither_names_nor_numbers() -> None:
    people = [str(number) for number in range(30)]
    found = pseudonyms(people, "studio 1")
    assert sorted(found.values()) == sorted({*found.values()})
    assert {"annotator A", "annotator Z", "annotator AA", "annotator AD"} <= set(found.values())
    assert found == pseudonyms(reversed(people), "studio 1")
    assert [one for one in people if found[one] == pseudonyms(people, "studio 2")[one]] != people
    by_letter = sorted(people, key=lambda one: (len(found[one]), found[one]))
    assert by_letter not in (people, people[::-1])
