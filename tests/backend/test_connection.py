"""What Label Studio's answers become, from canned ones; the calls to a real one are in tests/flow."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from seedqueue.backend.connection import Connection, attach, extra_params, find
from seedqueue.backend.errors import BackendRefused, InvalidRequest, LabelStudioRefused, SeedqueueError, TokenRefused
from seedqueue.backend.label_studio import Studio

URL = "http://label-studio:8080"


def studio(answer: Callable[[httpx.Request], httpx.Response]) -> Studio:
    made = Studio(URL, "a" * 40)
    made.http = httpx.Client(transport=httpx.MockTransport(answer))
    return made


def entry(url: str) -> dict[str, Any]:
    return {"id": 1, "title": "seedqueue", "url": url}


@pytest.mark.parametrize(
    ("status", "error"), [(401, TokenRefused), (403, LabelStudioRefused), (405, LabelStudioRefused)]
)
def test_only_401_is_about_the_token(status: int, error: type[SeedqueueError]) -> None:
    with pytest.raises(error, match="no such right"):
        studio(lambda request: httpx.Response(status, json={"detail": "no such right"})).call("GET", "/api/ml")


@pytest.mark.parametrize(
    ("location", "address"),
    [("https://ls.example.org/api/ml", "https://ls.example.org"), ("/user/login/?next=/api/ml", URL)],
)
def test_a_redirect_is_refused_and_names_the_address_to_set(location: str, address: str) -> None:
    redirects = studio(lambda request: httpx.Response(301, headers={"Location": location}))
    with pytest.raises(LabelStudioRefused) as refused:
        redirects.call("POST", "/api/ml", json={})
    message = str(refused.value)
    assert message.startswith(f"Label Studio at {URL} answered 301: it redirects to ")
    assert location in message
    assert message.endswith(f"Set LABEL_STUDIO_URL to that address: {address}")


def test_a_reserved_address_names_the_two_switches_and_no_token() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            return httpx.Response(403, json={"detail": "URL resolves to a reserved network address (127.0.0.0/8)"})
        return httpx.Response(200, json=[])

    with pytest.raises(BackendRefused) as refused:
        attach(studio(answer), 1, "http://127.0.0.1:9090")
    message = str(refused.value)
    assert "reserved network address" in message
    assert "ML_BLOCK_LOCAL_IP" in message
    assert "SSRF_PROTECTION_ENABLED" in message
    assert "token" not in message.lower()


def test_a_refused_token_is_no_refused_backend() -> None:
    refuses = studio(lambda request: httpx.Response(401, json={"detail": "Invalid token."}))
    with pytest.raises(TokenRefused):
        attach(refuses, 1, "http://127.0.0.1:9090")


@pytest.mark.parametrize(
    ("known", "ours", "same"),
    [
        ("http://localhost:9090", "http://127.0.0.1:9090/", True),
        ("http://127.0.0.1:9090/", "http://LocalHost:9090", True),
        ("http://seedqueue", "http://seedqueue:80", True),
        ("http://localhost:9090", "http://127.0.0.1:9091", False),
        ("http://localhost:9090/a", "http://localhost:9090/b", False),
        ("http://localhost:9090", "https://localhost:9090", False),
        ("http://[broken", "http://localhost:9090", False),
        ("http://h:99999", "http://localhost:9090", False),
    ],
)
def test_localhost_is_this_machine(known: str, ours: str, same: bool) -> None:
    found = find(studio(lambda request: httpx.Response(200, json=[entry(known)])), 1, ours)
    assert (found is not None) is same


def test_the_webhook_of_the_same_machine_is_authorised() -> None:
    changed: list[str] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "PATCH":
            changed.append(request.url.path)
        if request.url.path == "/api/webhooks/":
            return httpx.Response(200, json=[{"id": 7, "url": "http://localhost:9090/webhook", "headers": {}}])
        return httpx.Response(200, json=[entry("http://localhost:9090")])

    attach(studio(answer), 1, "http://127.0.0.1:9090", "user", "password")
    assert changed == ["/api/ml/1", "/api/webhooks/7/"]


def given(params: Any) -> dict[str, Any]:
    return extra_params(Connection(number=1, title="seedqueue", url="http://b", extra_params=params, user=""))


def test_a_dict_is_taken_as_it_is() -> None:
    assert given({"budget": 20, "selector": "uniform"}) == {"budget": 20, "selector": "uniform"}


def test_a_json_string_is_read() -> None:
    assert given('{"budget": 20}') == {"budget": 20}


@pytest.mark.parametrize("nothing", [None, "", {}, "{}"])
def test_nothing_given(nothing: Any) -> None:
    assert given(nothing) == {}


def test_not_attached() -> None:
    assert extra_params(None) == {}


@pytest.mark.parametrize("nonsense", ["budget=20", "{'budget': 20}", "[1]", "20", "null", [1], 20])
def test_nonsense_is_shown(nonsense: Any) -> None:
    with pytest.raises(InvalidRequest, match="extra params are no JSON"):
        given(nonsense)
