"""A home of a million images, stage by stage: what a run does with it beside embedding, its seconds and its memory.

    python tests/proofs/million_home.py --rows 1000000 --budget 1000

Drawn embeddings of 1,024 columns; no Label Studio: the pool is made here. 4 GB of disk for a while.
"""

from __future__ import annotations

import argparse
import hashlib
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from seedqueue.backend import publish
from seedqueue.backend.bench.synthetic import DIMENSIONS, feature_blocks
from seedqueue.backend.choose import choose
from seedqueue.backend.embeddings import SOURCES, Embeddings, Sources, source_key
from seedqueue.backend.pool import PoolTask
from seedqueue.backend.records import Choices, Records, Run
from seedqueue.backend.snapshots import Snapshots
from seedqueue.backend.tables import Home

INSTANCE, SHARD = "http://label-studio.invalid", 256


@contextmanager
def stage(name: str) -> Iterator[None]:
    began, processor = time.monotonic(), time.process_time()
    yield
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    spent, worked = time.monotonic() - began, time.process_time() - processor
    print(f"| {name} | {spent:.1f} | {worked:.1f} | {peak:.2f} |", flush=True)


def key(number: int) -> str:
    return hashlib.sha256(str(number).encode()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--budget", type=int, default=1000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="sq-") as folder:
        home = Home(Path(folder))
        print("| stage | seconds | core-seconds | peak of the process so far, GB |\n| --- | ---: | ---: | ---: |")
        run(home, given.rows, given.budget)


def run(home: Home, rows: int, budget: int) -> None:
    store, sources = Embeddings(home, "drawn", DIMENSIONS), Sources(home)
    with stage("embeddings appended, 16,384 at a time"):
        at = 0
        for block in feature_blocks(rows):
            keys = [key(number) for number in range(at, at + len(block))]
            vectors = pa.FixedSizeListArray.from_arrays(pa.array(block.astype("float16").reshape(-1)), DIMENSIONS)
            schema = pa.schema([("sha256", pa.string()), ("vector", vectors.type)])
            home.table("embeddings-drawn-float16", schema).add(
                pa.Table.from_arrays([pa.array(keys), vectors], schema=schema)
            )
            at += len(block)
    with stage("sources appended"):
        for start in range(0, rows, 100_000):
            numbers = range(start, min(start + 100_000, rows))
            made = {
                "key": [f"{INSTANCE}|1|{n}|/{n}.png" for n in numbers],
                "instance": [INSTANCE] * len(numbers),
                "project": [1] * len(numbers),
                "task": list(numbers),
                "uri": [f"/{n}.png" for n in numbers],
                "sha256": [key(n) for n in numbers],
                "size": [1] * len(numbers),
                "etag": [""] * len(numbers),
            }
            home.table("sources", SOURCES).add(pa.Table.from_pydict(made, schema=SOURCES))
    pool = [PoolTask(n, f"/{n}.png", False) for n in range(rows)]
    with stage("the sources of a project read"):
        known = sources.known(INSTANCE, 1)
    with stage("the keys of all embeddings read"):
        stored = store.stored()
    with stage("what is missing found, shards cut"):
        missing = [task for task in pool if known.get(source_key(task.task, task.uri)) not in stored]
    assert not missing
    del stored
    snapshots = Snapshots(home, INSTANCE)
    with stage("the pool's snapshot written"):
        snapshots.save(1, 1, "g", pool, [n // SHARD for n in range(rows)])
    with stage("one shard of it read"):
        assert len(snapshots.pool(1, 1, "g", rows // SHARD // 2)) == SHARD
    with stage("the whole of it read, as when the last shard is in"):
        assert len(snapshots.pool(1, 1, "g")) == rows
    with stage(f"kmeans, budget {budget}, embeddings read in blocks from the home"):
        queue, _ = choose(pool, known, store, Choices(budget, "drawn", "kmeans", 0))
    assert len(queue) == budget
    with stage("the queue recorded"):
        records = Records(home, INSTANCE)
        records.save_run(Run(1, 1, "published", Choices(budget, "drawn", "kmeans", 0)))
        records.save_queue(Run(1, 1, "published", Choices(budget, "drawn", "kmeans", 0)), queue)
    with stage("ranks and tail scored"):
        ranked = publish.seed_scores([one.task for one in queue])
        tail = publish.tail({task.task for task in pool}.difference(ranked), publish.TAIL)
    assert len(tail) == publish.TAIL


if __name__ == "__main__":
    main()
