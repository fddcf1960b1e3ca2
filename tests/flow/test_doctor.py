"""The doctor on the real thing: all green where all is well, and each fault told with its mend."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from image_server import ImageServer
from rq import Worker
from running import Backend

from seedqueue.backend import connection
from seedqueue.backend.children import Children
from seedqueue.backend.context import Context
from seedqueue.backend.demo.annotator import Annotator
from seedqueue.backend.demo.label_studio import LabelStudioServer, sign_up
from seedqueue.backend.demo.project import upload
from seedqueue.backend.doctor import images as pictures
from seedqueue.backend.doctor import link, machine, order, scratch, server
from seedqueue.backend.doctor.examination import examine
from seedqueue.backend.doctor.lines import Line
from seedqueue.backend.settings import child_environment, environment_of

Annotators = Callable[[int, int], list[Annotator]]
OF_THIS_MACHINE = {machine.DISK, machine.PROCESSOR, machine.GPU}  # whatever it is


def about(lines: Sequence[Line], check: str) -> list[Line]:
    return [line for line in lines if line.check == check]


def only(lines: Sequence[Line], check: str) -> Line:
    [line] = about(lines, check)
    return line


def faults(lines: Sequence[Line]) -> dict[str, str]:
    """{check: level} of what is not green, this machine aside."""
    return {line.check: line.level for line in lines if line.level != "green" and line.check not in OF_THIS_MACHINE}


def reds(lines: Sequence[Line]) -> set[str]:
    found = {line.check for line in lines if line.level == "red"}
    assert all(line.mend for line in lines if line.level in ("red", "yellow")), "a fault without its mend"
    return found - OF_THIS_MACHINE


@contextmanager
def otherwise(backend: Backend, **changes: Any) -> Iterator[Context]:
    """The backend's context with some settings changed."""
    with Context(replace(backend.context.settings, **changes)) as context:
        yield context


@pytest.fixture(scope="module")
def seeded(backend: Backend, phantoms: list[Path]) -> Iterator[int]:
    """A project with a queue of 8 that stands; the tests of this module leave it as it is."""
    with ImageServer({file.name: file.read_bytes() for file in phantoms}) as served:
        number = backend.new_project(served.urls())
        backend.attach(number)
        backend.seed(number, budget=8)
        yield number


def test_all_is_green_where_all_is_well(backend: Backend, seeded: int, annotators: Annotators) -> None:
    users = backend.context.studio.call("GET", "/api/users/")
    shown: list[Line] = []
    lines = examine(backend.context, seeded, scratch_user=True, show=shown.append)
    assert faults(lines) == {}
    assert shown == lines
    assert {line.check for line in lines} >= {
        server.REACHABLE,
        server.TOKEN,
        server.VERSION,
        server.BACKEND,
        machine.REDIS,
        machine.WORKERS,
        machine.WEIGHTS,
        link.PRIVATE,
        pictures.CONFIG,
        pictures.IMAGES,
        link.ATTACHED,
        link.REACHED,
        link.WEBHOOK,
        link.EVENT,
        order.PLACE,
        order.MEMBERS,
        order.ORDER,
        scratch.SERVED,
        *OF_THIS_MACHINE,
    }
    assert "legacy token" in only(lines, server.TOKEN).message
    # The scratch user is gone, and its lock with it.
    assert [user["id"] for user in backend.context.studio.call("GET", "/api/users/")] == [user["id"] for user in users]
    [annotator] = annotators(seeded, 1)
    task = annotator.next_task()
    assert task is not None
    assert task["id"] == backend.context.records.queue(seeded, 1)[0].task


def test_the_command_and_the_route_say_the_same(backend: Backend, seeded: int) -> None:
    command = [sys.executable, "-m", "seedqueue.backend.cli", "doctor", "--project", str(seeded), "--json"]
    env = child_environment(**environment_of(backend.context.settings))
    done = subprocess.run(command, env=env, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    typed = json.loads(done.stdout)
    assert typed["worst"] in ("green", "yellow")
    asked = backend.get(f"/api/doctor?project={seeded}").json()
    assert [line["check"] for line in asked["lines"]] == [line["check"] for line in typed["lines"]]
    assert backend.get("/api/activity").json()["events"][0]["action"] == "PROJECT_UPDATED"


@pytest.mark.parametrize("token", ["0" * 40, "eyJhbGciOiJIUzI1NiJ9.eyJ0b2tlbl90eXBlIjoicmVmcmVzaCJ9.c2ln", "schlüssel"])
def test_a_wrong_token_is_red_and_what_needs_it_is_skipped(backend: Backend, seeded: int, token: str) -> None:
    with otherwise(backend, label_studio_api_key=token) as context:
        lines = examine(context, seeded)
    assert reds(lines) == {server.TOKEN}
    line = only(lines, server.TOKEN)
    assert "LABEL_STUDIO_API_KEY" in line.mend
    assert token not in str(lines)
    for check in (server.VERSION, link.PRIVATE, "project", pictures.IMAGES, link.EVENT, order.ORDER):
        assert only(lines, check).level == "skipped"
    assert only(lines, machine.REDIS).level == only(lines, machine.WORKERS).level == "green"


@pytest.mark.slow
def test_a_user_who_is_no_owner_signs_nobody_up(backend: Backend, seeded: int, label_studio: LabelStudioServer) -> None:
    token = sign_up(label_studio, "doctors-colleague@example.com", "a long password")
    users = len(backend.context.studio.call("GET", "/api/users/"))
    with otherwise(backend, label_studio_api_key=token) as context:
        lines = examine(context, seeded, scratch_user=True)
    assert faults(lines) == {scratch.SERVED: "skipped"}
    assert len(backend.context.studio.call("GET", "/api/users/")) == users


@pytest.mark.slow
def test_an_event_that_basic_auth_refuses_is_red_until_the_mend(
    make_backend: Callable[..., Backend], images: ImageServer
) -> None:
    backend = make_backend(basic_auth_user="seed", basic_auth_pass="queue")
    project, studio = backend.new_project(images.urls()[:4]), backend.context.studio
    backend.attach(project)
    [hook] = connection.webhooks(studio, project, backend.url)
    studio.call("PATCH", f"/api/webhooks/{hook['id']}/", json={"url": hook["url"], "headers": {}})
    lines = examine(backend.context, project)
    assert reds(lines) == {link.WEBHOOK, link.EVENT}
    mend = f"seedqueue attach --project {project}"
    assert mend in only(lines, link.WEBHOOK).mend
    assert mend in only(lines, link.EVENT).mend
    backend.attach(project)
    assert reds(examine(backend.context, project)) == set()
    studio.call("PATCH", f"/api/webhooks/{hook['id']}/", json={"url": hook["url"], "is_active": False})
    lines = examine(backend.context, project)
    assert reds(lines) == {link.WEBHOOK}
    assert only(lines, link.EVENT).level == "skipped"
    studio.call("DELETE", f"/api/webhooks/{hook['id']}/")
    assert reds(examine(backend.context, project)) == {link.WEBHOOK}


@pytest.mark.slow
def test_another_sampling_and_a_lost_rank_break_the_order(backend: Backend, images: ImageServer) -> None:
    # Backwards: the first phantom, which hog ranks first, is the last task.
    project, studio = backend.new_project(images.urls()[::-1]), backend.context.studio
    backend.attach(project)
    seeds = [one.task for one in backend.seed(project, budget=8)]
    studio.call("PATCH", f"/api/projects/{project}", json={"sampling": "Sequential sampling"})
    lines = examine(backend.context, project, scratch_user=True)
    line = only(lines, order.PLACE)
    assert line.level == "red"
    assert "'Sequential sampling'" in line.message
    assert "Uncertainty sampling" in line.mend
    assert only(lines, order.ORDER).level == "skipped"
    first = min(backend_tasks(backend, project))
    assert first != seeds[0], "the first task is rank 1 by chance: this test shows nothing"
    assert f"got task {first}" in only(lines, scratch.SERVED).message
    assert only(lines, scratch.SERVED).level != "green"
    studio.call("PATCH", f"/api/projects/{project}", json={"sampling": "Uncertainty sampling"})
    assert reds(examine(backend.context, project)) == set()

    [prediction] = studio.call("GET", "/api/predictions/", params={"task": seeds[2]})
    studio.call("DELETE", f"/api/predictions/{prediction['id']}/")
    lines = examine(backend.context, project)
    assert reds(lines) == {order.ORDER}
    assert "From place 3 on" in only(lines, order.ORDER).message


def backend_tasks(backend: Backend, project: int) -> list[int]:
    answer = backend.context.studio.call("GET", "/api/tasks", params={"project": project, "page_size": 100})
    return [task["id"] for task in answer["tasks"]]


@pytest.mark.slow
def test_a_changed_model_version_is_red_and_what_is_labelled_is_not_missed(
    backend: Backend, images: ImageServer, annotators: Annotators
) -> None:
    project, studio = backend.new_project(images.urls()[:12]), backend.context.studio
    backend.attach(project)
    backend.seed(project, budget=4)
    [annotator] = annotators(project, 1)
    annotator.work(2)
    line = only(examine(backend.context, project), order.ORDER)
    assert (line.level, "The 2 tasks" in line.message) == ("green", True)
    annotator.work(2)
    line = only(examine(backend.context, project, scratch_user=True), order.ORDER)
    assert (line.level, "All tasks" in line.message) == ("green", True)
    attached = connection.find(studio, project, backend.url)
    assert attached is not None
    connection.rename(studio, project, attached, "seedqueue")  # which the model version follows
    lines = about(examine(backend.context, project), order.PLACE)
    assert [line.level for line in lines] == ["red", "yellow"]
    assert "'Seed queue 1'" in lines[0].mend


@pytest.mark.slow
def test_images_of_every_storage_are_looked_at(
    backend: Backend, images: ImageServer, label_studio: LabelStudioServer, phantoms: list[Path]
) -> None:
    web = images.urls()[:5]
    project, studio = backend.new_project(web), backend.context.studio
    upload(studio, project, phantoms[:1], lambda done, total: None)
    gone = [{"image": "/data/local-files/?d=nowhere/x.png"}, {"image": "s3://no-such-bucket/x.png"}, {"image": ""}]
    studio.call("POST", f"/api/projects/{project}/import", json=gone)
    lines = about(examine(backend.context, project), pictures.IMAGES)
    assert [(line.message.partition(":")[0], line.level) for line in lines] == [
        ("web server 127.0.0.1", "green"),
        (pictures.UPLOAD, "green"),
        (pictures.LOCAL, "red"),
        ("S3", "red"),
        (pictures.NONE, "red"),
    ]
    assert "LABEL_STUDIO_LOCAL_FILES_SERVING_ENABLED" in lines[2].mend
    assert "Cloud Storage" in lines[3].mend
    images.faults = {uri.rpartition("/")[2]: (403, b"") for uri in web[:1]}
    assert about(examine(backend.context, project), pictures.IMAGES)[0].level == "yellow"
    images.faults = {uri.rpartition("/")[2]: (403, b"") for uri in web}
    line = about(examine(backend.context, project), pictures.IMAGES)[0]
    assert (line.level, "403" in line.message) == ("red", True)
    with otherwise(backend, image_hosts="") as context:
        line = about(examine(context, project), pictures.IMAGES)[0]
    assert (line.level, "SEEDQUEUE_IMAGE_HOSTS" in line.mend) == ("red", True)


def test_missing_weights_are_red(backend: Backend, images: ImageServer, tmp_path: Path) -> None:
    project = backend.new_project(images.urls()[:4])
    with otherwise(backend, embedder="txrv", weights=tmp_path) as context:
        lines = examine(context, project)
    assert reds(lines) == {machine.WEIGHTS, link.ATTACHED}
    assert "seedqueue weights fetch txrv" in only(lines, machine.WEIGHTS).mend
    assert f"seedqueue attach --project {project}" in only(lines, link.ATTACHED).mend
    for check in (link.REACHED, link.WEBHOOK, link.EVENT, order.PLACE, order.ORDER):
        assert only(lines, check).level == "skipped"


@pytest.mark.slow
def test_without_workers_and_without_the_backend(make_backend: Callable[..., Backend], images: ImageServer) -> None:
    backend = make_backend(workers=0)
    project = backend.new_project(images.urls()[:4])
    backend.attach(project)
    lines = examine(backend.context, project)
    assert reds(lines) == {machine.WORKERS}
    backend.children.terminate_all()
    lines = examine(backend.context, project)
    assert reds(lines) == {machine.REDIS, link.REACHED}
    assert only(lines, server.BACKEND).level == "yellow"
    assert only(lines, machine.WORKERS).level == only(lines, link.EVENT).level == "skipped"


@pytest.mark.soak
def test_a_killed_worker_is_no_worker(make_backend: Callable[..., Backend]) -> None:
    backend = make_backend(workers=1)

    def told() -> str:
        return only(examine(backend.context), machine.WORKERS).message

    backend.eventually(lambda: told() == "2 workers run, 1 of which can learn.", 60, "both workers")
    queue_of_workers = backend.context.broker.queue("embed")
    [one] = Worker.all(queue=queue_of_workers)
    os.kill(one.pid, signal.SIGKILL)
    end = "2 workers run, 1 of which can learn. 1 more gave no sign of life for some seconds."
    backend.eventually(lambda: told() == end, 60, "a new worker, and the dead one's silence")


TEXT = '<View><Text name="text" value="$text"/><Choices name="c" toName="text"><Choice value="a"/></Choices></View>'
NOTE = '<View><Image name="i" value="$image"/><TextArea name="note" toName="i"/></View>'


@pytest.mark.slow
def test_label_configs_that_do_not_do_and_projects_that_are_not_there(backend: Backend) -> None:
    lines = examine(backend.context, backend.new_project([], label_config=TEXT))
    assert reds(lines) == {pictures.CONFIG, link.ATTACHED}
    assert only(lines, pictures.IMAGES).level == "skipped"
    lines = examine(backend.context, backend.new_project([], label_config=NOTE))
    assert only(lines, pictures.CONFIG).level == only(lines, pictures.IMAGES).level == "yellow"
    lines = examine(backend.context, 999_999)
    assert reds(lines) == {"project"}


@pytest.mark.soak
def test_a_label_studio_that_refuses_private_addresses_names_the_variables(
    make_backend: Callable[..., Backend], backend: Backend, images: ImageServer, label_studio: LabelStudioServer
) -> None:
    strict = {"ML_BLOCK_LOCAL_IP": "true", "SSRF_PROTECTION_ENABLED": "true"}
    strict["LABEL_STUDIO_DISABLE_SIGNUP_WITHOUT_LINK"] = "true"
    with Children() as children:
        # A second server on the same database: what was attached through the first one is attached.
        other = LabelStudioServer(children, label_studio._executable, label_studio.data_dir, extra_env=strict)
        other.start()
        served = make_backend(label_studio_url=other.url)
        project = backend.new_project(images.urls()[:6])
        served.seed(project, budget=2)
        connection.attach(backend.context.studio, project, served.url)
        lines = examine(served.context, project, scratch_user=True)
        served.children.terminate_all()
    assert reds(lines) == {link.PRIVATE, link.REACHED, link.EVENT}
    assert "ML_BLOCK_LOCAL_IP=false and SSRF_PROTECTION_ENABLED=false" in only(lines, link.PRIVATE).mend
    assert "SSRF_PROTECTION_ENABLED=false" in only(lines, link.EVENT).mend
    assert only(lines, scratch.SERVED).level == "green"  # by invitation, though sign-up is closed
