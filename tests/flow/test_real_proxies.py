"""The document's lines for nginx and Caddy, with these themselves: who comes through, as whom, and who does not."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import browsing
import httpx
import pytest
import trustme
from admin_page import AdminPage
from image_server import ImageServer
from playwright.sync_api import Browser
from real_fronts import ANNA, FRONTS, Answered, executable, running
from running import Backend
from who_asked import published_for

from seedqueue.backend.children import free_port

HEADER, MACHINE = "X-Remote-User", ("label-studio", "a secret")

pytestmark = pytest.mark.soak


@pytest.mark.parametrize("name", FRONTS)
def test_the_documents_lines(
    name: str, make_backend: Callable[..., Backend], images: ImageServer, chromium: Browser, tmp_path: Path,
    proxy_authority: trustme.CA, proxy_authority_file: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    if executable(name) is None:
        pytest.skip(f"{name} is not installed")
    monkeypatch.setenv("SSL_CERT_FILE", str(proxy_authority_file))
    port = free_port()
    origin, url = f"https://127.0.0.1:{port}", f"https://127.0.0.1:{port}/seedqueue"
    backend = make_backend(backend_url=url, login_header=HEADER, basic_auth_user=MACHINE[0], basic_auth_pass=MACHINE[1])
    with running(name, tmp_path, proxy_authority, port, backend.own_address()) as answered:
        backend.eventually(lambda: _answers(url), 20, name)
        project = _machines(backend, url, images, answered)
        _people(backend, url, project)
        login = {"username": ANNA[0], "password": ANNA[1]}
        options = {"ignore_https_errors": True, "http_credentials": login}
        with browsing.watched(chromium, origin, tmp_path / "admin", **options) as found:
            admin = AdminPage(found.page(), url)
            assert len(admin.dry_run(project, 2)) == 2


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health").status_code == 200
    except httpx.TransportError:
        return False


def _machines(backend: Backend, url: str, images: ImageServer, answered: Answered) -> int:
    """Label Studio and Prometheus, whom nobody signs in."""
    project = backend.new_project(images.urls()[:6])
    attached = backend.attach(project)
    assert (attached.url, attached.state) == (url, "CO")
    assert "POST /seedqueue/setup 200" in answered()
    more = [{"image": images.urls()[6]}]
    backend.context.studio.call("POST", f"/api/projects/{project}/import", json=more)
    backend.eventually(lambda: "POST /seedqueue/webhook 202" in answered(), 20, "the event")
    for path in ("versions", "metrics"):
        assert httpx.get(f"{url}/{path}").status_code == 401
        assert httpx.get(f"{url}/{path}", auth=MACHINE).status_code == 200
    large = httpx.post(f"{url}/webhook", content=b" " * (60 << 20), auth=MACHINE, timeout=60)
    assert large.json()["error"] == "InvalidRequest"  # by us, not by the proxy
    return project


def _people(backend: Backend, url: str, project: int) -> None:
    seed = f"{url}/api/projects/{project}/seed"
    for auth in (None, MACHINE):
        assert httpx.post(seed, json={"budget": 3}, headers={HEADER: "boss"}, auth=auth).status_code == 401
    for odd in ("/health/../api/projects", "/health/%2e%2e/api/projects", "//api/projects", "/setup/", "/HEALTH"):
        assert httpx.get(url + odd, headers={HEADER: "boss"}).status_code == 401
    asked = httpx.post(seed, json={"budget": 3}, headers={HEADER: "boss"}, auth=ANNA)
    published_for(backend, project, asked, ANNA[0], "boss")
    for path in ("", "/", "/ui"):
        assert httpx.get(f"{url}{path}", follow_redirects=True, auth=ANNA).url == f"{url}/ui/"
