"""What is learnt from and what is held out; the rest of it needs a Label Studio and is in tests/flow."""

from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest
from annotated import SINGLE, annotation, choice, task
from object_store import open_home
from pools import BOTH, MASKS, example, gathered

from seedqueue.backend import gathering
from seedqueue.backend.context import Context
from seedqueue.backend.locked import Locked
from seedqueue.backend.records import Records


def test_each_family_learns_from_what_tells_it_something() -> None:
    both, classes = example(1, labelling=BOTH), replace(example(2, labelling=BOTH), masks=None)
    masks = replace(example(3, labelling=BOTH), classes=None)
    found = gathered([masks, classes, both], labelling=BOTH)
    assert [one.task for one in found.of("classes")] == [1, 2]
    assert [one.task for one in found.of("masks")] == [1, 3]
    assert found.labelled("classes").annotations == ((1001, "2026-11-01"), (1002, "2026-11-01"))
    assert found.labelled("masks").tasks == 2


def test_the_audit_slice_is_held_out_before_the_ground_truth() -> None:
    audited, truth = [example(5), example(4)], [example(9)]
    assert gathered([]).held_out("classes") == ("", [])
    assert gathered([], ground_truth=truth).held_out("classes") == ("ground truth", truth)
    assert gathered([], audited, truth).held_out("classes") == ("audit slice", audited[::-1])
    assert gathered([], audited, truth).held_out("masks") == ("", [])
    drawn = [example(7, labelling=MASKS)]
    assert gathered([], audited, drawn).held_out("masks") == ("ground truth", drawn)


def test_the_pace_is_the_median_of_all_that_is_timed() -> None:
    timed = [example(task, seconds=seconds) for task, seconds in ((1, 10.0), (2, None), (3, 0.0), (4, 100.0))]
    assert gathered(timed, [example(5, seconds=30.0)]).seconds_per_label == 30
    assert gathered(timed[1:3]).seconds_per_label is None


def test_patients_of_labelled_locked_tasks_are_not_learnt_from_whatever_the_list_knows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The list was locked before there was a group field: it knows no patients."""
    records = Records(open_home(tmp_path), "http://ls")
    Locked((1,), ("/1.png",)).save(records, 7)
    said = annotation(1, choice("cat"))
    tasks = [task(1, said, patient="p1"), task(2, said, patient="p1"), task(3, said, patient="p2")]
    monkeypatch.setattr(gathering, "labelling_of", lambda studio, project: SINGLE)
    monkeypatch.setattr(gathering, "annotated_tasks", lambda studio, project: tasks)
    context = SimpleNamespace(records=records, studio=None)
    found = gathering.gather(cast(Context, context), 7, "patient")
    assert ([one.task for one in found.training], [one.task for one in found.locked]) == ([3], [1])
