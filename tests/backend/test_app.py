"""Every route of the app over a real Redis, with Label Studio's own requests; Label Studio itself is down."""

import base64
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from pools import version

from seedqueue.backend import progress
from seedqueue.backend.app import create_app
from seedqueue.backend.broker import Lane
from seedqueue.backend.context import Context
from seedqueue.backend.records import Choices, QueuedTask, Run, Unreadable
from seedqueue.backend.settings import Settings

EVENTS = [
    "ANNOTATION_CREATED",
    "ANNOTATION_CREATED_skipped",
    "ANNOTATION_UPDATED",
    "ANNOTATIONS_CREATED",
    "ANNOTATIONS_DELETED",
    "TASKS_CREATED",
    "TASKS_CREATED_bulk",
    "TASKS_DELETED",
]
Payload = Callable[[str], Any]
Serve = Callable[..., "TestClient"]


@pytest.fixture
def context(redis_url: str, nobody: str, tmp_path: Path) -> Iterator[Context]:
    """Redis is there, Label Studio is not; its address is new for every test, and so is the namespace."""
    url = f"http://{nobody}/{uuid.uuid4().hex}"
    with Context(
        Settings(label_studio_url=url, label_studio_api_key="a" * 40, redis_url=redis_url, home=tmp_path / "home")
    ) as opened:
        yield opened


@pytest.fixture
def serve() -> Iterator[Serve]:
    """The app over a context whose settings may be changed."""
    with ExitStack() as opened:

        def start(context: Context, **changes: Any) -> TestClient:
            changed = opened.enter_context(Context(replace(context.settings, **changes)))
            return opened.enter_context(TestClient(create_app(changed)))

        yield start


@pytest.fixture
def client(context: Context, serve: Serve) -> TestClient:
    return serve(context)


def enqueued(context: Context, lane: Lane = "control") -> list[tuple[str, list[Any]]]:
    """(function, arguments) of what stands in a lane, the delayed ones included."""
    queue = context.broker.queue(lane)
    ids = queue.get_job_ids() + queue.scheduled_job_registry.get_job_ids()
    jobs = [job for job_id in ids if (job := context.broker.job(job_id)) is not None]
    return [(job.func_name.removeprefix("seedqueue.backend."), list(job.args)) for job in jobs]


def published(context: Context) -> Run:
    run = Run(1, 3, "published", Choices(2, "hog", "kmeans", 0), tasks=9, unreadable=1)
    context.records.save_run(run)
    context.records.save_queue(run, [QueuedTask(1, 12, "/a.png", 0, 5), QueuedTask(2, 11, "/b.png", 1, 3)])
    context.records.add_unreadable(1, 3, [Unreadable(14, "/c.png", "truncated PNG")])
    return run


def assert_problem(answer: Any, status: int, name: str, *parts: str) -> None:
    assert answer.status_code == status, answer.text
    assert set(answer.json()) == {"error", "message"}
    assert answer.json()["error"] == name
    for part in parts:
        assert part in answer.json()["message"]


def test_health(client: TestClient) -> None:
    answer = client.get("/health")
    assert (answer.status_code, answer.json()["status"]) == (200, "UP")


def test_predict_before_setup_gives_one_list_per_task(client: TestClient, payload: Payload) -> None:
    for name in ("predict_batch", "predict_single", "predict_interactive"):
        body = payload(name)
        answer = client.post("/predict", json=body)
        assert answer.status_code == 200
        assert answer.json()["results"] == [[] for _ in body["tasks"]]


def test_setup_and_predict_name_the_same_version(client: TestClient, payload: Payload) -> None:
    setup = client.post("/setup", json=payload("setup"))
    assert setup.status_code == 200
    assert setup.json() == {"model_version": "untrained"}
    assert client.post("/predict", json=payload("predict_single")).json()["model_version"] == "untrained"


def test_setup_takes_extra_params_as_a_quoted_string(client: TestClient, payload: Payload) -> None:
    assert client.post("/setup", json={**payload("setup"), "extra_params": '{"budget": 5}'}).status_code == 200


def test_versions_is_a_get_without_a_body(client: TestClient) -> None:
    answer = client.get("/versions")
    assert (answer.status_code, answer.json()) == (200, {"versions": []})


@pytest.mark.parametrize("name", EVENTS)
def test_an_event_is_accepted_and_reconciled_later(
    name: str, client: TestClient, context: Context, payload: Payload
) -> None:
    answer = client.post("/webhook", json=payload(name))
    assert answer.status_code == 202
    assert answer.json() == {"event": payload(name)["action"], "outcome": "enqueued"}
    assert enqueued(context) == [("jobs.reconcile", [1])]


def test_start_training_is_enqueued_once(client: TestClient, context: Context, payload: Payload) -> None:
    answers = [client.post("/webhook", json=payload("START_TRAINING")) for _ in range(3)]
    assert [answer.json()["outcome"] for answer in answers] == ["enqueued", "repeated", "repeated"]
    assert enqueued(context) == [("seeding.start_training", [1])]


def test_our_own_project_updates_set_nothing_going(client: TestClient, context: Context, payload: Payload) -> None:
    answer = client.post("/webhook", json=payload("PROJECT_UPDATED"))
    assert (answer.status_code, answer.json()["outcome"]) == (202, "ignored")
    assert client.post("/webhook", json={"action": "NEW_IN_1_99", "project": {"id": 1}}).status_code == 202
    assert enqueued(context) == []


def test_a_burst_of_events_is_one_reconcile_per_project(client: TestClient, context: Context, payload: Payload) -> None:
    body = payload("ANNOTATION_CREATED")
    for _ in range(50):
        assert client.post("/webhook", json=body).status_code == 202
    client.post("/webhook", json={**body, "project": {"id": 2}})
    assert sorted(enqueued(context)) == [("jobs.reconcile", [1]), ("jobs.reconcile", [2])]
    assert sorted(enqueued(context, "learn")) == [("learning_jobs.consider", [1]), ("learning_jobs.consider", [2])]


@pytest.mark.parametrize(
    ("path", "content", "part"),
    [
        ("/webhook", b"{not json", "JSON decode error"),
        ("/webhook", b"", "body"),
        ("/webhook", b"[]", "no JSON object"),
        ("/webhook", b"{}", "'action'"),
        ("/webhook", b'{"action": "ANNOTATION_CREATED", "project": {"id": 1}}', "'annotation'"),
        ("/webhook", b'{"action": "START_TRAINING", "project": {"id": 100000000000000000000}}', "'project'"),
        ("/predict", b"{}", "body.tasks"),
        ("/predict", b'{"tasks": [1]}', "body.tasks.0"),
        ("/predict", b"null", "body"),
        ("/setup", b'{"project": {}}', "body.project"),
        ("/api/projects/1/seed", b"[]", "body"),
        ("/api/projects/1/extend", b"{}", "body.budget"),
    ],
)
def test_a_body_that_cannot_be_read_names_the_field(path: str, content: bytes, part: str, client: TestClient) -> None:
    answer = client.post(path, content=content, headers={"Content-Type": "application/json"})
    assert_problem(answer, 422, "InvalidRequest", part)


@pytest.mark.parametrize("content", [b"[" * 100_000, b'{"action": "\xff"}'])
def test_a_body_that_breaks_the_parser_is_a_client_error(content: bytes, client: TestClient) -> None:
    answer = client.post("/webhook", content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code in (400, 422)
    assert set(answer.json()) == {"error", "message"}


@pytest.mark.parametrize("budget", [0, -1, "0", "-1", "abc", 2.5, None, True, [], ""])
def test_a_budget_that_is_none(budget: Any, client: TestClient) -> None:
    for path in ("/api/projects/1/seed", "/api/projects/1/extend"):
        answer = client.post(path, json={"budget": budget})
        assert_problem(answer, 422, "InvalidBudget", str(budget), "whole number of at least 1")


@pytest.mark.parametrize(
    ("choices", "name", "part"),
    [
        ({"embedder": "resnet"}, "UnknownEmbedder", "choose one of: "),
        ({"embedder": "imagenet:resnet9000"}, "UnknownEmbedder", "imagenet:resnet18"),
        ({"selector": "best"}, "UnknownSelector", "kmeans, kmeans-nested"),
        ({"random_seed": -1}, "InvalidRequest", "random_seed is -1"),
        ({"random_seed": "x"}, "InvalidRequest", "random_seed is 'x'"),
        ({"bugdet": 3}, "InvalidRequest", "Unknown choice 'bugdet'; known are: audit"),
    ],
)
def test_a_choice_that_does_not_exist(choices: dict[str, Any], name: str, part: str, client: TestClient) -> None:
    assert_problem(client.post("/api/projects/1/seed", json=choices), 422, name, part)


@pytest.mark.parametrize("project", ["0", "-1", "x", "1.5", "99999999999999999999"])
def test_a_project_number_that_is_none(project: str, client: TestClient) -> None:
    assert_problem(client.get(f"/api/projects/{project}"), 422, "InvalidRequest", "path.project")


@pytest.mark.parametrize("body", [None, {}, {"budget": 5, "embedder": "hog", "selector": "uniform"}])
def test_label_studio_down(body: Any, client: TestClient, context: Context) -> None:
    answer = client.post("/api/projects/1/seed", json=body)
    assert_problem(answer, 502, "LabelStudioUnreachable", context.settings.label_studio_url, "LABEL_STUDIO_URL")
    assert enqueued(context) == []
    assert context.records.runs() == []


def test_no_token(context: Context, serve: Serve) -> None:
    answer = serve(context, label_studio_api_key="").post("/api/projects/1/seed")
    assert_problem(answer, 500, "TokenMissing", "LABEL_STUDIO_API_KEY is not set")


def test_redis_down(context: Context, serve: Serve, nobody: str, payload: Payload) -> None:
    client = serve(context, redis_url=f"redis://{nobody}")
    for path, body in (("/webhook", payload("ANNOTATION_CREATED")), ("/api/projects/1/seed", {})):
        assert_problem(client.post(path, json=body), 503, "RedisUnreachable", nobody)
    assert client.get("/health").status_code == 200
    assert client.post("/predict", json=payload("predict_single")).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "queue", None),
        ("DELETE", "queue", None),
        ("POST", "extend", {"budget": 5}),
        ("POST", "train", None),
    ],
)
def test_a_project_without_a_queue(method: str, path: str, body: Any, client: TestClient) -> None:
    answer = client.request(method, f"/api/projects/7/{path}", json=body)
    assert_problem(answer, 404, "NoSeedQueue", "Project 7 has no seed queue", "seedqueue seed --project 7")


def test_state_and_queue_of_a_published_run(client: TestClient, context: Context) -> None:
    published(context)
    state = client.get("/api/projects/1").json()
    assert (state["run"]["number"], state["run"]["state"], state["published"]) == (3, "published", 3)
    assert state["unreadable"] == [{"task": 14, "uri": "/c.png", "reason": "truncated PNG"}]
    queue = client.get("/api/projects/1/queue").json()
    assert [(task["rank"], task["task"]) for task in queue["queue"]] == [(1, 12), (2, 11)]
    assert queue["run"]["version"] == "Seed queue 3"


def test_state_of_a_run_under_way_shows_its_progress(client: TestClient, context: Context) -> None:
    context.records.save_run(Run(1, 4, "embedding", Choices(2, "hog", "kmeans", 0)))
    progress.start(context.broker, "1-4", 100)
    progress.advance(context.broker, "1-4", 30)
    state = client.get("/api/projects/1").json()
    assert (state["progress"]["total"], state["progress"]["done"]) == (100, 30)
    assert state["progress"]["seconds_left"] > 0
    assert state["published"] is None


def test_a_training_is_enqueued_in_a_lane_of_its_own(client: TestClient, context: Context) -> None:
    published(context)
    for body in (None, {"head": "linear"}):
        answer = client.post("/api/projects/1/train", json=body)
        assert (answer.status_code, answer.json()["outcome"]) == (202, "enqueued")
    assert enqueued(context) == []
    assert enqueued(context, "learn") == [("learning_jobs.consider", [1])]
    assert_problem(client.post("/api/projects/1/train", json={"head": "resnet"}), 422, "InvalidRequest", "vgg11")


def test_the_versions_of_a_project(client: TestClient, context: Context) -> None:
    assert client.get("/api/projects/1/versions").json() == {"versions": []}
    for one in (version(1), version(2)):
        context.versions.save(one)
        context.versions.promote(one)
    found = client.get("/api/projects/1/versions").json()["versions"]
    assert [(one["name"], one["promoted"]) for one in found] == [("linear-1", False), ("linear-2", True)]
    assert client.get("/versions").json() == {"versions": ["project 1: linear-1", "project 1: linear-2"]}
    rolled = client.post("/api/projects/1/rollback")
    assert (rolled.status_code, rolled.json()["name"]) == (200, "linear-1")
    assert client.post("/api/projects/1/versions/2/promote").json()["promoted"]
    assert_problem(client.post("/api/projects/1/versions/9/promote"), 404, "NoSuchVersion", "it has: 1, 2")
    assert_problem(client.post("/api/projects/2/rollback"), 409, "NothingToRollBackTo", "Project 2")


def test_a_round_without_a_head_or_a_queue(client: TestClient, context: Context) -> None:
    assert_problem(client.post("/api/projects/1/round"), 404, "NoSeedQueue", "Project 1")
    published(context)
    asked = client.post("/api/projects/1/round", json={"selector": "entropy"})
    assert_problem(asked, 409, "NoTrainedHead", "'entropy'", "seedqueue train --project 1")


@pytest.mark.parametrize("budget", [1, 2])
def test_an_extension_must_be_longer(budget: int, client: TestClient, context: Context) -> None:
    published(context)
    answer = client.post("/api/projects/1/extend", json={"budget": budget})
    assert_problem(answer, 422, "InvalidRequest", f"has 2 tasks; {budget} is no extension")


def test_an_unknown_route_and_a_wrong_method(client: TestClient) -> None:
    assert_problem(client.get("/api/nothing"), 404, "NotFound", "GET /api/nothing")
    assert_problem(client.get("/predict"), 405, "MethodNotAllowed", "GET /predict")


ROUTES = [
    ("POST", "/setup"),
    ("POST", "/predict"),
    ("POST", "/webhook"),
    ("GET", "/versions"),
    ("GET", "/metrics"),
    ("GET", "/api/projects/1"),
    ("POST", "/api/projects/1/seed"),
    ("POST", "/api/projects/1/extend"),
    ("GET", "/api/projects/1/queue"),
    ("DELETE", "/api/projects/1/queue"),
    ("POST", "/api/projects/1/train"),
    ("GET", "/api/projects/1/versions"),
    ("GET", "/api/projects/1/learning"),
    ("POST", "/api/projects/1/versions/1/promote"),
    ("POST", "/api/projects/1/rollback"),
    ("POST", "/api/projects/1/round"),
    ("GET", "/api/doctor"),
    ("GET", "/api/activity"),
    ("GET", "/api/projects"),
    ("GET", "/api/options"),
    ("GET", "/api/projects/1/pool"),
    ("GET", "/api/projects/1/runs/1/queue"),
    ("POST", "/api/projects/1/runs/1/publish"),
    ("DELETE", "/api/projects/1/runs/1"),
    ("GET", "/api/projects/1/map"),
    ("POST", "/api/projects/1/map"),
    ("GET", "/api/projects/1/tasks/1/why"),
    ("GET", "/api/projects/1/tasks/1/thumbnail"),
    ("GET", "/ui/"),
]


def test_basic_auth_guards_all_but_health(context: Context, serve: Serve, payload: Payload) -> None:
    client = serve(context, basic_auth_user="u", basic_auth_pass="p:w")
    for method, path in [*ROUTES, ("GET", "/ui/main.js")]:
        answer = client.request(method, path, json={})
        assert_problem(answer, 401, "Unauthorised", "BASIC_AUTH_USER")
        assert answer.headers["www-authenticate"] == 'Basic realm="seedqueue"'
    assert client.get("/health").status_code == 200
    assert [client.get(path).status_code for path in ("/docs", "/openapi.json", "/", "/nowhere")] == [401] * 4
    right = {"Authorization": "Basic " + base64.b64encode(b"u:p:w").decode()}
    assert client.post("/webhook", json=payload("ANNOTATION_CREATED"), headers=right).status_code == 202
    assert client.get("/versions", headers=right).status_code == 200
    assert [client.get(path, headers=right).status_code for path in ("/docs", "/openapi.json")] == [404, 404]


def test_every_route_is_among_those_tested(client: TestClient) -> None:
    paths = client.get("/openapi.json").json()["paths"]
    listed = {
        (method.upper(), path.replace("{project}", "1").replace("{number}", "1").replace("{task}", "1"))
        for path, methods in paths.items()
        for method in methods
    }
    assert listed == {*ROUTES, ("GET", "/health")}


def test_what_another_sites_page_sends_is_refused(client: TestClient, context: Context) -> None:
    published(context)
    for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        for method, path in (("DELETE", "/api/projects/1/queue"), ("POST", "/api/projects/1/train")):
            assert_problem(client.request(method, path, headers=headers), 403, "ForeignOrigin", "/ui/")
        assert client.get("/api/projects/1", headers=headers).status_code == 200  # nothing is changed by it
    own = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
    assert client.post("/api/projects/1/train", headers=own).status_code == 202
    assert enqueued(context) == []


def test_the_page_and_its_files(client: TestClient) -> None:
    for path in ("/", "/ui"):
        answer = client.get(path, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (307, "ui/")
    for name, kind in (("", "text/html"), ("main.js", "javascript"), ("style.css", "text/css"), ("plotly.min.js", "")):
        answer = client.get(f"/ui/{name}")
        assert answer.status_code == 200
        assert kind in answer.headers["content-type"]
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    for name in ("nothing.js", "..%2Fapp.py", "%2Fetc%2Fpasswd"):
        assert client.get(f"/ui/{name}").status_code == 404


def test_a_map_that_is_not_drawn_yet(client: TestClient) -> None:
    assert_problem(client.get("/api/projects/1/map"), 404, "NoMap", "POST /api/projects/1/map")
    assert_problem(client.get("/api/projects/1/runs/3/queue"), 404, "NoSuchRun", "no run 3")


def test_stopping_a_dry_run_leaves_the_queue_that_stands(client: TestClient, context: Context) -> None:
    published(context)
    dry = Run(1, 4, "embedding", Choices(2, "hog", "kmeans", 0, dry_run=True))
    context.records.save_run(dry)
    answer = client.delete("/api/projects/1/runs/4")
    assert (answer.status_code, answer.json()["state"]) == (200, "failed")
    assert "stopped" in answer.json()["error"]
    assert client.get("/api/projects/1").json()["published"] == 3
    for number, name in ((4, "NotStoppable"), (3, "NotStoppable"), (9, "NoSuchRun")):
        refused = client.delete(f"/api/projects/1/runs/{number}")
        assert refused.json()["error"] == name
