"""One worker, then two, on machines of their own: processes with folders of their own, one object store, one Redis.

    python tests/proofs/scale_out.py --images 960

The home lies on moto's S3 server; images come over HTTP; each worker has its own copy of the weights, by default a
ResNet-50 with random ones. Printed: images a second between the first and the last, the cores that the workers were at
work on, which tells what was the limit where two are not twice as fast as one, and what two processes that share
nothing but this machine reach of twice one.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import numpy as np
import object_store
import psutil
from image_server import ImageServer
from learning import LABEL_STUDIO
from PIL import Image
from small_models import make_timm

from seedqueue.backend import embedded_redis, presence, progress, seeding
from seedqueue.backend.children import Children
from seedqueue.backend.context import Context
from seedqueue.backend.demo.label_studio import LabelStudioServer
from seedqueue.backend.demo.project import create_project
from seedqueue.backend.settings import Settings, child_environment, environment_of

NETWORK = "resnet50.a1_in1k"
BARE = """
import sys, time
from pathlib import Path
import numpy as np
from PIL import Image
from seedqueue.models import registry
from seedqueue.models.runtime import Runtime
weights, name = sys.argv[1:]
embedder = registry.create(name, Path(weights), Runtime(threads=1, precision="float32"))
batch = np.stack([embedder.prepare(Image.new("L", (512, 512)))] * 8)
embedder.embed(batch)
print("loaded", flush=True)
sys.stdin.readline()
began, turns = time.monotonic(), 0
while time.monotonic() - began < 15:
    embedder.embed(batch)
    turns += 1
print(8 * turns / (time.monotonic() - began), flush=True)
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=960)
    parser.add_argument("--side", type=int, default=512)
    parser.add_argument("--embedder", default=f"timm:{NETWORK}")
    given = parser.parse_args()
    with Children() as children, tempfile.TemporaryDirectory(prefix="sq-", ignore_cleanup_errors=True) as place:
        folder = Path(place)
        server = LabelStudioServer(children, LABEL_STUDIO, folder / "label-studio")
        server.start()
        store = object_store.start(children, folder / "moto.log")
        make_timm(folder / "weights", seed=0, variant=NETWORK)
        rates = []
        for workers in (1, 2):
            with pictures(given.images, given.side, seed=workers) as images:
                rates.append(measured(server, store, folder / f"{workers}", images, workers, given))
        print(f"two workers embed {rates[1] / rates[0]:.2f} x as fast as one")
        alone = [bare(folder / "weights", given.embedder, processes) for processes in (1, 2)]
        told = f"{alone[1]:.1f} images/s, one {alone[0]:.1f}: {alone[1] / alone[0]:.2f} x"
        print(f"two processes with nothing but the network: {told}")


def bare(weights: Path, embedder: str, processes: int) -> float:
    """Images a second of so many processes that embed and nothing else, on a thread each."""
    command = [sys.executable, "-c", BARE, str(weights), embedder]
    env = {**os.environ, "OMP_NUM_THREADS": "1"}
    started = [subprocess.Popen(command, env=env, stdin=-1, stdout=-1, text=True) for _ in range(processes)]
    pipes = [(each.stdin, each.stdout) for each in started]
    for _, out in pipes:
        assert out is not None
        out.readline()  # loaded
    for told, _ in pipes:
        assert told is not None
        told.write("go\n")
        told.flush()
    rates = [float(out.readline()) for _, out in pipes if out is not None]
    for each in started:
        each.wait()
    return sum(rates)


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
            weights=folder.parent / "weights",
            embedder=given.embedder,
            image_hosts="127.0.0.1",
            shard_images=80,  # a quarter of the default: some shards for each in a few minutes
            threads=1,
            precision="float32",
        )
        far = [_worker(children, settings, store, folder / f"machine-{number}") for number in range(workers)]
        os.environ.update(store.environment)
        with Context(settings) as context:
            while presence.listening(context.broker) < workers:
                time.sleep(0.1)
            uris = images.urls()
            warm = 160 * workers  # each worker loads its network on the way
            _embedded(context, uris[:warm])
            began, used = time.monotonic(), _processor(far)
            _embedded(context, uris[warm:])
            spent, worked = time.monotonic() - began, _processor(far) - used
        rate = (len(uris) - warm) / spent
        print(f"{workers} workers: {rate:.1f} images/s, {worked / spent:.2f} cores of theirs at work", flush=True)
        return rate


def _embedded(context: Context, uris: list[str]) -> None:
    """Ask for a queue of these images, and wait until all of them are embedded."""
    project, before = create_project(context.studio, "scale-out"), progress.images_done(context.broker)
    body = [{"image": uri} for uri in uris]
    context.studio.call("POST", f"/api/projects/{project}/import", json=body, slow=True)
    seeding.request_seed(context, project, seeding.choices_from({"budget": 10}, context.settings))
    while progress.images_done(context.broker) < before + len(uris):  # counted once a shard's batch is embedded
        time.sleep(0.1)


def _worker(children: Children, settings: Settings, store: object_store.ObjectStore, folder: Path) -> psutil.Process:
    own = {name: str(folder / name) for name in ("HOME", "TMPDIR")}
    for place in own.values():
        Path(place).mkdir(parents=True)
    shutil.copytree(settings.weights, folder / "weights")
    settings = replace(settings, weights=folder / "weights")
    env = child_environment(**environment_of(settings), **store.environment, **own, OMP_NUM_THREADS="1")
    command = [sys.executable, "-m", "seedqueue.backend.cli", "worker", "--lane", "control", "--lane", "embed"]
    started = children.start("far worker", command, env=env, log_file=folder / "worker.log")
    return psutil.Process(started.pid)


def _processor(processes: list[psutil.Process]) -> float:
    return sum(sum(one.cpu_times()[:2]) for one in processes)


if __name__ == "__main__":
    main()
