"""The waits in production, and that tests may shorten them all at once."""

from __future__ import annotations

from dataclasses import asdict

import pytest

from seedqueue.backend.errors import InvalidSetting
from seedqueue.backend.pace import Pace
from seedqueue.backend.settings import load


def test_the_waits_in_production() -> None:
    assert asdict(load({}).pace) == {
        "reconcile_delay": 2,
        "quiet": 2,
        "longest_wait": 30,
        "pending": 120,
        "after_dry_run": 10,
        "look": 60,
        "listing": 20,
        "lease": 20,
        "heartbeat": 5,
        "sweep": 10,
        "schedule": 1,
        "sign_of_life": 15,
        "redis_away": 2,
        "lock_lease": 30,
        "lock_wait": 300,
        "tidy": 10,
        "retries": (1, 5, 30),
        "shortest_pause": 1,
        "longest_pause": 30,
        "patience": 3600,
        "shown_later": 10,
        "fresh": 1,
    }


def test_all_waits_are_shortened_alike() -> None:
    short, usual = asdict(load({"SEEDQUEUE_PACE": "0.25"}).pace), asdict(Pace())
    assert short.pop("retries") == (0.25, 1.25, 7.5)
    assert short == {name: wait / 4 for name, wait in usual.items() if name != "retries"}


@pytest.mark.parametrize("factor", ["0", "-1", "nan"])
def test_no_pace_without_waits(factor: str) -> None:
    with pytest.raises(InvalidSetting, match="SEEDQUEUE_PACE"):
        load({"SEEDQUEUE_PACE": factor})
