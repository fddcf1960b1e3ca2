"""A home with the records of one whole study, planted row by row; numbers are unlike one another on purpose."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from seedqueue.backend import records as records_module
from seedqueue.backend.context import Context
from seedqueue.backend.locked import Locked
from seedqueue.backend.methods.recorded import Recorded, read
from seedqueue.backend.milestones import Agreed, Arrived, Exported, Imported, Measured, Overlap
from seedqueue.backend.records import Choices, QueuedTask, Run, Unreadable
from seedqueue.backend.settings import Settings, variables
from seedqueue.backend.versions import ModelVersion

PROJECT = 7
NOWHERE = "http://127.0.0.1:9"  # the discard port: nobody answers
TASKS = 1187
AUDIT, LOCKED = range(1, 152), range(152, 199)
SEEDS, MORE, SECOND = range(300, 340), range(340, 357), range(400, 423)


@pytest.fixture(autouse=True)
def _no_settings_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, _, _ in variables():
        monkeypatch.delenv(variable, raising=False)


def context_in(folder: Path) -> Context:
    """Label Studio and Redis are away: only the home is there."""
    return Context(
        Settings(
            home=folder / "home",
            weights=folder / "weights",
            label_studio_url=NOWHERE,
            redis_url="redis://127.0.0.1:9/0",
        )
    )


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """A home of its own, without a record."""
    return context_in(tmp_path)


class Clock:
    """A clock that goes on by an hour at every look: rows have dates that a test knows."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 8, tzinfo=UTC)

    def now(self, zone: object) -> datetime:
        self.at += timedelta(hours=1)
        return self.at


@pytest.fixture(scope="session")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Context:
    """A study's whole life: import, three runs, two readers, two models, export, later images. To be read only."""
    context = context_in(tmp_path_factory.mktemp("study"))
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(records_module, "datetime", Clock())
        imported(context)
        selected(context)
        overlap = Overlap(annotators=2, first=10, share=0.1, tasks=tuple(range(300, 329)))
        overlap.save(context.records, PROJECT)
        trained(context)
        for milestone in (agreed(), exported(), arrived()):
            milestone.save(context.records, PROJECT)
    return context


@pytest.fixture(scope="session")
def recorded(planted: Context) -> Recorded:
    return read(planted.records, planted.versions, PROJECT)


def imported(context: Context) -> None:
    first = Imported(
        source="archive_2025",
        files=1212,
        dicom=1203,
        unreadable=tuple((f"IM{at}", "truncated") for at in range(4)),
        repeats=8,
        known=0,
        tasks=1200,
        near=19,
        burned_in=31,
        without_patient=5,
        shared_ids=2,
        patients=873,
        studies=961,
        grey="VOI LUT of the header, else the 1st to 99th percentile",
    )
    first.save(context.records, PROJECT)


def queue(tasks: Sequence[int], audit: Sequence[int] = (), **changes: Any) -> list[QueuedTask]:
    found = [QueuedTask(0, task, f"/{task}.png", 0, 3, **changes) for task in tasks]
    found += [QueuedTask(0, task, f"/{task}.png", -1, 1, audit=True) for task in audit]
    return [replace(one, rank=rank) for rank, one in enumerate(found, start=1)]


def published(context: Context, run: Run, tasks: list[QueuedTask]) -> Run:
    """The rows that a run leaves, from its request to its publication."""
    context.records.save_run(run)
    context.records.save_queue(run, tasks)
    done = run.moved("published")
    context.records.save_run(done)
    return done


def selected(context: Context) -> None:
    choices = Choices(
        40, "txrv:densenet121-res224-all", "kmeans", 17, group_field="patient", near_duplicate=0.97, audit=150
    )
    first = Run(PROJECT, 1, "requested", choices, fingerprint="00aa11bb22cc33dd", tasks=TASKS, unreadable=3)
    context.records.add_unreadable(PROJECT, 1, [Unreadable(900 + at, "/x.png", "HTTP 404") for at in range(3)])
    Locked(tuple(LOCKED), tuple(f"/{task}.png" for task in LOCKED), source="the reading room's test list").save(
        context.records, PROJECT
    )
    context.records.append("audit", PROJECT, 1, [vars(one) for one in queue((), AUDIT)])
    published(context, first, queue(SEEDS, list(AUDIT)[:20]))
    longer = replace(first, number=2, choices=replace(choices, budget=57, extends=1), labelled=11)
    published(context, longer, queue([*SEEDS, *MORE], list(AUDIT)[:28]))
    later = replace(choices, budget=23, selector="uncertainty-herding")
    second = replace(first, number=3, choices=later, labelled=190, head="linear-1")
    published(context, second, queue(SECOND, list(AUDIT)[28:39]))


def figure(value: float, low: float | None = None, high: float | None = None, reason: str = "") -> dict[str, Any]:
    return {"value": value, "low": low, "high": high, "reason": reason, "skipped": 0}


def made(number: int, **changes: Any) -> ModelVersion:
    classes = [
        {
            "name": name,
            "n": 146,
            "positives": positives,
            "threshold": 0.41,
            "caution": caution,
            "prevalence": figure(positives / 146, 0.2, 0.3),
            "auprc": figure(0.713 + number / 100, 0.642, 0.781),
            "auroc": figure(0.866, 0.811, 0.915),
            "sensitivity": figure(0.744, 0.611, 0.871),
            "specificity": figure(0.822, 0.751, 0.887),
            "f1": figure(0.688, 0.577, 0.791),
        }
        for name, positives, caution in (("effusion", 37, ""), ("normal | other", 109, "few groups"))
    ]
    version = ModelVersion(
        project=PROJECT,
        number=number,
        head="linear",
        kind="single",
        classes=("effusion", "normal | other"),
        parent=number - 1 or None,
        embedder="txrv:densenet121-res224-all",
        fingerprint="00aa11bb22cc33dd",
        annotations=((5001, "2026-03-04"),),
        digest="d",
        labels=36 + number,
        per_class=(13, 23 + number),
        random_seed=17,
        weights="ab" * 32,
        code="0.1.0",
        made="2026-03-05T10:11:12+00:00",
        seconds=0.4,
        audit=tuple(AUDIT)[:146],
        held_out="audit slice",
        figures={"n": 146, "groups": 139, "classes": classes, "left_out": []},
        primary={"name": "AUPRC of effusion", **figure(0.713 + number / 100, 0.642, 0.781)},
        difference={**figure(0.031, -0.012, 0.074), "n": 146, "groups": 139} if number > 1 else None,
        threshold=(0.412, 0.588),
        prior=(0.35, 0.65),
        target=(0.256, 0.744),
        promoted=True,
    )
    return replace(version, **changes)


def trained(context: Context) -> None:
    for number in (1, 2):
        context.versions.save(made(number))
        context.versions.promote(made(number))


def agreed() -> Agreed:
    return Agreed(
        tasks=29,
        annotators=2,
        kappa=Measured("kappa", 0.784, 0.622, 0.913, 29),
        dice=None,
        by_class=(Measured("effusion (kappa)", 0.731, 0.518, 0.902, 29),),
        disagreements=6,
        suspects=9,
    )


def exported() -> Exported:
    return Exported(
        images=271,
        labelled=271,
        patients=243,
        splits=(("train", 62, 58), ("validation", 16, 15), ("test", 193, 170)),
        because=(("audit", 146), ("seed", 55), ("round 2", 22), ("locked", 46), ("other", 2)),
        manifest="cd" * 32,
        left_out=(
            (301, "annotation 5117: it holds no label"),
            (302, "annotation 5118: it holds no label"),
            (903, "task: it was skipped"),
        ),
    )


def arrived() -> Arrived:
    return Arrived(
        after=1187,
        new=211,
        old=1187,
        novel=18,
        drifted=(("field view", 0.0312), ("mean intensity", 0.00004)),
        tests=12,
        audit=60,
        holds=True,
        run=4,
        measured=205,
        nearest_to="the nearest labelled image",
    )
