"""Label Studio in trouble, projects and tasks that go and come, seeds at once: the run ends as an undisturbed one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from image_server import ImageServer
from running import CHOICE, Backend, Eventually
from studio_front import StudioFront, Trouble
from taught import Annotators

from seedqueue.backend import connection, seeding
from seedqueue.backend.demo.label_studio import LabelStudioServer
from seedqueue.backend.embeddings import source_key
from seedqueue.backend.records import Run


@pytest.fixture(scope="module")
def front(label_studio: LabelStudioServer) -> Iterator[StudioFront]:
    with StudioFront(label_studio.url) as started:
        yield started


@pytest.fixture(scope="module")
def behind(make_backend: Callable[..., Backend], front: StudioFront) -> Backend:
    """A backend that reaches Label Studio through the front, with small shards."""
    return make_backend(label_studio_url=front.url, shard_images=10)


@pytest.fixture(autouse=True)
def _calm_again(front: StudioFront) -> Iterator[None]:
    yield
    front.trouble = lambda method, path: None
    front.met.clear()


def waits_for(backend: Backend, run: Run) -> str:
    return seeding.status(backend.context, run.project).waiting


def uris(backend: Backend, run: Run) -> list[str]:
    return [one.uri for one in backend.context.records.queue(run.project, run.number)]


@pytest.mark.parametrize(
    ("trouble", "told"),
    [
        (Trouble(500), "answered 500"),
        pytest.param(Trouble(502), "answered 502", marks=pytest.mark.soak),
        pytest.param(Trouble(429), "answered 429", marks=pytest.mark.soak),
        pytest.param(Trouble(cut=True), "does not answer", marks=pytest.mark.soak),
    ],
)
def test_a_run_waits_while_label_studio_is_in_trouble_and_says_so(
    behind: Backend, front: StudioFront, images: ImageServer, eventually: Eventually, trouble: Trouble, told: str
) -> None:
    undisturbed = behind.ended(behind.request(behind.new_project(images.urls()), budget=6))
    project = behind.new_project(images.urls())
    front.trouble = lambda method, path: (
        trouble if "/api/tasks" in path or path.endswith("/import/predictions") else None
    )
    run = behind.request(project, budget=6)
    eventually(lambda: told in waits_for(behind, run), 60, "what the run waits for")
    eventually(lambda: sum(front.met.values()) >= 3, 60, "a third try")
    front.trouble = lambda method, path: None
    ended = behind.ended(run)
    assert ended.state == "published", ended.error
    assert waits_for(behind, run) == ""
    assert uris(behind, run) == uris(behind, undisturbed)


@pytest.mark.slow
def test_a_creation_that_met_a_locked_database_leaves_one_connection(behind: Backend, front: StudioFront) -> None:
    project = behind.new_project([])
    left = [Trouble(500, late=True, says="database is locked")]
    front.trouble = lambda method, path: left.pop() if left and (method, path) == ("POST", "/api/ml") else None
    behind.attach(project)
    assert front.met[500] == 1
    assert len(connection.connections(behind.context.studio, project)) == 1
    assert len(connection.webhooks(behind.context.studio, project, behind.url)) == 1


@pytest.mark.soak
def test_calls_of_twenty_seconds_are_waited_for(behind: Backend, front: StudioFront, images: ImageServer) -> None:
    project = behind.new_project(images.urls())
    slow = f"/api/tasks?project={project}&"
    front.trouble = lambda method, path: Trouble(seconds=20) if path.startswith(slow) else None
    ended = behind.ended(behind.request(project, budget=6), seconds=300)
    assert ended.state == "published", ended.error
    assert front.met[0] >= 2


@pytest.mark.soak
def test_a_refused_token_ends_the_run_with_its_name_and_the_next_one_embeds_nothing_again(
    behind: Backend, front: StudioFront, images: ImageServer, eventually: Eventually
) -> None:
    project = behind.new_project(images.urls())
    first = behind.seed(project, budget=4)
    images.gate.clear()
    run = behind.request(behind.new_project([f"{url}?again" for url in images.urls()]), budget=4)
    eventually(lambda: behind.context.records.run(run.project, run.number).state == "embedding", 60, "its shards")
    front.trouble = lambda method, path: Trouble(401)
    images.gate.set()
    ended = behind.ended(run)
    assert (ended.state, "LABEL_STUDIO_API_KEY" in ended.error) == ("failed", True)
    front.trouble = lambda method, path: None
    hits = sum(images.hits.values())
    again = behind.ended(behind.request(run.project, budget=4))
    assert again.state == "published", again.error
    assert sum(images.hits.values()) == hits
    assert [one.task for one in first] == [one.task for one in behind.context.records.queue(project, 1)]


def test_two_seeds_of_one_project_at_once_are_one(behind: Backend, images: ImageServer) -> None:
    project = behind.new_project(images.urls())
    images.gate.clear()

    def ask(budget: int) -> tuple[int, int | None]:
        answer = behind.post(f"/api/projects/{project}/seed", {"budget": budget})
        return answer.status_code, answer.json().get("number")

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(ask, [4, 4, 4, 4, 5, 5, 5, 5]))
    images.gate.set()
    accepted = [number for code, number in answers if code == 202]
    assert accepted == [1] * 4
    assert sorted(code for code, _ in answers) == [202] * 4 + [409] * 4
    runs = behind.context.records.runs(project)
    assert [run.number for run in runs] == [1]
    assert behind.ended(runs[0]).state == "published"


@pytest.mark.slow
def test_a_project_deleted_under_way_ends_its_run_and_no_other(
    behind: Backend, images: ImageServer, eventually: Eventually
) -> None:
    project, other = behind.new_project(images.urls()), behind.new_project(images.urls())
    images.gate.clear()
    images.files = {name: content + b"fresh" for name, content in images.files.items()}
    run = behind.request(project, budget=4)
    eventually(lambda: sum(images.hits.values()), 60, "the first fetch")
    behind.context.studio.call("DELETE", f"/api/projects/{project}/")
    images.gate.set()
    ended = behind.ended(run)
    assert ended.state == "failed"
    assert f"{project}" in ended.error
    assert len(behind.seed(other, budget=4)) == 4


@pytest.mark.slow
def test_tasks_that_go_and_come_under_way(behind: Backend, images: ImageServer, eventually: Eventually) -> None:
    images.files = {name: content + b"other" for name, content in images.files.items()}
    urls = images.urls()
    project = behind.new_project(urls[:15])
    listed = behind.context.studio.call("GET", "/api/tasks", params={"project": project, "page_size": 100})["tasks"]
    gone = [task["id"] for task in listed[:5]]
    images.gate.clear()
    run = behind.request(project, budget=6)
    eventually(lambda: sum(images.hits.values()), 60, "the first fetch")
    for task in gone:
        behind.context.studio.call("DELETE", f"/api/tasks/{task}/")
    behind.context.studio.call("POST", f"/api/projects/{project}/import", json=[{"image": url} for url in urls[15:]])
    images.gate.set()
    ended = behind.ended(run)
    assert ended.state == "published", ended.error
    queue = {one.task for one in behind.context.records.queue(project, run.number)}
    assert len(queue) == 6
    assert not queue & set(gone)
    eventually(lambda: set(urls[15:]) <= known(behind, project), 120, "the embeddings of the new tasks")


def test_deleted_seeds_are_replaced_and_new_tasks_are_embedded(
    behind: Backend, images: ImageServer, annotators: Annotators, eventually: Eventually
) -> None:
    urls = images.urls()
    project = behind.new_project(urls[:35])
    behind.attach(project)
    before = behind.seed(project, budget=6)
    behind.context.studio.call("DELETE", f"/api/tasks/{before[1].task}/")
    behind.context.studio.call("POST", f"/api/projects/{project}/import", json=[{"image": url} for url in urls[35:]])

    def queue() -> list[int]:
        return [one.task for one in behind.context.records.queue(project, 1)]

    eventually(lambda: before[1].task not in queue(), 120, "the seed that takes the deleted one's rank")
    now = queue()
    assert [task for task in now if task != now[1]] == [one.task for one in before if one is not before[1]]
    assert now[1] not in {one.task for one in before}

    def warned() -> tuple[str, ...]:
        run = behind.context.records.run(project, 1)
        return run.warnings if run else ()

    eventually(warned, 60, "the run that says so")  # a row behind the queue's
    assert f"task {before[1].task} was deleted: task {now[1]}" in warned()[-1]
    [annotator] = annotators(project, 1)
    served = []
    for _ in now:
        task = annotator.next_task()
        assert task is not None
        served.append(task["id"])
        annotator.submit(task["id"], CHOICE)
    assert served == now
    eventually(lambda: set(urls[35:]) <= known(behind, project), 120, "the embeddings of the new tasks")


def known(backend: Backend, project: int) -> set[str]:
    """The addresses whose images are embedded."""
    found = backend.context.sources.known(backend.context.settings.label_studio_url, project)
    return {uri for _, uri in found} | {source_key(0, uri)[1] for _, uri in found}
