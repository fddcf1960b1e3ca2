"""What the model card's version text says before anything was learnt, and that the head's name alone follows."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from pools import published, version

from seedqueue.backend import card, progress, triggers, waking
from seedqueue.backend.card import LONGEST, Moment, Recorded, words
from seedqueue.backend.context import Context
from seedqueue.backend.events import parse
from seedqueue.backend.progress import Progress
from seedqueue.backend.records import Choices, Run, State
from seedqueue.backend.settings import Settings
from seedqueue.backend.trained import TrainedHeads

CHOICES = Choices(8, "hog", "kmeans", 0)


DRY = replace(CHOICES, dry_run=True)


def run(state: State, number: int = 1, choices: Choices = CHOICES, **changes: Any) -> Run:
    return Run(1, number, state, choices, **changes)


STANDING = run("published")


@pytest.mark.parametrize(
    ("known", "now", "expected"),
    [
        (Recorded(), Moment(), "untrained"),
        (Recorded(), Moment(asked=True), "Start Training was received"),
        (Recorded(run("requested")), Moment(asked=True), "seed queue 1: listing the images"),
        (Recorded(run("embedding", embedded=780)), Moment(), "seed queue 1: embedding 780 images"),
        (
            Recorded(run("embedding", 2, embedded=780), STANDING),
            Moment(Progress(780, 120)),
            "seed queue 2: embedding 120 of 780",
        ),
        (Recorded(run("selecting")), Moment(), "seed queue 1: choosing"),
        (Recorded(run("publishing")), Moment(), "seed queue 1: being put in place"),
        (
            Recorded(run("failed", error="No weights.\nFetch them.")),
            Moment(),
            "seed queue 1 failed: No weights. Fetch them.",
        ),
        (Recorded(run("chosen")), Moment(), "seed queue 1 is chosen and not yet in place"),
        (Recorded(run("chosen", 2), STANDING), Moment(), "seed queue 1 is in place, nothing trained yet"),
        (Recorded(STANDING, STANDING), Moment(), "seed queue 1 is in place, nothing trained yet"),
        (Recorded(STANDING, STANDING), Moment(asked=True), "Start Training was received"),
        (Recorded(run("undone", 2)), Moment(), "untrained"),
        (  # the queue stands as before
            Recorded(run("failed", 2, error="it was stopped", choices=DRY), STANDING),
            Moment(),
            "seed queue 1 is in place, nothing trained yet",
        ),
        (Recorded(run("failed", error="it was stopped", choices=DRY)), Moment(), "dry run 1 failed: it was stopped"),
        (Recorded(run("selecting", 2, choices=DRY), STANDING), Moment(), "dry run 2: choosing"),
        (
            Recorded(STANDING, STANDING),
            Moment(training={"head": "unet-vgg11", "epoch": 3, "epochs": 60}, asked=True),
            "learning: unet-vgg11, epoch 3 of 60",
        ),
        (
            Recorded(STANDING, STANDING),
            Moment(training={"head": "linear", "epoch": 0, "epochs": 0}),
            "learning: linear",
        ),
        (
            Recorded(STANDING, STANDING, {"outcome": "failed", "message": "Nothing to train.", "run": 1}),
            Moment(),
            "learning failed: Nothing to train.",
        ),
        (  # of an earlier queue
            Recorded(run("published", 3), run("published", 3), {"outcome": "failed", "message": "Old.", "run": 1}),
            Moment(),
            "seed queue 3 is in place, nothing trained yet",
        ),
    ],
)
def test_words(known: Recorded, now: Moment, expected: str) -> None:
    assert words(known, now) == expected


def test_a_long_reason_is_cut() -> None:
    assert len(words(Recorded(run("failed", error="x" * 1000)), Moment())) == LONGEST


@pytest.fixture
def context(redis_url: str, nobody: str, tmp_path: Path) -> Iterator[Context]:
    url = f"http://{nobody}/{uuid.uuid4().hex}"
    with Context(
        Settings(label_studio_url=url, label_studio_api_key="a" * 40, redis_url=redis_url, home=tmp_path / "home")
    ) as opened:
        yield opened


@pytest.fixture
def heads(context: Context) -> TrainedHeads:
    context.pace = replace(context.pace, fresh=-1.0)
    return TrainedHeads(context)


def test_start_training_is_seen_at_once_and_until_its_job_has_begun(context: Context, heads: TrainedHeads) -> None:
    event = parse({"action": "START_TRAINING", "project": {"id": 1}})
    assert triggers.receive(context, event) == "enqueued"
    assert "project 1 was received" in triggers.told(context, event)["message"]
    assert heads.version(1) == "Start Training was received"
    assert heads.version(2) == "untrained"
    waking.taken_up(context.broker, 1)
    assert heads.version(1) == "untrained"


def test_progress_follows_redis_and_the_records(context: Context, heads: TrainedHeads) -> None:
    asked = run("embedding", embedded=20)
    context.records.save_run(asked)
    assert heads.version(1) == "seed queue 1: embedding 20 images"
    progress.start(context.broker, "1-1", 20)
    progress.advance(context.broker, "1-1", 7)
    assert heads.version(1) == "seed queue 1: embedding 7 of 20"
    context.records.save_run(replace(asked, state="failed", error="The disk is full."))
    assert heads.version(1) == "seed queue 1 failed: The disk is full."


def test_once_a_head_serves_its_name_alone_is_told(context: Context, heads: TrainedHeads) -> None:
    published(context)
    context.versions.save(version(1))
    assert heads.version(1) == "seed queue 1 is in place, nothing trained yet"
    context.versions.promote(version(1))
    context.broker.note(waking.progress_name(1), {"head": "linear", "epoch": 1, "epochs": 2}, 60)
    waking.press(context.broker, 1)
    waking.ask(context.broker, 1)
    context.records.save_run(run("embedding", 2))
    context.records.append("learning", 1, 0, {"outcome": "failed", "message": "No.", "at": "", "run": 1})
    assert heads.version(1) == "linear-1"


def test_without_redis_the_card_is_poorer_and_quick(tmp_path: Path, nobody: str) -> None:
    """Label Studio waits 3 s for /setup, and asks it before each task that it serves."""
    settings = Settings(
        label_studio_url="http://127.0.0.1:1",
        label_studio_api_key="a" * 40,
        redis_url=f"redis://{nobody}",
        home=tmp_path / "home",
    )
    with Context(settings) as opened:
        context_run = run("embedding", embedded=20)
        opened.records.save_run(context_run)
        began = time.monotonic()
        assert TrainedHeads(opened).version(1) == "seed queue 1: embedding 20 images"
        assert time.monotonic() - began < 2
        assert card.moment(opened.broker, 1, context_run) == Moment()
