"""Behind a reverse proxy: who is signed in is what the proxy says, and nobody else; and its sub-path."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from seedqueue.backend import login
from seedqueue.backend.app import create_app
from seedqueue.backend.context import Context
from seedqueue.backend.errors import InvalidSetting
from seedqueue.backend.proxies import is_among, networks
from seedqueue.backend.settings import Settings, load

PROXY = ("172.18.0.2", 40000)
STRANGER = ("172.19.0.2", 40000)
ANNA = {"X-Remote-User": "anna"}
BASIC = ("u", "p:w")
OPEN_PATH = "/health"
LET_THROUGH = "/api/projects/0/queue"  # answered 422, at no cost


@pytest.fixture
def context(redis_url: str, nobody: str, tmp_path: Path) -> Iterator[Context]:
    given = Settings(
        label_studio_url=f"http://{nobody}",
        label_studio_api_key="a" * 40,
        redis_url=redis_url,
        home=tmp_path / "home",
        backend_url="https://lab.example/seedqueue",
        basic_auth_user=BASIC[0],
        basic_auth_pass=BASIC[1],
        login_header="X-Remote-User",
        proxies="172.18.0.0/16",
    )
    with Context(given) as opened:
        yield opened


def browser(context: Context, client: tuple[str, int] = PROXY) -> TestClient:
    app = create_app(context)

    async def connected(scope: Any, receive: Any, send: Any) -> None:
        """As if from this address: the lowest Starlette's client always comes from the same."""
        await app({**scope, "client": client}, receive, send)

    return TestClient(connected, follow_redirects=False)


def paths_of(context: Context) -> set[str]:
    return {route.path.replace("{project}", "1") for route in create_app(context).routes if hasattr(route, "path")}


def test_every_route_but_the_machines_asks_for_the_header(context: Context) -> None:
    persons = paths_of(context) - login.MACHINES
    assert len(persons) > 20
    page = browser(context)
    for prefix in ("", "/seedqueue"):
        answers = {
            (method, path): page.request(method, prefix + path, auth=BASIC).status_code
            for path in {*persons, "/docs", "/openapi.json", "/nowhere", "/health/", "//setup", "/Setup", "/ui/setup"}
            for method in ("GET", "POST", "DELETE", "OPTIONS")
        }
        assert set(answers.values()) == {403}, answers


def test_the_header_opens_the_page_and_its_routes_and_no_machines_route(context: Context) -> None:
    page = browser(context)
    for path in ("/ui/", "/ui/main.js", "/seedqueue/ui/"):
        assert page.get(path, headers=ANNA).status_code == 200, path
    assert page.get(LET_THROUGH, headers=ANNA).status_code == 422
    assert paths_of(context) >= login.MACHINES
    for path in login.MACHINES - {OPEN_PATH}:
        for prefix in ("", "/seedqueue"):
            assert page.get(prefix + path, headers=ANNA).status_code == 401, path
            assert page.get(prefix + path, auth=BASIC).status_code in (200, 405), path
    for prefix in ("", "/seedqueue"):
        assert page.get(prefix + OPEN_PATH).status_code == 200


@pytest.mark.parametrize(
    ("client", "headers", "told"),
    [
        (PROXY, [], "the proxy sent none"),
        (PROXY, [("X-Remote-User", " ")], "the proxy sent none"),
        (PROXY, [("X-Remote-User", "anna"), ("x-remote-user", "boss")], "more than once"),
        (STRANGER, [("X-Remote-User", "anna")], "from 172.19.0.2, which is none of the proxies in SEEDQUEUE_PROXIES"),
        (STRANGER, [("X-Remote-User", "anna"), ("X-Forwarded-For", "172.18.0.2")], "from 172.19.0.2"),
        (("", 0), [("X-Remote-User", "anna")], "without an address"),
    ],
)
def test_what_is_not_believed_is_refused_with_its_reason(
    context: Context, client: tuple[str, int], headers: list[tuple[str, str]], told: str
) -> None:
    answer = browser(context, client).get(LET_THROUGH, headers=headers)
    assert (answer.status_code, answer.json()["error"]) == (403, "NotSignedIn")
    assert told in answer.json()["message"]
    assert "X-Remote-User" in answer.json()["message"]


def test_without_the_setting_the_header_means_nothing(context: Context) -> None:
    with Context(replace(context.settings, login_header="")) as opened:
        assert browser(opened).get(LET_THROUGH, headers=ANNA).status_code == 401
        assert browser(opened).get(LET_THROUGH, auth=BASIC).status_code == 422


def test_who_asked_for_a_change_stands_in_the_log(context: Context, caplog: pytest.LogCaptureFixture) -> None:
    page = browser(context)
    with caplog.at_level(logging.INFO, logger="seedqueue"):
        page.get(LET_THROUGH, headers=ANNA)
        page.post("/seedqueue/api/projects/0/seed", headers={"X-Remote-User": "Jörg Müller".encode()})
        page.post("/api/projects/0/seed", headers={"X-Remote-User": b"M\xfcller\x1b[31m" + b"x" * 300})
        page.post("/api/projects/0/seed", headers={**ANNA, "Sec-Fetch-Site": "cross-site"})
        page.post("/api/projects/0/seed")
    told = [record.getMessage() for record in caplog.records if record.name == login.__name__]
    assert told[0] == "Jörg Müller asked for POST /api/projects/0/seed: answered 422"
    assert told[1].startswith("Müller?[31mxxx")
    assert len(told[1]) < login.LONGEST_NAME + 60
    assert len(told) == 2


def test_a_page_of_the_proxys_own_origin_may_change_and_no_other(context: Context) -> None:
    page = browser(context)
    for host in ({"Host": "lab.example"}, {"Host": "backend:9090", "X-Forwarded-Host": "lab.example"}):
        own = page.post("/api/projects/0/seed", headers={**ANNA, **host, "Origin": "https://lab.example"})
        assert own.json()["error"] == "InvalidRequest"
        other = page.post("/api/projects/0/seed", headers={**ANNA, **host, "Origin": "https://evil.example"})
        assert other.json()["error"] == "ForeignOrigin"


def test_no_redirect_leaves_the_sub_path(context: Context) -> None:
    page = browser(context)
    locations = {path: page.get(path, headers=ANNA).headers.get("location") for path in ("/", "/ui", "/seedqueue")}
    assert locations == {"/": "ui/", "/ui": "ui/", "/seedqueue": "/seedqueue/ui/"}
    assert page.get("/seedqueue/", headers=ANNA).headers["location"] == "ui/"
    for path in ("/api/options/", "/ui/main.js/", "/setup/", "/seedqueued/ui/"):
        assert page.get(path, headers=ANNA).status_code == 404, path


def test_the_routes_documentation_knows_the_sub_path_and_is_not_there_for_who_signs_in(context: Context) -> None:
    with Context(replace(context.settings, login_header="", basic_auth_user="", basic_auth_pass="")) as opened:
        for prefix in ("", "/seedqueue"):
            page = browser(opened)
            assert "'/seedqueue/openapi.json'" in page.get(f"{prefix}/docs").text
            described = page.get(f"{prefix}/openapi.json").json()
            assert described["servers"] == [{"url": "/seedqueue"}]
            assert "/api/options" in described["paths"]
    with Context(replace(context.settings, basic_auth_user="", basic_auth_pass="")) as opened:
        assert {browser(opened).get(path, headers=ANNA).status_code for path in ("/docs", "/openapi.json")} == {404}


@pytest.mark.parametrize(
    ("peer", "expected"),
    [
        ("127.0.0.1", True),
        ("::ffff:127.0.0.1", True),
        ("::1", True),
        ("10.1.2.3", True),
        ("10.2.0.1", False),
        ("127.0.0.2", False),
        ("testclient", False),
        ("", False),
    ],
)
def test_is_among(peer: str, expected: bool) -> None:
    assert is_among(peer, networks("127.0.0.1, ::1,10.1.0.9/16,")) is expected


def test_settings() -> None:
    given = {"SEEDQUEUE_LOGIN_HEADER": "X-Remote-User", "SEEDQUEUE_BACKEND_URL": "https://lab.example/tools/seed/"}
    loaded = load(given)
    assert (loaded.sub_path, load({}).sub_path) == ("/tools/seed", "")
    assert is_among("127.0.0.1", loaded.proxy_networks)
    for variable, wrong in (
        ("SEEDQUEUE_LOGIN_HEADER", "X_Remote_User"),
        ("SEEDQUEUE_LOGIN_HEADER", "X-User:"),
        ("SEEDQUEUE_LOGIN_HEADER", "Authorization"),
        ("SEEDQUEUE_LOGIN_HEADER", "X-Forwarded-For"),
        ("SEEDQUEUE_PROXIES", "traefik"),
        ("SEEDQUEUE_PROXIES", "10.0.0.0/33"),
    ):
        with pytest.raises(InvalidSetting, match=variable):
            load({variable: wrong})
