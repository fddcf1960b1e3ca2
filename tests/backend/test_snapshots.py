"""A run's pool, kept in shards."""

from pathlib import Path

import pytest
from object_store import open_home

from seedqueue.backend.pool import PoolTask
from seedqueue.backend.snapshots import NO_SHARD, Snapshots

POOL = [PoolTask(1, "/a.png", False), PoolTask(2, "/it's.png", True), PoolTask(3, "", False), PoolTask(4, "/d", False)]
SHARDS = [0, NO_SHARD, 1, 0]


@pytest.fixture
def snapshots(place: Path | str) -> Snapshots:
    return Snapshots(open_home(place), "http://ls")


def test_a_pool_and_its_shards_come_back(snapshots: Snapshots) -> None:
    assert snapshots.pool(1, 1, "g") == []
    snapshots.save(1, 1, "g", POOL, SHARDS)
    assert sorted(snapshots.pool(1, 1, "g"), key=lambda task: task.task) == POOL
    assert sorted(task.task for task in snapshots.pool(1, 1, "g", 0)) == [1, 4]
    assert snapshots.pool(1, 1, "g", 1) == [POOL[2]]
    assert snapshots.pool(1, 1, "g", 2) == []


def test_a_new_listing_leaves_the_shards_of_the_old_one_alone(snapshots: Snapshots) -> None:
    snapshots.save(1, 1, "old", POOL, SHARDS)
    snapshots.save(1, 1, "new", POOL[:1], [0])
    assert snapshots.pool(1, 1, "new") == POOL[:1]
    assert len(snapshots.pool(1, 1, "old")) == 4
    snapshots.drop(1, 1)
    assert snapshots.pool(1, 1, "new") == snapshots.pool(1, 1, "old") == []


def test_runs_projects_and_instances_do_not_mix(snapshots: Snapshots) -> None:
    other = Snapshots(snapshots.home, "http://ls|1")
    for keeper, project, number, task in ((snapshots, 1, 1, 0), (snapshots, 1, 11, 1), (snapshots, 11, 1, 2)):
        keeper.save(project, number, "g", [POOL[task]], [0])
    other.save(1, 1, "g", [POOL[3]], [0])
    snapshots.drop(1, 1)
    assert snapshots.pool(1, 1, "g") == []
    assert snapshots.pool(1, 11, "g") == [POOL[1]]
    assert snapshots.pool(11, 1, "g") == [POOL[2]]
    assert other.pool(1, 1, "g") == [POOL[3]]


def test_an_empty_pool(snapshots: Snapshots) -> None:
    snapshots.save(1, 1, "g", [], [])
    assert snapshots.pool(1, 1, "g") == []
