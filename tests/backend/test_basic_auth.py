"""Basic Auth comes before everything: every route and method, and nobody's body is read without it."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from seedqueue.backend import basic_auth
from seedqueue.backend.app import create_app
from seedqueue.backend.context import Context
from seedqueue.backend.settings import Settings

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
RIGHT = ("u", "p:w")


@pytest.fixture
def context(redis_url: str, nobody: str, tmp_path: Path) -> Iterator[Context]:
    given = Settings(
        label_studio_url=f"http://{nobody}",
        label_studio_api_key="a" * 40,
        redis_url=redis_url,
        home=tmp_path / "home",
        basic_auth_user=RIGHT[0],
        basic_auth_pass=RIGHT[1],
    )
    with Context(given) as opened:
        yield opened


def header(text: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(text.encode()).decode()}


def test_every_route_with_every_method_is_guarded_but_health(context: Context) -> None:
    app = create_app(context)
    client = TestClient(app, follow_redirects=False)
    paths = {route.path for route in app.routes if hasattr(route, "path")}
    assert len(paths) > 20
    answers = {
        (method, path): client.request(method, path.replace("{project}", "1")).status_code
        for path in paths - {"/health"}
        for method in METHODS
    }
    assert set(answers.values()) == {401}, answers
    assert client.get("/health").status_code == 200
    for path in ("/health/", "//health", "/health/..", "/health%2f", "/Health", "/ui/health"):
        assert client.get(path).status_code == 401, path


def test_nobodys_body_is_read_without_a_password(context: Context) -> None:
    read = 0

    def body() -> Iterator[bytes]:
        nonlocal read
        for _ in range(1000):
            read += 1
            yield b"x" * 1000

    async def never(scope: Any, receive: Any, send: Any) -> None:
        raise AssertionError("the app was asked")

    client = TestClient(basic_auth.BasicAuth(never, *RIGHT))
    assert client.post("/webhook", content=body()).status_code == 401


@pytest.mark.parametrize(
    "given",
    [
        {},
        header("u:p"),
        header("u:wrong"),
        header("x:p:w"),
        header("u:"),
        header("u:p:w "),
        header("U:p:w"),
        header(":"),
        header("u"),
        header(""),
        header("ü:p:w"),
        header("u:p:ŵ"),
        header("u:p:w\0"),
        {"Authorization": "Basic " + base64.b64encode(b"\xff\xfe:\x80").decode()},
        {"Authorization": "Basic ====u:p:w"},
        {"Authorization": "Basic"},
        {"Authorization": "Basic ???"},
        {"Authorization": "Bearer x"},
        {"Authorization": "Token y"},
        {"Authorization": "Bearer " + base64.b64encode(b"u:p:w").decode()},
        {"Authorization": "u:p:w"},
    ],
)
def test_what_is_not_both_halves_is_refused(context: Context, given: dict[str, str]) -> None:
    answer = TestClient(create_app(context)).get("/versions", headers=given)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Basic ")
    assert set(answer.json()) == {"error", "message"}


def test_both_halves_are_compared_in_constant_time_whatever_the_first_says(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[bytes, bytes]] = []
    real = secrets.compare_digest

    def compare(one: bytes, other: bytes) -> bool:
        compared.append((one, other))
        return real(one, other)

    monkeypatch.setattr(basic_auth.secrets, "compare_digest", compare)
    client = TestClient(create_app(context))
    for auth, expected in ((("x", "y"), 401), (("u", "y"), 401), (("x", "p:w"), 401), (RIGHT, 200)):
        compared.clear()
        assert client.get("/versions", auth=auth).status_code == expected
        assert [wanted for _, wanted in compared] == [b"u", b"p:w"]


def test_without_a_user_all_is_open(context: Context) -> None:
    with Context(replace(context.settings, basic_auth_user="", basic_auth_pass="")) as opened:
        assert TestClient(create_app(opened)).get("/versions").status_code == 200
