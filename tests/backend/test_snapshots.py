"""A run's pool, kept in shards."""

from pathlib import Path

import pytest

from seedqueue.backend.pool import PoolTask
from seedqueue.backend.snapshots import NO_SHARD, Snapshots
from seedqueue.backend.tables import Home

POOL = [PoolTask(1, "/a.png", False), PoolTask(2, "/it's.png", True), PoolTask(3, "", False), PoolTask(4, "/d", False)]
SHARDS = [0, NO_SHARD, 1, 0]


@pytest.fixture
def snapshots(tmp_path: Path) -> Snapshots:
    return Snapshots(Home(tmp_path), "http://ls")


def test_a_pool_and_its_shards_come_back(snapshots: Snapshots) -> None:
    assert snapshots.pool(1, 1) == []
    snapshots.save(1, 1, POOL, SHARDS)
    assert sorted(snapshots.pool(1, 1), key=lambda task: task.task) == POOL
    assert sorted(task.task for task in snapshots.pool(1, 1, 0)) == [1, 4]
    assert snapshots.pool(1, 1, 1) == [POOL[2]]
    assert snapshots.pool(1, 1, 2) == []


def test_saving_again_replaces(snapshots: Snapshots) -> None:
    snapshots.save(1, 1, POOL, SHARDS)
    snapshots.save(1, 1, POOL[:1], [0])
    assert snapshots.pool(1, 1) == POOL[:1]


def test_runs_projects_and_instances_do_not_mix(snapshots: Snapshots) -> None:
    other = Snapshots(snapshots.home, "http://ls|1")
    for keeper, project, number, task in ((snapshots, 1, 1, 0), (snapshots, 1, 11, 1), (snapshots, 11, 1, 2)):
        keeper.save(project, number, [POOL[task]], [0])
    other.save(1, 1, [POOL[3]], [0])
    snapshots.drop(1, 1)
    assert snapshots.pool(1, 1) == []
    assert snapshots.pool(1, 11) == [POOL[1]]
    assert snapshots.pool(11, 1) == [POOL[2]]
    assert other.pool(1, 1) == [POOL[3]]


def test_an_empty_pool(snapshots: Snapshots) -> None:
    snapshots.save(1, 1, [], [])
    assert snapshots.pool(1, 1) == []
