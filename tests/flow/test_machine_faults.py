"""What happens to the machine: Redis dies, the disk is full, the clock jumps, the backend or Label Studio is down."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest
from image_server import ImageServer
from running import CHOICE, Backend, Eventually
from taught import Annotators

from seedqueue.backend import embedded_redis, seeding
from seedqueue.backend.children import Children
from seedqueue.backend.demo import backend as served
from seedqueue.backend.demo.label_studio import LabelStudioServer, sign_up
from seedqueue.backend.embeddings import source_key

pytestmark = pytest.mark.soak


def uris(backend: Backend, project: int, number: int = 1) -> list[str]:
    return [one.uri for one in backend.context.records.queue(project, number)]


def processes(backend: Backend, *words: str) -> list[psutil.Process]:
    """The backend's own processes whose command holds these words."""
    serve = psutil.Process(backend.pid)
    return [p for p in serve.children(recursive=True) if all(word in _command(p) for word in words)]


def _command(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:  # it has ended
        return ""


def test_redis_killed_and_started_again_empty(
    make_backend: Callable[..., Backend], backend: Backend, fresh: ImageServer, eventually: Eventually
) -> None:
    undisturbed = backend.new_project(fresh.urls())
    expected = [one.uri for one in backend.seed(undisturbed, budget=6)]
    struck = make_backend(shard_images=10)
    project = struck.new_project(fresh.urls())
    fresh.gate.clear()
    run = struck.request(project, budget=6)
    eventually(lambda: struck.context.broker.fates(f"run-{project}-").alive, 60, "its jobs")
    [redis] = processes(struck, "redis-server")
    redis.send_signal(signal.SIGKILL)
    fresh.gate.set()
    ended = struck.ended(run, seconds=240)
    assert ended.state == "published", ended.error
    assert uris(struck, project) == expected


def test_the_web_process_killed_is_started_again(make_backend: Callable[..., Backend], eventually: Eventually) -> None:
    struck = make_backend(workers=0)
    [web] = processes(struck, "uvicorn")
    web.send_signal(signal.SIGKILL)
    eventually(lambda: processes(struck, "uvicorn") not in ([], [web]), 60, "another web process")
    eventually(lambda: _answers(struck), 60, "its answer")


def _answers(backend: Backend) -> bool:
    try:
        return backend.get("/health").status_code == 200
    except OSError:
        return False
    except Exception as error:
        if "connect" in str(error).lower() or "disconnected" in str(error).lower():
            return False
        raise


@contextmanager
def small_disk(folder: Path, megabytes: int = 64) -> Iterator[Path]:
    """A file system of its own. Needs root: without it the test is skipped."""
    folder.mkdir()
    if subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)], capture_output=True, check=False
    ).returncode:
        pytest.skip("no file system can be mounted here; run as root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(folder: Path) -> Path:
    """A file that takes all the room that is left."""
    rest = folder / "rest"
    descriptor = os.open(rest, os.O_WRONLY | os.O_CREAT)
    try:
        while True:
            os.write(descriptor, bytes(4096))
    except OSError:
        return rest
    finally:
        with suppress(OSError):
            os.close(descriptor)


def test_a_full_disk_is_named_waited_for_and_nothing_is_lost(
    make_backend: Callable[..., Backend],
    backend: Backend,
    fresh: ImageServer,
    eventually: Eventually,
    tmp_path: Path,
) -> None:
    undisturbed = backend.new_project(fresh.urls())
    expected = [one.uri for one in backend.seed(undisturbed, budget=6)]
    with small_disk(tmp_path / "disk") as disk:
        struck = make_backend(home=disk / "home", shard_images=10)
        project = struck.new_project(fresh.urls())
        fresh.gate.clear()
        run = struck.request(project, budget=6)
        eventually(lambda: sum(fresh.hits.values()), 60, "the first fetch")
        rest = fill(disk)
        fresh.gate.set()
        told = "Nothing can be written to the home"
        eventually(lambda: told in seeding.status(struck.context, project).waiting, 120, "what the run waits for")
        refused = struck.post(f"/api/projects/{struck.new_project(fresh.urls())}/seed", {"budget": 2})
        assert (refused.status_code, refused.json()["error"]) == (507, "HomeNotWritable")
        rest.unlink()
        ended = struck.ended(run, seconds=240)
        assert ended.state == "published", ended.error
        assert uris(struck, project) == expected
        struck.children.terminate_all()


def test_a_home_that_may_only_be_read_is_named_and_goes_on_once_it_may_be_written(
    make_backend: Callable[..., Backend], fresh: ImageServer, eventually: Eventually, tmp_path: Path
) -> None:
    with small_disk(tmp_path / "disk") as disk, Children() as children:
        redis_url = embedded_redis.start(
            children, Path(tempfile.mkdtemp(prefix="sq-"))
        )  # its log stays open for writing
        struck = make_backend(home=disk / "home", redis_url=redis_url, shard_images=10)
        project = struck.new_project(fresh.urls())
        first = struck.seed(project, budget=4)
        subprocess.run(["mount", "-o", "remount,ro", str(disk)], check=True)
        refused = struck.post(f"/api/projects/{project}/seed", {"budget": 5})
        assert (refused.status_code, refused.json()["error"]) == (507, "HomeNotWritable")
        assert struck.get(f"/api/projects/{project}/queue").json()["run"]["number"] == 1
        subprocess.run(["mount", "-o", "remount,rw", str(disk)], check=True)
        assert len(struck.seed(project, budget=5)) == 5
        assert [one.task for one in first] == [one.task for one in struck.context.records.queue(project, 1)]
        struck.children.terminate_all()


def test_what_came_while_the_backend_was_down_is_found(
    make_backend: Callable[..., Backend], fresh: ImageServer, annotators: Annotators, eventually: Eventually
) -> None:
    urls = [f"{url}?copy={copy}" for copy in range(3) for url in fresh.urls()]
    struck = make_backend()
    project = struck.new_project(urls[:80])
    struck.attach(project)
    struck.seed(project, budget=4)
    struck.children.terminate_all()
    [annotator] = annotators(project, 1)
    answered = annotator.work(50)
    assert len(answered) == 50
    for one in answered:
        annotator.studio.call("PATCH", f"/api/annotations/{one.annotation}/", json={"result": CHOICE})
    struck.context.studio.call("POST", f"/api/projects/{project}/import", json=[{"image": url} for url in urls[80:110]])
    port = int(struck.url.rpartition(":")[2])
    with Children() as children:
        served.start(children, struck.context.settings, port, 1, struck.log_file)
        stable = {source_key(0, url)[1] for url in urls[80:110]}
        instance = struck.context.settings.label_studio_url

        def embedded() -> bool:
            return stable <= {uri for _, uri in struck.context.sources.known(instance, project)}

        eventually(embedded, 180, "the embeddings of the 30 imports")

        def learnt() -> bool:
            made = struck.context.versions.all(project)
            return bool(made) and len(made[-1].annotations) == 50

        eventually(learnt, 180, "a version of the 50 annotations")


def test_label_studio_restarted_under_way(
    make_backend: Callable[..., Backend],
    backend: Backend,
    label_studio: LabelStudioServer,
    fresh: ImageServer,
    eventually: Eventually,
    tmp_path: Path,
) -> None:
    undisturbed = backend.new_project(fresh.urls())
    expected = [one.uri for one in backend.seed(undisturbed, budget=6)]
    executable = Path(
        os.environ.get("SEEDQUEUE_LABEL_STUDIO") or Path(sys.prefix).parent / ".venv-label-studio/bin/label-studio"
    )
    with Children() as children:
        server = LabelStudioServer(children, executable, tmp_path / "label-studio")
        server.start()
        struck = make_backend(label_studio_url=server.url, label_studio_api_key=server.token, shard_images=10)
        project = struck.new_project(fresh.urls())
        fresh.gate.clear()
        run = struck.request(project, budget=6)
        eventually(lambda: sum(fresh.hits.values()), 60, "the first fetch")
        server.stop()
        fresh.gate.set()
        told = "Label Studio does not answer"
        eventually(lambda: told in seeding.status(struck.context, project).waiting, 120, "what the run waits for")
        server.start()
        ended = struck.ended(run, seconds=240)
        assert ended.state == "published", ended.error
        assert uris(struck, project) == expected
        assert sign_up(server, "later@example.com", "a long password")
        struck.children.terminate_all()
