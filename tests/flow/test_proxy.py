"""Behind a lab's reverse proxy: TLS, a sub-path, a login header; Label Studio comes the same way, with Basic Auth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import browsing
import httpx
import pytest
import trustme
from admin_page import AdminPage
from image_server import ImageServer
from playwright.sync_api import Browser
from running import Backend
from sub_path_front import SubPathFront, sub_path_front
from who_asked import published_for

pytestmark = pytest.mark.slow

HEADER = "X-Remote-User"


@pytest.fixture
def front(
    proxy_authority: trustme.CA, proxy_authority_file: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[SubPathFront]:
    monkeypatch.setenv("SSL_CERT_FILE", str(proxy_authority_file))
    with sub_path_front(proxy_authority, "/lab/seedqueue", HEADER) as opened:
        yield opened


def test_all_of_it_through_a_proxys_sub_path(
    front: SubPathFront, make_backend: Callable[..., Backend], images: ImageServer, chromium: Browser, tmp_path: Path
) -> None:
    backend = make_backend(
        backend_url=front.url, login_header=HEADER, basic_auth_user="label-studio", basic_auth_pass="a secret"
    )
    front.target = backend.own_address()

    # Label Studio, which nobody signs in.
    project = backend.new_project(images.urls()[:6])
    attached = backend.attach(project)
    assert (attached.url, attached.state) == (front.url, "CO")
    assert ("POST", "/lab/seedqueue/setup", 200) in front.asked
    more = [{"image": images.urls()[6]}]
    backend.context.studio.call("POST", f"/api/projects/{project}/import", json=more)
    backend.eventually(lambda: ("POST", "/lab/seedqueue/webhook", 202) in front.asked, 20, "the event")

    # People: nobody, somebody who says that he is another, and Anna.
    refused = backend.post(f"/api/projects/{project}/seed", {"budget": 3}, headers={HEADER: "boss"})
    assert (refused.status_code, refused.json()["error"]) == (403, "NotSignedIn")
    assert backend.get("/api/projects", auth=("label-studio", "a secret")).status_code == 403
    front.user = "anna"
    asked = backend.post(f"/api/projects/{project}/seed", {"budget": 3}, headers={HEADER: "boss"})
    published_for(backend, project, asked, "anna", "boss")
    for path in ("", "/ui"):
        assert httpx.get(f"{front.url}{path}/", follow_redirects=True).url == f"{front.url}/ui/"

    # The page, in a browser.
    origin = front.url.removesuffix("/lab/seedqueue")
    with browsing.watched(chromium, origin, tmp_path / "admin", ignore_https_errors=True) as found:
        admin = AdminPage(found.page(), front.url)
        assert len(admin.dry_run(project, 2)) == 2
    assert {status for method, path, status in front.asked if "/ui/" in path} <= {200, 304}
