from __future__ import annotations

from pathlib import Path

import pytest

from seedqueue.backend import audit
from seedqueue.backend.locked import Locked
from seedqueue.backend.pool import PoolTask
from seedqueue.backend.records import Records
from seedqueue.backend.siblings import siblings, told
from seedqueue.backend.tables import Home


def task(number: int, patient: str = "", labelled: bool = False) -> PoolTask:
    return PoolTask(number, f"{number}.png", labelled, fields={"patient": patient} if patient else {})


def test_others_of_held_out_patients_are_found_and_nobody_else(tmp_path: Path) -> None:
    records = Records(Home(tmp_path / "home"), "http://ls")
    drawn = audit.as_queued(1, "1.png", "a")
    audit.freeze(records, 7, 1, [drawn, audit.as_queued(2, "2.png")])
    Locked(tasks=(3, 4), uris=("3.png", "4.png"), groups=("b", "gone")).save(records, 7)
    pool = [
        *(task(1, "a"), task(2), task(3, "b"), task(4, "c")),  # held out; the list was locked before 4 had its patient
        *(task(5, "a"), task(6, "b"), task(7, "c"), task(8, "gone")),
        *(task(9, "d"), task(10), task(11, "a", labelled=True)),
    ]
    assert siblings(records, 7, pool, "patient") == {5, 6, 7, 8}
    assert siblings(records, 7, pool, "") == siblings(records, 8, pool, "patient") == set()


@pytest.mark.parametrize(("found", "lines"), [(frozenset(), 0), (frozenset({5, 6}), 1)])
def test_a_run_says_how_many(found: frozenset[int], lines: int) -> None:
    said = told(found, "patient")
    assert len(said) == lines
    assert all("2 tasks that share their patient with" in one for one in said)
