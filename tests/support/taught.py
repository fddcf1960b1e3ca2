"""A project whose heads are taught by an expert, and what a test asks about it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from annotating import Expert
from image_server import ImageServer
from rq.job import Job
from running import Backend
from truth import Truth

from seedqueue.backend import audit, learning
from seedqueue.backend.demo.annotator import Annotator
from seedqueue.backend.records import QueuedTask
from seedqueue.backend.versions import ModelVersion

Annotators = Callable[[int, int], list[Annotator]]

SECONDS = 120.0  # an event may be lost on a busy machine; the periodic look comes after 60 s


@dataclass
class Taught:
    """A project with a published seed queue, its backend attached."""

    backend: Backend
    project: int
    expert: Expert
    queue: list[QueuedTask] = field(default_factory=list)

    @property
    def seeds(self) -> list[int]:
        return [one.task for one in self.queue if not one.audit]

    @property
    def audit(self) -> set[int]:
        """The audit slice: those in the queue, and those that stand behind it."""
        return {one.task for one in audit.frozen(self.backend.context.records, self.project)}

    @property
    def before_last_seed(self) -> int:
        """How many tasks of the queue come before its last seed."""
        return max(at for at, one in enumerate(self.queue) if not one.audit)

    def versions(self) -> list[ModelVersion]:
        return self.backend.context.versions.all(self.project)

    def serving(self) -> list[str]:
        return [one.name for one in self.versions() if one.promoted]

    def told(self) -> list[dict[str, Any]]:
        """How each training ended so far."""
        rows = [body for _, _, body in self.backend.context.records.bodies("learning", self.project)]
        return [body for body in rows if body["outcome"] != "refreshed"]

    def last_message(self) -> str:
        """What a person is told of the last training."""
        last = learning.told(self.backend.context, self.project).last
        return f"{last['outcome']}: {last['message']}" if last else ""

    def learnt(self, annotations: int, number: int = 1) -> ModelVersion:
        """The newest version, of this number at least, once it has learnt from so many and all jobs have ended."""
        what = f"version {number} or later of {annotations} annotations"

        def there() -> bool:
            made = self.versions()
            return bool(made) and made[-1].number >= number and len(made[-1].annotations) >= annotations

        self.backend.eventually(there, SECONDS, what)
        self.still()
        return self.versions()[-1]

    def train(self, head: str | None = None) -> str:
        """Ask for a training as an admin does; what came of it."""
        before = len(self.told())
        answer = self.backend.post(f"/api/projects/{self.project}/train", {"head": head} if head else None)
        assert answer.status_code == 202, answer.text
        self.backend.eventually(lambda: len(self.told()) > before, SECONDS, "the end of the training")
        self.still()
        return self.last_message()

    def still(self) -> None:
        """Wait until no job looks at the project or is about to."""
        broker, name = self.backend.context.broker, f"learn-{self.project}"

        def nothing() -> bool:  # a job holds the lock before it takes the key away
            return not any(broker.redis.exists(broker.key(kind, name)) for kind in ("once", "lock"))

        self.backend.eventually(nothing, SECONDS, "the end of all looks")

    @contextmanager
    def looks(self) -> Iterator[Callable[[], int]]:
        """Gives how many times jobs have looked at the project meanwhile: each takes back that one is wanted."""
        broker = self.backend.context.broker
        broker.redis.config_set("notify-keyspace-events", "Kg")
        with broker.redis.pubsub(ignore_subscribe_messages=True) as heard:
            heard.subscribe(f"__keyspace@0__:{broker.key('once', f'learn-{self.project}')}")
            heard.get_message(timeout=10)  # the subscription's own

            def count() -> int:
                told = list(iter(lambda: heard.get_message(timeout=1), None))
                return sum(one["data"] == b"del" for one in told)

            yield count

    def jobs(self) -> int:
        """How many jobs were ever made to look at the project, those that put themselves off among them."""
        queue = self.backend.context.broker.queue("learn")
        registries = (queue.scheduled_job_registry, queue.started_job_registry, queue.finished_job_registry)
        ids = {*queue.get_job_ids(), *(name for each in registries for name in each.get_job_ids(cleanup=False))}
        found = Job.fetch_many(list(ids), connection=queue.connection, serializer=queue.serializer)
        return sum(job is not None and list(job.args) == [self.project] for job in found)

    def setup(self) -> str:
        """The version that the backend names to Label Studio."""
        return str(self.backend.post("/setup", {"project": f"{self.project}.1"}).json()["model_version"])

    def predict(self, *tasks: int) -> list[list[dict[str, Any]]]:
        """What `/predict` says of some tasks, asked as Label Studio asks."""
        studio = self.backend.context.studio
        sent = [studio.call("GET", f"/api/tasks/{task}/") for task in tasks]
        body = {
            "tasks": [{"id": task["id"], "data": task["data"]} for task in sent],
            "project": f"{self.project}.1",
            "label_config": self.backend.described(self.project)["label_config"],
        }
        found: list[list[dict[str, Any]]] = self.backend.post("/predict", body).json()["results"]
        return found

    def unlabelled(self) -> list[int]:
        """Tasks that nobody has annotated."""
        params = {"project": self.project, "page_size": 1000, "fields": "task_only", "include": "id,total_annotations"}
        tasks = self.backend.context.studio.call("GET", "/api/tasks", params=params)["tasks"]
        return [task["id"] for task in tasks if not task["total_annotations"]]


def teach(
    backend: Backend,
    images: ImageServer,
    truth: Truth,
    annotators: Annotators,
    count: int | None = None,
    **choices: Any,
) -> Taught:
    """A new project over `count` of the images, with a seed queue and an annotator who knows the truth."""
    urls = images.urls()
    few = urls if count is None else [urls[at * len(urls) // count] for at in range(count)]
    project = backend.new_project(few, truth.label_config)
    backend.attach(project)
    [annotator] = annotators(project, 1)
    return Taught(backend, project, Expert(annotator, truth), backend.seed(project, **choices))
