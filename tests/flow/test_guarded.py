"""A backend with Basic Auth: what it asks of browsers, and Label Studio's events, which bring the password."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import browsing
import pytest
from admin_page import AdminPage
from image_server import ImageServer
from playwright.sync_api import Browser
from playwright.sync_api import Error as BrowserError
from running import Backend
from taught import Annotators

from seedqueue.backend import connection

pytestmark = pytest.mark.slow

USER, PASSWORD = "admin", "a secret"


@pytest.fixture(scope="module")
def guarded(make_backend: Callable[..., Backend]) -> Backend:
    return make_backend(basic_auth_user=USER, basic_auth_pass=PASSWORD)


def test_with_basic_auth_the_page_asks_for_it(
    guarded: Backend, images: ImageServer, chromium: Browser, tmp_path: Path
) -> None:
    project = guarded.new_project(images.urls()[:3])
    guarded.attach(project)
    for path in ("/ui/", "/ui/main.js", "/api/projects", "/api/options", "/api/doctor", "/api/activity"):
        refused = guarded.get(path)
        assert (refused.status_code, refused.headers["www-authenticate"][:5]) == (401, "Basic"), path
    with browsing.pictured(chromium, tmp_path / "stranger") as context:
        page = context.new_page()
        with pytest.raises(BrowserError, match="ERR_INVALID_AUTH_CREDENTIALS"):
            page.goto(f"{guarded.url}/ui/")
    login = {"username": USER, "password": PASSWORD}
    with browsing.watched(chromium, guarded.url, tmp_path / "admin", http_credentials=login) as found:
        admin = AdminPage(found.page(), guarded.url)
        assert len(admin.dry_run(project, 2)) == 2


def test_basic_auth_reaches_the_webhook_that_label_studio_made(
    guarded: Backend, images: ImageServer, annotators: Annotators
) -> None:
    project = guarded.new_project(images.urls()[:6])
    guarded.attach(project)
    guarded.attach(project)  # attaching twice changes nothing
    assert len(connection.connections(guarded.context.studio, project)) == 1
    assert guarded.post("/webhook", {"action": "PROJECT_UPDATED", "project": {"id": project}}).status_code == 401
    assert guarded.get("/health").status_code == 200
    guarded.seed(project, budget=2)
    key = guarded.context.broker.key("once", f"reconcile-{project}")
    guarded.eventually(lambda: not guarded.context.broker.redis.exists(key), 30, "quiet after publishing")
    [annotator] = annotators(project, 1)
    annotator.work(1)
    guarded.eventually(lambda: guarded.context.broker.redis.exists(key), 30, "the annotation's event")
    guarded.start_training(project)
