"""The sharing of units among workers: what is kept, what is told, and that nobody waits for ever."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import drawn_pools
import pytest

from seedqueue.backend import experiment_jobs, experiment_workers
from seedqueue.backend.broker import Broker
from seedqueue.backend.errors import ExperimentFailed
from seedqueue.backend.experiment_jobs import unit_json
from seedqueue.backend.experiment_workers import _Sharing
from seedqueue.experiments.errors import WorkInUse
from seedqueue.experiments.kept import Kept
from seedqueue.experiments.prepared import write_described
from seedqueue.experiments.units import Contexts, Unit, units_of

RUN = "abc"
GRID = drawn_pools.grid()


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """A work folder with one pool and one grid."""
    made = Kept(tmp_path / "work")
    made.make()
    made.keep(RUN, GRID)
    drawn_pools.cloud_pool(made.pool_folder(GRID.pools[0], GRID))
    return made


@pytest.fixture
def contexts(kept: Kept) -> Contexts:
    return Contexts(GRID, kept.pools(GRID))


def unit_of(kept: Kept, arm: str) -> Unit:
    return next(unit for unit in units_of(GRID, kept.pools(GRID)) if unit.arm == arm)


def test_a_job_keeps_the_cells_of_its_unit_and_is_not_done_twice(kept: Kept, contexts: Contexts) -> None:
    unit = unit_of(kept, "kmeans")
    experiment_jobs.measure(str(kept.work), RUN, unit_json(unit), contexts.of(unit))
    file = kept.finished.file(unit, contexts.of(unit))
    assert [cell.budget for cell in kept.finished.cells([unit], contexts)] == [10, 20]
    file.write_text("", encoding="utf-8")
    experiment_jobs.measure(str(kept.work), RUN, unit_json(unit), contexts.of(unit))
    assert file.read_text(encoding="utf-8") == ""


def test_an_error_that_would_come_again_is_kept_in_its_place(kept: Kept, contexts: Contexts) -> None:
    unit = replace(unit_of(kept, "kmeans"), arm="kmeans:pool=500")
    experiment_jobs.measure(str(kept.work), RUN, unit_json(unit), contexts.of(unit))
    assert not kept.finished.has(unit, contexts.of(unit))
    assert "a pool of 500 for a budget of 20" in str(kept.finished.failure(unit, contexts.of(unit)))


def test_a_worker_that_holds_an_older_pool_reads_it_anew(kept: Kept, contexts: Contexts) -> None:
    unit = unit_of(kept, "kmeans")
    experiment_jobs.measure(str(kept.work), RUN, unit_json(unit), contexts.of(unit))
    [pool] = kept.pools(GRID)
    write_described(pool.folder, replace(pool.described, content="other images"))
    now = Contexts(GRID, kept.pools(GRID))
    experiment_jobs.measure(str(kept.work), RUN, unit_json(unit), now.of(unit))
    assert now.of(unit) != contexts.of(unit)
    assert kept.finished.has(unit, now.of(unit))
    experiment_jobs.measure(str(kept.work), RUN, unit_json(unit), "of another version")
    assert "another version" in str(kept.finished.failure(unit, "of another version"))


def sharing(broker: Broker, kept: Kept, contexts: Contexts, watch: object) -> _Sharing:
    return _Sharing(broker, kept, RUN, contexts, watch)  # type: ignore[arg-type]


def test_units_are_waited_for_until_each_is_measured_or_failed(broker: Broker, kept: Kept, contexts: Contexts) -> None:
    """The worker is this process: at each look it does the job that waits longest."""
    units = units_of(GRID, kept.pools(GRID))
    waiting = [*units[1:], replace(units[0], arm="kmeans:pool=500")]
    queue = list(waiting)
    seen: list[int] = []

    def work() -> None:
        if queue:
            unit = queue.pop(0)
            experiment_jobs.measure(str(kept.work), RUN, unit_json(unit), contexts.of(unit))

    sharing(broker, kept, contexts, work).share(waiting, lambda done, total: seen.append(done))
    assert queue == []
    assert seen == sorted(seen)
    assert (seen[0], seen[-1]) == (0, len(waiting))
    assert sum(kept.finished.has(unit, contexts.of(unit)) for unit in waiting) == len(waiting) - 1


def test_nobody_waits_for_jobs_that_are_gone(
    broker: Broker, kept: Kept, contexts: Contexts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where Redis was lost, or a worker of another version kept its cells under another name."""
    monkeypatch.setattr(experiment_workers, "IDLE_POLLS", 1)
    units = units_of(GRID, kept.pools(GRID))
    asked = sharing(broker, kept, contexts, lambda: broker.cancel(f"experiment-{RUN}-"))
    with pytest.raises(ExperimentFailed, match=f"{len(units)} of {len(units)} units could not be measured"):
        asked.share(units, lambda done, total: None)


def test_two_commands_of_one_grid_are_not_at_it_at_once(kept: Kept) -> None:
    with kept.alone(RUN), kept.alone("other"), pytest.raises(WorkInUse, match=str(kept.work)), kept.alone(RUN):
        pass
    with kept.alone(RUN):
        pass
