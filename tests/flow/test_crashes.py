"""A worker killed (SIGKILL) at each line that matters: the queue, or the version, is that of an undisturbed run."""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from annotating import served
from image_server import ImageServer
from running import Backend, Eventually
from taught import Annotators, teach
from truth import Truth, ultrasound_kinds

from seedqueue.backend.children import Children
from seedqueue.backend.settings import child_environment, environment_of
from seedqueue.backend.versions import ModelVersion

PROGRAM = Path(__file__).resolve().parents[1] / "support/crashing.py"
B = "seedqueue.backend"
soak = pytest.mark.soak

OF_A_QUEUE = [
    pytest.param(f"{B}.snapshots:Snapshots.save", "after", id="listed", marks=soak),
    pytest.param(f"{B}.embeddings:Embeddings.add", "before", id="embedded, nothing stored", marks=soak),
    pytest.param(f"{B}.embeddings:Sources.add", "before", id="stored, no source noted", marks=soak),
    pytest.param(f"{B}.progress:shard_done", "after", id="a shard is done", marks=soak),
    pytest.param(f"{B}.records:Records.save_queue", "before", id="chosen, not recorded", marks=soak),
    pytest.param(f"{B}.records:Records.save_queue", "after", id="recorded", marks=soak),
    pytest.param(f"{B}.publish:switch", "before", id="ranks imported, not served"),
    pytest.param(f"{B}.publish:switch", "after", id="served, not recorded"),
    pytest.param(f"{B}.serving:clear_earlier", "before", id="published, earlier rounds not cleared", marks=soak),
]
OF_A_VERSION = [
    pytest.param(f"{B}.learn:judge", "after", id="trained, nothing stored", marks=soak),
    pytest.param(f"{B}.blobs:Blobs.put", "after", id="weights stored, no row names them", marks=soak),
    pytest.param(f"{B}.versions:Versions.promote", "before", id="a version that does not serve yet", marks=soak),
    pytest.param(f"{B}.versions:Versions.promote", "after", id="it serves, the queue does not show it", marks=soak),
]


class Machine:
    """A backend without workers; those are started by hand, doomed or not."""

    def __init__(self, backend: Backend, eventually: Eventually) -> None:
        self.backend, self.eventually = backend, eventually
        self.env = child_environment(**environment_of(backend.context.settings), OMP_NUM_THREADS="1")

    def die_at(self, point: str, moment: str, *lanes: str) -> None:
        """Start a worker and wait until it was killed at this point."""
        command = [sys.executable, str(PROGRAM), point, moment, *lanes]
        with Children() as children:
            doomed = children.start("doomed", command, env=self.env, log_file=self.backend.log_file)
            self.eventually(lambda: doomed.poll() is not None, 120, f"the worker's death {moment} {point}")
        assert doomed.returncode == -signal.SIGKILL

    def work(self, children: Children, *lanes: str) -> None:
        """Start one that lives as long as `children`."""
        named = [part for lane in lanes for part in ("--lane", lane)]
        command = [sys.executable, "-m", "seedqueue.backend.cli", "worker", *named]
        children.start("worker", command, env=self.env, log_file=self.backend.log_file)


@pytest.fixture(scope="module")
def machine(make_backend: Callable[..., Backend], eventually: Eventually) -> Machine:
    return Machine(make_backend(workers=0, shard_images=10), eventually)


def uris(backend: Backend, project: int, number: int) -> list[str]:
    return [one.uri for one in backend.context.records.queue(project, number)]


@pytest.mark.parametrize(
    ("point", "moment"),
    OF_A_QUEUE,
)
def test_the_queue_of_a_killed_worker_is_that_of_an_undisturbed_one(
    machine: Machine, fresh: ImageServer, backend: Backend, annotators: Annotators, point: str, moment: str
) -> None:
    undisturbed = backend.new_project(fresh.urls())
    expected = [one.uri for one in backend.seed(undisturbed, budget=6)]
    project = machine.backend.new_project(fresh.urls())
    machine.backend.attach(project)
    run = machine.backend.request(project, budget=6)
    machine.die_at(point, moment, "control", "embed")
    with Children() as children:
        machine.work(children, "control", "embed")
        ended = machine.backend.ended(run, seconds=120)
        assert ended.state == "published", ended.error
        assert uris(machine.backend, project, run.number) == expected
        [annotator] = annotators(project, 1)
        queue = machine.backend.context.records.queue(project, run.number)
        assert [one.task for one in annotator.work(6)] == [one.task for one in queue]
        counted = machine.backend.context.studio.call("GET", f"/api/projects/{project}")["total_predictions_number"]
        assert counted == len(fresh.files)  # a rank each, none twice


@pytest.fixture(scope="module")
def truth(test_data: Path) -> Truth:
    return ultrasound_kinds(test_data, 12)


@pytest.fixture(scope="module")
def ultrasound(truth: Truth) -> Iterator[ImageServer]:
    with served(truth) as server:
        yield server


@pytest.fixture(scope="module")
def undisturbed(
    make_backend: Callable[..., Backend], ultrasound: ImageServer, truth: Truth, annotators: Annotators
) -> ModelVersion:
    """The version that learns from the same labels where nothing goes wrong."""
    taught = teach(make_backend(), ultrasound, truth, annotators, budget=6)
    taught.expert.work(6)
    return taught.learnt(6)


@pytest.mark.parametrize(
    ("point", "moment"),
    OF_A_VERSION,
)
def test_the_version_of_a_killed_learner_is_that_of_an_undisturbed_one(
    machine: Machine,
    ultrasound: ImageServer,
    truth: Truth,
    annotators: Annotators,
    undisturbed: ModelVersion,
    point: str,
    moment: str,
) -> None:
    with Children() as children:
        machine.work(children, "control", "embed")
        taught = teach(machine.backend, ultrasound, truth, annotators, budget=6)
        taught.expert.work(6)
        machine.die_at(point, moment, "learn")
        machine.work(children, "learn")
        version = taught.learnt(6)
        taught.still()
        assert version.promoted
        assert (version.number, version.weights, version.per_class) == (1, undisturbed.weights, undisturbed.per_class)
        assert taught.setup() == "linear-1"
        context = machine.backend.context

        def shown() -> bool:
            told = context.records.bodies("learning", taught.project)
            return any(body["outcome"] == "refreshed" for _, _, body in told)

        machine.eventually(shown, 120, "the queue that carries the version's word")
