"""SeedQueueModel under label-studio-ml's own app: 1.0.9 of PyPI here, 2.x with `make test-lsml2`.

Where the two differ, the test branches on the installed version.
"""

import json
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from seedqueue.backend import embedded_redis, settings
from seedqueue.backend.broker import Broker
from seedqueue.backend.children import Children
from seedqueue.backend.errors import InvalidRequest, RedisUnreachable

PAYLOADS = Path(__file__).parents[1] / "payloads"
FIRST = version("label-studio-ml").startswith("1.")
LABEL_CONFIG = "<View><Image name='i' value='$image'/><Choices name='c' toName='i'><Choice value='a'/></Choices></View>"
# 1.0.9 works off an event in a process of its own, which imports torch first.


def payload(name: str) -> Any:
    return json.loads((PAYLOADS / f"{name}.json").read_text())["body"]


@pytest.fixture(scope="module")
def redis_url() -> Iterator[str]:
    with tempfile.TemporaryDirectory(prefix="sq-") as home, Children() as children:
        yield embedded_redis.start(children, Path(home))


@pytest.fixture
def broker(redis_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Broker]:
    """The Redis that the adapter finds in the settings."""
    for variable, _, _ in settings.variables():
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("REDIS_URL", redis_url)
    monkeypatch.setenv("SEEDQUEUE_HOME", str(tmp_path))
    monkeypatch.setenv("LABEL_STUDIO_URL", f"http://127.0.0.1:1/{uuid.uuid4().hex}")
    opened = Broker(redis_url, settings.load().namespace)
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def model_class(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("MODEL_DIR", str(tmp_path_factory.mktemp("models")))  # 2.x makes its cache at import
        from seedqueue.backend.adapter import SeedQueueModel

        yield SeedQueueModel


@pytest.fixture(scope="module")
def client(model_class: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    from label_studio_ml.api import init_app

    options = {"model_dir": str(tmp_path_factory.mktemp("jobs"))} if FIRST else {}
    return init_app(model_class=model_class, **options).test_client()


def enqueued(broker: Broker) -> list[tuple[str, list[Any]]]:
    queue = broker.queue("control")
    jobs = [broker.job(i) for i in queue.get_job_ids() + queue.scheduled_job_registry.get_job_ids()]
    return [(job.func_name.removeprefix("seedqueue.backend."), list(job.args)) for job in jobs if job is not None]


def test_health(client: Any) -> None:
    answer = client.get("/health")
    assert (answer.status_code, answer.json["status"]) == (200, "UP")


def test_setup_and_predict_with_label_studios_own_requests(client: Any) -> None:
    setup = client.post("/setup", json=payload("setup"))
    assert setup.status_code == 200
    # 1.0.9 answers the version of its own last training job, whatever the model says.
    assert setup.json["model_version"] == ("INITIAL" if FIRST else "untrained")
    for name in ("predict_batch", "predict_single", "predict_interactive"):
        body = payload(name)
        predicted = client.post("/predict", json=body)
        assert predicted.status_code == 200
        assert predicted.json["results"] == [[] for _ in body["tasks"]]


def test_start_training_is_enqueued(client: Any, broker: Broker, eventually: Callable[..., Any]) -> None:
    client.post("/setup", json=payload("setup"))
    answer = client.post("/webhook", json=payload("START_TRAINING"))
    assert answer.status_code == 201
    eventually(lambda: enqueued(broker) == [("seeding.start_training", [1])])


def test_constructors_of_both_generations(model_class: Any) -> None:
    if FIRST:
        assert model_class(label_config=LABEL_CONFIG, train_output={}).label_config == LABEL_CONFIG
        assert model_class(label_config=LABEL_CONFIG, hostname="http://ls", access_token="x").hostname == "http://ls"
    else:
        assert model_class("7", label_config=LABEL_CONFIG).project_id == "7"
        assert str(model_class(project_id="7", label_config=LABEL_CONFIG).model_version) == "untrained"


@pytest.mark.parametrize(
    ("name", "job"),
    [
        ("ANNOTATION_CREATED", "jobs.reconcile"),
        ("ANNOTATION_CREATED_skipped", "jobs.reconcile"),
        ("ANNOTATION_UPDATED", "jobs.reconcile"),
        ("ANNOTATIONS_CREATED", "jobs.reconcile"),
        ("ANNOTATIONS_DELETED", "jobs.reconcile"),
        ("TASKS_CREATED_bulk", "jobs.reconcile"),
        ("TASKS_DELETED", "jobs.reconcile"),
        ("START_TRAINING", "seeding.start_training"),
        ("PROJECT_UPDATED", None),
    ],
)
def test_fit_takes_every_event_in_both_calling_forms(
    name: str, job: str | None, model_class: Any, broker: Broker, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = payload(name)
    event = body.pop("action")
    model = model_class(label_config=LABEL_CONFIG)
    for call in (
        lambda: model.fit((), event=event, data=body, job_id="1", workdir="w"),
        lambda: model.fit(event, body),
    ):
        assert call() == {}
        assert enqueued(broker) == ([] if job is None else [(job, [1])])
        monkeypatch.setenv("LABEL_STUDIO_URL", f"http://127.0.0.1:1/{uuid.uuid4().hex}")
        broker.namespace = settings.load().namespace


def test_an_event_without_its_fields_is_refused_by_name(model_class: Any, broker: Broker) -> None:
    with pytest.raises(InvalidRequest, match="'annotation'"):
        model_class(label_config=LABEL_CONFIG).fit("ANNOTATION_CREATED", {"project": {"id": 1}})
    assert enqueued(broker) == []


@pytest.mark.usefixtures("broker")
def test_an_event_without_redis_is_an_error_that_shows(model_class: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1")
    with pytest.raises(RedisUnreachable):
        model_class(label_config=LABEL_CONFIG).fit("START_TRAINING", {"project": {"id": 1}})


if not FIRST:  # 1.0.9 knows no extra params

    @pytest.mark.parametrize("given", [{"budget": 20}, '{"budget": 20}'])
    def test_extra_params_in_either_form_do_not_break_setup(given: Any, client: Any, model_class: Any) -> None:
        answer = client.post("/setup", json={**payload("setup"), "extra_params": given})
        assert answer.status_code == 200
        assert model_class(project_id="1").extra_params == {"budget": 20}


def test_the_app_does_not_import_label_studio_ml() -> None:
    program = "import sys, seedqueue.backend.app; sys.exit('label_studio_ml' in sys.modules or 'torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
