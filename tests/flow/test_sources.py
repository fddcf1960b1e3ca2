"""Where images come from: uploads, local files, cloud storage; and the tokens with which they are fetched."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import pytest
from running import Backend
from s3_server import S3Server
from tokens import personal_token

from seedqueue.backend import jobs, seeding, settings
from seedqueue.backend import label_studio as connected
from seedqueue.backend.context import Context
from seedqueue.backend.demo.label_studio import LabelStudioServer, sign_up
from seedqueue.backend.demo.project import LABEL_CONFIG, create_project, upload
from seedqueue.backend.embedded_redis import redis_url
from seedqueue.backend.errors import TokenRefused
from seedqueue.backend.fetch import ImageFetcher
from seedqueue.backend.label_studio import Studio
from seedqueue.backend.records import QueuedTask, Run
from seedqueue.models.errors import UnreadableImage

AWKWARD = ["Röntgen Thorax 1.png", "50% + 1 & #2=ä.png"]
PASSWORD = "a long password"
REPORT_CONFIG = (
    '<View><Text name="t" value="$report"/><Choices name="c" toName="t"><Choice value="a"/></Choices></View>'
)
# label-studio-sdk reads the answer to a refreshed token with a call that pydantic has renamed.
SDK_WITH_PAT = pytest.mark.filterwarnings("ignore:The `parse_obj` method is deprecated:DeprecationWarning")


@pytest.fixture(scope="module")
def closed_backend(make_backend: Callable[..., Backend]) -> Backend:
    """A backend that is allowed no host beside Label Studio's and that of its storages, which is an inner one."""
    return make_backend(image_hosts="127.0.0.1")


@pytest.fixture(scope="module")
def pictures(phantoms: list[Path]) -> list[Path]:
    return phantoms[:6]


@pytest.fixture
def bucket(pictures: list[Path]) -> Iterator[S3Server]:
    """Four pictures under `scans/`, two of them with awkward names, and two elsewhere."""
    names = [f"scans/{name}" for name in ("a.png", "b.png", *AWKWARD)] + ["other/c.png", "other/d ä.png"]
    contents = [picture.read_bytes() for picture in pictures]
    with S3Server("radiographs", dict(zip(names, contents, strict=True))) as server:
        yield server


def sums(contents: Sequence[bytes]) -> set[str]:
    return {hashlib.sha256(content).hexdigest() for content in contents}


def fetched(backend: Backend, project: int) -> set[str]:
    """The SHA-256 sums of the images that were fetched for the project and embedded."""
    instance = backend.context.settings.label_studio_url
    return set(backend.context.sources.known(instance, project).values())


def seed(backend: Backend, project: int) -> list[QueuedTask]:
    """Three tasks of the project's pool, every image of which must have been read."""
    queue = backend.seed(project, budget=3)
    assert seeding.status(backend.context, project).unreadable == []
    assert len(queue) == 3
    assert backend.described(project)["model_version"] == "Seed queue 1"
    return queue


def uploaded(studio: Studio, files: Sequence[Path]) -> int:
    project = create_project(studio, "uploads")
    upload(studio, project, files, lambda done, total: None)
    return project


def synced(studio: Studio, kind: str, storage: dict[str, Any]) -> None:
    """Attach a storage and let Label Studio make a task of every file in it."""
    made = studio.call("POST", f"/api/storages/{kind}", json=storage)
    answer: dict[str, Any] = {}
    for _ in range(4):  # sqlite may be locked by a neighbour's write, which fails a sync and not its call
        answer = studio.call("POST", f"/api/storages/{kind}/{made['id']}/sync", json={})
        if answer["status"] == "completed":
            return
    pytest.fail(f"not synced: {answer}")


def import_tasks(studio: Studio, project: int, data: list[dict[str, Any]]) -> None:
    studio.call("POST", f"/api/projects/{project}/import", json=data)


def test_uploads(closed_backend: Backend, pictures: list[Path], tmp_path: Path) -> None:
    files = pictures[:4]
    for name, picture in zip(AWKWARD, pictures[4:], strict=True):
        files.append(tmp_path / name)
        files[-1].write_bytes(picture.read_bytes())
    project = uploaded(closed_backend.context.studio, files)
    queue = seed(closed_backend, project)
    assert all(task.uri.startswith("/data/upload/") for task in queue)
    assert fetched(closed_backend, project) == sums([file.read_bytes() for file in files])


def test_local_files_by_absolute_and_by_relative_address(
    closed_backend: Backend, label_studio: LabelStudioServer, pictures: list[Path]
) -> None:
    studio, folder = closed_backend.context.studio, label_studio.document_root / "Aufnahmen 2026 ö"
    folder.mkdir()
    for name, picture in zip(["a.png", "b.png", *AWKWARD], pictures, strict=False):
        (folder / name).write_bytes(picture.read_bytes())
    project = create_project(studio, "local files")
    synced(studio, "localfiles", {"project": project, "path": str(folder), "use_blob_urls": True})
    for name, picture in zip(["later.png", "später 2.png"], pictures[4:], strict=True):
        (folder / name).write_bytes(picture.read_bytes())
    later = [{"image": f"/data/local-files/?d={folder.name}/{name}"} for name in ("later.png", "später 2.png")]
    import_tasks(studio, project, later)
    seed(closed_backend, project)
    known = closed_backend.context.sources.known(label_studio.url, project)
    absolute = [uri for _, uri in known if uri.startswith(f"{label_studio.url}/data/local-files/")]
    assert len(absolute) == 4
    assert len(known) == 6
    assert set(known.values()) == sums([picture.read_bytes() for picture in pictures])


@pytest.mark.parametrize("presign", [True, False])
@pytest.mark.slow
def test_cloud_storage_through_label_studio(closed_backend: Backend, bucket: S3Server, presign: bool) -> None:
    studio = closed_backend.context.studio
    project = create_project(studio, "cloud")
    import_tasks(
        studio, project, [{"image": f"s3://{bucket.bucket}/{key}"} for key in ("other/c.png", "other/d ä.png")]
    )
    synced(studio, "s3", bucket.storage(project, prefix="scans", presign=presign))
    seed(closed_backend, project)
    assert fetched(closed_backend, project) == sums(list(bucket.objects.values()))
    got = [asked for asked in bucket.asked if asked.key]
    assert {asked.key for asked in got} == set(bucket.objects)
    assert {asked.presigned for asked in got} == {presign}  # False: Label Studio hands the bytes on itself
    assert_token_stayed_home(bucket, studio)


def assert_token_stayed_home(bucket: S3Server, studio: Studio) -> None:
    token = studio.headers()["Authorization"].split()[1]
    assert bucket.asked
    assert [asked for asked in bucket.asked if asked.presigned and "authorization" in asked.headers] == []
    assert [asked for asked in bucket.asked if token in str([*asked.headers.values(), *asked.query.values()])] == []


@pytest.mark.slow
def test_cloud_storage_as_the_api_rewrites_it(closed_backend: Backend, bucket: S3Server) -> None:
    studio = closed_backend.context.studio
    project = create_project(studio, "rewritten")
    synced(studio, "s3", bucket.storage(project, recursive_scan=True))
    rewritten = studio.call("GET", "/api/tasks", params={"project": project, "fields": "task_only"})["tasks"]
    with closing(ImageFetcher(studio, frozenset({"127.0.0.1"}), 10_000_000)) as fetcher:
        contents = [fetcher.fetch(task["id"], task["data"]["image"]).content for task in rewritten]
    resolve = f"{studio.url}/tasks/"
    assert all(task["data"]["image"].startswith(resolve) for task in rewritten)
    assert sums(contents) == sums(list(bucket.objects.values()))
    assert_token_stayed_home(bucket, studio)


def test_what_no_storage_holds_is_listed_and_the_rest_is_published(
    closed_backend: Backend, bucket: S3Server, pictures: list[Path]
) -> None:
    studio = closed_backend.context.studio
    project = create_project(studio, "mixed", REPORT_CONFIG)
    import_tasks(studio, project, [{"report": "a task without an image"}])
    studio.call("PATCH", f"/api/projects/{project}", json={"label_config": LABEL_CONFIG})
    upload(studio, project, pictures[:3], lambda done, total: None)
    synced(studio, "s3", bucket.storage(project, prefix="other"))
    bad = {"s3://elsewhere/x.png": "HTTP 404", f"s3://{bucket.bucket}/gone.png": "HTTP 404", "": "no image field"}
    import_tasks(studio, project, [{"image": uri} for uri in bad if uri])
    queue = closed_backend.seed(project, budget=5)
    assert not {task.uri for task in queue} & set(bad)
    assert len(queue) == 5
    found = {one.uri: one.reason for one in seeding.status(closed_backend.context, project).unreadable}
    assert set(found) == set(bad)
    assert all(reason in found[uri] for uri, reason in bad.items())


@pytest.mark.parametrize(
    "uri",
    [
        "/data/local-files/?d=../../etc/passwd",
        "/data/local-files/?d=%2e%2e/%2e%2e/etc/passwd",
        "/data/local-files/?d=/etc/passwd",
        "/data/local-files/../../etc/passwd",
        "/data/upload/../../etc/passwd",
        "/data/upload/..%2f..%2f..%2fetc/passwd",
        "/etc/passwd",
        "file:///etc/passwd",
        "/api/current-user/token",
        "/api/current-user/whoami",
        "/data/upload/../../api/current-user/whoami",
        "/api/projects/1/export?exportType=JSON",
        "//127.0.0.1/etc/passwd",
        "/logout",
        "{url}/api/users/",
        "{url}/data/local-files/?d=../../../../etc/passwd",
    ],
)
@pytest.mark.slow
def test_neither_files_of_the_machine_nor_label_studios_api_are_images(uri: str, closed_backend: Backend) -> None:
    """What the real Label Studio answers: no file, no answer of its API, and no run that such a task could end."""
    studio = closed_backend.context.studio
    with closing(ImageFetcher(studio, frozenset(), 10_000_000)) as fetcher:
        try:
            content = fetcher.fetch(1, uri.format(url=studio.url)).content
        except UnreadableImage:
            return
    assert uri == "/logout"  # it leads to the page with the login
    assert b"<html" in content
    assert b"root:" not in content


@SDK_WITH_PAT
@pytest.mark.slow
def test_a_personal_access_token_fetches_everything_until_it_is_revoked(
    make_backend: Callable[..., Backend], label_studio: LabelStudioServer, bucket: S3Server, pictures: list[Path]
) -> None:
    sign_up(label_studio, "pat@example.com", PASSWORD)
    token = personal_token(label_studio, "pat@example.com", PASSWORD)
    backend = make_backend(label_studio_api_key=token, image_hosts="127.0.0.1")
    studio = backend.context.studio
    project = uploaded(studio, pictures[:4])
    synced(studio, "s3", bucket.storage(project, prefix="other"))
    assert studio.headers()["Authorization"].startswith("Bearer ")
    seed(backend, project)
    assert fetched(backend, project) == sums([picture.read_bytes() for picture in pictures])
    assert_token_stayed_home(bucket, studio)
    revoked = {"refresh": token.rpartition(".")[0]}  # Label Studio keeps it without the signature
    studio.call("POST", "/api/token/blacklist/", json=revoked)
    with Context(replace(backend.context.settings, label_studio_api_key=label_studio.token)) as context:
        choices = seeding.choices_from({"budget": 2}, context.settings)
        run = backend.ended(seeding.request_seed(context, project, choices))
    assert run.state == "failed"
    assert run.error.startswith(f"Label Studio at {label_studio.url} refuses the token in LABEL_STUDIO_API_KEY")


def clock(ahead: timedelta) -> type[datetime]:
    """A `datetime` whose now is ahead of ours."""

    class Later(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Later:
            return super().now(tz) + ahead

    return Later


@SDK_WITH_PAT
@pytest.mark.slow
def test_an_access_token_is_renewed_before_it_ends(
    label_studio: LabelStudioServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sign_up(label_studio, "renewed@example.com", PASSWORD)
    token = personal_token(label_studio, "renewed@example.com", PASSWORD)
    renewed: list[str] = []
    with closing(Studio(label_studio.url, token)) as studio:
        studio.http.event_hooks = {"request": [lambda request: renewed.append(request.url.path)]}
        first = studio.headers()
        for seconds, count in ((0, 1), (200, 1), (280, 2)):  # it lives 300 s
            monkeypatch.setattr(connected, "datetime", clock(ahead=timedelta(seconds=seconds)))
            headers = studio.headers()
            assert renewed == ["/api/token/refresh/"] * count
            assert (headers == first) == (count == 1)


@pytest.mark.slow
def test_a_wrong_token_is_the_runs_error(
    closed_backend: Backend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = create_project(closed_backend.context.studio, "refused")
    right = closed_backend.context.settings
    wrong = replace(right, label_studio_api_key="0" * 40, home=tmp_path, redis_url=redis_url(right.home))
    for variable, value in settings.environment_of(wrong).items():
        monkeypatch.setenv(variable, value)
    with Context(wrong) as context:
        context.records.save_run(Run(project, 1, "requested", seeding.choices_from({}, wrong)))
        jobs.start(project, 1)
        run = context.records.run(project, 1)
    assert run is not None
    assert run.state == "failed"
    assert run.error == str(TokenRefused(wrong.label_studio_url, "Invalid token."))
