"""One worker, then two, on machines of their own: processes with folders of their own, one object store, one Redis.

    python tests/proofs/scale_out.py --images 400

The home lies on moto's S3 server; images come over HTTP. Printed: images a second between the first and the last, and
the cores that the workers were at work on, which tells what was the limit where two are not twice as fast as one.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import numpy as np
import object_store
import psutil
from image_server import ImageServer
from learning import LABEL_STUDIO
from PIL import Image

from seedqueue.backend import embedded_redis, presence, progress, seeding
from seedqueue.backend.children import Children
from seedqueue.backend.context import Context
from seedqueue.backend.demo.label_studio import LabelStudioServer
from seedqueue.backend.demo.project import create_project
from seedqueue.backend.settings import Settings, child_environment, environment_of


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=400)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--embedder", default="hog")
    parser.add_argument("--weights", type=Path, default=Path("../shared/weights"))
    given = parser.parse_args()
    with Children() as children, tempfile.TemporaryDirectory(prefix="sq-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        server = LabelStudioServer(children, LABEL_STUDIO, folder / "label-studio")
        server.start()
        store = object_store.start(children, folder / "moto.log")
        rates = []
        for workers in (1, 2):
            with pictures(given.images, given.side, seed=workers) as images:
                rates.append(measured(server, store, folder / f"{workers}", images, workers, given))
        print(f"two workers embed {rates[1] / rates[0]:.2f} x as fast as one")


@contextmanager
def pictures(count: int, side: int, seed: int) -> Iterator[ImageServer]:
    rng, files = np.random.default_rng(seed), dict[str, bytes]()
    for number in range(count):
        stream = io.BytesIO()
        Image.fromarray(rng.integers(0, 256, (side, side), dtype=np.uint8)).save(stream, "JPEG", quality=80)
        files[f"{number:06d}.jpg"] = stream.getvalue()
    with ImageServer(files) as server:
        yield server


def measured(
    server: LabelStudioServer,
    store: object_store.ObjectStore,
    folder: Path,
    images: ImageServer,
    workers: int,
    given: argparse.Namespace,
) -> float:
    """Images a second of this many workers."""
    with Children() as children:
        settings = Settings(
            label_studio_url=server.url,
            label_studio_api_key=server.token,
            redis_url=embedded_redis.start(children, folder / "redis"),
            home=store.new_place(),
            weights=given.weights,
            embedder=given.embedder,
            image_hosts="127.0.0.1",
            shard_images=20,
            threads=1,
        )
        far = [_worker(children, settings, store, folder / f"machine-{number}") for number in range(workers)]
        os.environ.update(store.environment)
        with Context(settings) as context:
            project = create_project(context.studio, "scale-out")
            body = [{"image": url} for url in images.urls()]
            context.studio.call("POST", f"/api/projects/{project}/import", json=body, slow=True)
            while presence.listening(context.broker) < workers:
                time.sleep(0.1)
            run = seeding.request_seed(context, project, seeding.choices_from({"budget": 10}, settings))
            while not images.hits:
                time.sleep(0.02)
            began, used = time.monotonic(), _processor(far)
            while progress.images_done(context.broker) < len(images.files):  # counted once a shard's batch is embedded
                time.sleep(0.02)
            spent, worked = time.monotonic() - began, _processor(far) - used
            while (found := context.records.run(project, run.number)) is None or found.active:
                time.sleep(0.2)
        rate = len(images.files) / spent
        print(
            f"{workers} workers: {rate:.1f} images/s, {worked / spent:.2f} cores of theirs at work, run {found.state}"
        )
        return rate


def _worker(children: Children, settings: Settings, store: object_store.ObjectStore, folder: Path) -> psutil.Process:
    own = {name: str(folder / name) for name in ("HOME", "TMPDIR")}
    for place in own.values():
        Path(place).mkdir(parents=True)
    env = child_environment(**environment_of(settings), **store.environment, **own, OMP_NUM_THREADS="1")
    command = [sys.executable, "-m", "seedqueue.backend.cli", "worker", "--lane", "control", "--lane", "embed"]
    started = children.start("far worker", command, env=env, log_file=folder / "worker.log")
    return psutil.Process(started.pid)


def _processor(processes: list[psutil.Process]) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in processes)


if __name__ == "__main__":
    main()
