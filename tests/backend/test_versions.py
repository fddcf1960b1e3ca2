"""Versions: immutable, the pointer last, back and forth, and two trainings at once."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from object_store import open_home
from pools import version

from seedqueue.backend.learning_errors import NoSuchVersion
from seedqueue.backend.records import Records
from seedqueue.backend.versions import Versions, last_of, name_of


@pytest.fixture
def records(place: Path | str) -> Records:
    return Records(open_home(place), "http://ls")


@pytest.fixture
def versions(records: Records) -> Versions:
    return Versions(records)


@pytest.fixture
def served(tmp_path: Path) -> Versions:
    """Versions 1 to 4 of a linear head, each promoted."""
    found = Versions(Records(open_home(tmp_path), "http://ls"))
    for number in range(1, 5):
        found.save(version(number))
        found.promote(version(number))
    return found


def serving(versions: Versions) -> int:
    return versions.serving(1)["classes"].number


def back(versions: Versions) -> int | None:
    earlier = versions.earlier(1, "classes")
    if earlier is not None:
        versions.promote(earlier, back=True)
    return serving(versions) if earlier else None


def test_nothing_yet(versions: Versions) -> None:
    assert versions.all() == []
    assert versions.serving(1) == {}
    assert versions.next_number(1) == 1
    assert versions.earlier(1, "classes") is None
    with pytest.raises(NoSuchVersion, match="Project 1 has no version 3; it has: none"):
        versions.get(1, 3)


def test_a_version_comes_back_as_it_was_saved(versions: Versions) -> None:
    saved = version(
        1,
        classes=("ü", "b'c"),
        audit=(5, 6),
        held_out="audit slice",
        figures={"macro": {"auprc": None}},
        signal={"best_f1": [0.5]},
        primary={"name": "AUPRC", "value": 0.7},
        difference={"value": 0.1},
        threshold=(0.5, 0.25),
        prior=(0.5, 0.5),
        target=(0.2, 0.8),
        verdict="the first",
    )
    versions.save(saved)
    assert versions.get(1, 1) == saved
    assert (saved.name, saved.family, saved.audited) == ("linear-1", "classes", True)


def test_it_does_not_serve_before_it_is_promoted(versions: Versions) -> None:
    versions.save(version(1))
    assert versions.serving(1) == {}
    versions.promote(version(1))
    versions.save(version(2))  # and here its training is killed
    assert [(one.number, one.promoted) for one in versions.all(1)] == [(1, True), (2, False)]
    assert versions.serving(1) == {"classes": replace(version(1), promoted=True)}
    assert versions.next_number(1) == 3


def test_two_families_have_two_pointers_and_one_name(versions: Versions) -> None:
    for one in (version(1), version(2, "unet-vgg11"), version(3, "vgg11"), version(1, project=2)):
        versions.save(one)
        versions.promote(one)
    assert name_of(versions.serving(1)) == "vgg11-3+unet-vgg11-2"
    assert name_of(versions.serving(2)) == "linear-1"
    assert [one.name for one in versions.all(1) if one.promoted] == ["unet-vgg11-2", "vgg11-3"]
    assert [(one.project, one.number) for one in versions.all()] == [(1, 1), (1, 2), (1, 3), (2, 1)]
    last = last_of(versions.all(1), "linear")
    assert last is not None
    assert last.number == 1


def test_what_heads_have_said_is_told_from_what_others_have(versions: Versions) -> None:
    versions.save(version(1))
    versions.save(replace(version(2), head="unet-vgg11"))
    stored = {"linear-1": 5, "linear-1+unet-vgg11-2": 4, "linear-1+other-2": 3, "linear-10": 2, "": 1, None: 1}
    assert versions.said(1, stored) == {"linear-1", "linear-1+unet-vgg11-2"}  # type: ignore[arg-type]


def test_two_instances_do_not_mix(records: Records, versions: Versions, place: Path | str) -> None:
    versions.save(version(1))
    versions.promote(version(1))
    assert Versions(Records(open_home(place), "http://other")).serving(1) == {}


def test_rolling_back_goes_on_until_the_first(served: Versions) -> None:
    assert [back(served) for _ in range(4)] == [3, 2, 1, None]
    assert serving(served) == 1


def test_after_rolling_back_new_versions_stand_upon_what_served(served: Versions) -> None:
    assert [back(served), back(served)] == [3, 2]
    served.save(version(5))
    served.promote(version(5))
    assert [back(served), back(served), back(served)] == [2, 1, None]


def test_an_old_version_promoted_by_hand_leads_back_to_what_served_then(served: Versions) -> None:
    served.promote(version(1))
    assert serving(served) == 1
    assert [back(served), back(served)] == [4, 3]


def test_promoting_what_serves_changes_nothing(served: Versions) -> None:
    served.promote(version(4))
    assert [back(served), back(served)] == [3, 2]


def test_two_people_roll_back_at_once(served: Versions) -> None:
    for _ in range(2):
        served.promote(version(3), back=True)
    assert serving(served) == 3
    assert back(served) == 2


def test_pointers_that_were_written_before_there_was_a_way_back(versions: Versions, records: Records) -> None:
    for number in (1, 2):
        versions.save(version(number))
        records.append("promoted", 1, number, {"family": "classes"})
    assert back(versions) == 1


def test_two_trainings_that_take_one_number_leave_one_whole_version(versions: Versions) -> None:
    # The lock of the project keeps them apart; this is what is left where Redis lost it.
    for weights in ("first", "second"):
        versions.save(version(1, weights=weights))
        versions.promote(version(1, weights=weights))
    assert [one.weights for one in versions.all(1)] == ["second"]
    assert versions.serving(1)["classes"].weights == "second"
    assert versions.next_number(1) == 2
    assert versions.earlier(1, "classes") is None


def test_the_revision_of_the_records_moves_with_every_row(records: Records, versions: Versions) -> None:
    steps: list[Callable[[], None]] = [lambda: versions.save(version(1)), lambda: versions.promote(version(1))]
    seen = [records.revision()]
    for step in steps:
        step()
        seen.append(records.revision())
    assert seen == sorted(set(seen))
    assert records.revision() == seen[-1]
