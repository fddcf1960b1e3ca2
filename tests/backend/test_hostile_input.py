"""What a stranger may send: bodies too large or too deep, any JSON to any route, label configs that explode."""

from __future__ import annotations

import json
import string
import time
import tracemalloc
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seedqueue.backend.app import create_app
from seedqueue.backend.body_limit import LARGEST, BodyLimit
from seedqueue.backend.context import Context
from seedqueue.backend.label_config import labelling_of_xml
from seedqueue.backend.learning_errors import LabelConfigUnusable
from seedqueue.backend.regions import masks_by_label, read_regions
from seedqueue.backend.settings import Settings

POSTS = ["/setup", "/predict", "/webhook", "/api/projects/1/seed", "/api/projects/1/extend", "/api/projects/1/train"]
POSTS += ["/api/projects/1/round", "/api/projects/1/runs/1/publish", "/api/projects/1/rollback", "/api/projects/1/map"]

FIELDS = (
    "action",
    "project",
    "id",
    "task",
    "tasks",
    "annotation",
    "annotations",
    "result",
    "data",
    "label_config",
    "params",
    "extra_params",
    "budget",
    "embedder",
    "selector",
    "random_seed",
    "tab",
    "weak_label",
    "group_field",
    "per_group",
    "near_duplicate",
    "audit",
    "dry_run",
    "add",
    "remove",
    "head",
)
NAMES = st.sampled_from(FIELDS)
TEXT = st.text(string.printable + "ü\x00\ud800", max_size=12)
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT | st.sampled_from(["START_TRAINING", "1.5", "1"])
)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES | TEXT, inner, max_size=4), max_leaves=12
)


@pytest.fixture
def client(redis_url: str, nobody: str, tmp_path: Path) -> Iterator[TestClient]:
    url = f"http://{nobody}/{uuid.uuid4().hex}"
    given_ = Settings(label_studio_url=url, label_studio_api_key="a" * 40, redis_url=redis_url, home=tmp_path / "home")
    with Context(given_) as context, TestClient(create_app(context)) as opened:
        yield opened


@settings(
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(path=st.sampled_from(POSTS), body=JSON)
def test_any_json_to_any_route_is_answered_by_a_name(client: TestClient, path: str, body: Any) -> None:
    content = json.dumps(body).encode("utf-8", "surrogatepass")
    answer = client.post(path, content=content, headers={"Content-Type": "application/json"})
    assert answer.status_code < 500 or answer.json()["error"] == "LabelStudioUnreachable", answer.text


@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(path=st.sampled_from(POSTS), body=st.binary(max_size=60))
def test_any_bytes_too(client: TestClient, path: str, body: bytes) -> None:
    answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code < 500 or answer.json()["error"] == "LabelStudioUnreachable", answer.text


@pytest.mark.parametrize("body", [b"[" * 100_000, b'{"a":' * 100_000, b'{"action": ' + b"9" * 5000 + b"}"])
def test_json_that_is_too_deep_or_too_long_is_the_senders_fault(client: TestClient, body: bytes) -> None:
    answer = client.post("/webhook", content=body, headers={"Content-Type": "application/json"})
    assert 400 <= answer.status_code < 500


def test_a_body_beyond_the_limit_is_refused_unread(client: TestClient) -> None:
    answer = client.post("/webhook", content=b"{}", headers={"Content-Length": str(LARGEST + 1)})
    assert (answer.status_code, answer.json()["error"]) == (413, "BodyTooLarge")


def test_a_body_that_streams_on_is_cut_off_at_the_limit(client: TestClient) -> None:
    sent = 0

    def endless() -> Iterator[bytes]:
        nonlocal sent
        while sent < 2 * LIMIT:
            sent += 1000
            yield b"x" * 1000

    async def app(scope: Any, receive: Any, send: Any) -> None:
        while (await receive()).get("more_body"):
            pass
        raise AssertionError("it was read to its end")

    answer = TestClient(BodyLimit(app, LIMIT)).post("/", content=endless())
    assert (answer.status_code, answer.json()["error"]) == (413, "BodyTooLarge")


@pytest.mark.parametrize("path", ["/webhook", "/predict", "/api/projects/1/seed"])
def test_the_app_itself_says_so_too(client: TestClient, path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """FastAPI reads bodies itself and makes a 400 of what goes wrong meanwhile."""
    client.app.middleware_stack = None  # type: ignore[attr-defined]
    limited = next(one for one in client.app.user_middleware if one.cls is BodyLimit)  # type: ignore[attr-defined]
    monkeypatch.setitem(limited.kwargs, "limit", LIMIT)
    answer = client.post(path, content=(b"x" * 1000 for _ in range(20)), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["error"]) == (413, "BodyTooLarge")


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("depth", [100, 300, 900, 970, 990])
def test_nested_values_of_any_depth_are_answered_by_a_name(client: TestClient, path: str, depth: int) -> None:
    for key in ("action", "project", "tasks", "budget", "head", "add", "label_config", "annotation"):
        nested = "[" * depth + "]" * depth
        body = f'{{"action":"ANNOTATION_CREATED","project":{{"id":1}},"{key}":{nested}}}'
        answer = client.post(path, content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code < 500 or answer.json()["error"] == "LabelStudioUnreachable", answer.text


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/setup", {"project": "9" * 5000}),
        ("/predict", {"project": "9" * 5000 + ".1", "tasks": []}),
        ("/setup", {"project": str(2**63)}),
        ("/webhook", {"action": "\ud800", "project": {"id": 1}}),
        ("/webhook", {"action": "A" * 10**6, "project": {"id": 1}}),
        ("/api/projects/1/rollback", {"head": "\ud800"}),
        ("/api/projects/1/train", {"head": "\ud800\x00"}),
    ],
)
def test_numbers_and_characters_that_python_or_utf_8_refuse(client: TestClient, path: str, body: Any) -> None:
    answer = client.post(path, content=json.dumps(body), headers={"Content-Type": "application/json"})
    assert answer.status_code < 500, answer.text
    assert len(answer.text) < 1000


LIMIT = 10_000

VIEW = '<View><Image name="i" value="$image"/><Choices name="c" toName="i">{}</Choices></View>'
LAUGHS = "<!DOCTYPE a [<!ENTITY a0 'ha'>{}]>".format(
    "".join(f"<!ENTITY a{n} '{f'&a{n - 1};' * 10}'>" for n in range(1, 12))
) + VIEW.format('<Choice value="&a11;"/>')


@pytest.mark.parametrize(
    "config",
    [
        LAUGHS,
        '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///etc/passwd">]>' + VIEW.format('<Choice value="b"/>&x;'),
        "<View>" * 50_000 + "</View>" * 50_000,
        "<View>" * 500 + VIEW.format("") + "</View>" * 500,
        VIEW.replace("$image", "$" * 11_000_000),
        VIEW.replace('name="i"', ""),
        "<View",
        "",
        "\x00",
    ],
    ids=["billion laughs", "external entity", "deep", "deeper than lxml", "long", "nameless", "cut", "empty", "null"],
)
def test_a_hostile_label_config_is_named_in_no_time(config: str) -> None:
    began = time.monotonic()
    try:
        found = labelling_of_xml(config)
    except LabelConfigUnusable:
        found = None
    assert time.monotonic() - began < 5
    assert "root:" not in repr(found)


def region(kind: str, value: dict[str, Any], width: Any = 64, height: Any = 64) -> dict[str, Any]:
    size = {"original_width": width, "original_height": height}
    return {"id": "r", "from_name": "m", "to_name": "i", "type": kind, "value": {kind: ["a"], **value}, **size}


@pytest.mark.parametrize(
    "item",
    [
        region("brushlabels", {"format": "rle", "rle": [255] * 50}, 10**6, 10**6),
        region("brushlabels", {"format": "rle", "rle": [255, 255, 255, 255, 0, 0]}, 32768, 32768),
        region("brushlabels", {"format": "rle", "rle": [-1, 300, 2.5, "x"]}),
        region("brushlabels", {"format": "rle", "rle": "AAAA"}),
        region("polygonlabels", {"points": [[float("nan"), 1], [2, 3], [4, 5]]}),
        region("polygonlabels", {"points": [[n % 100, 100 * (n % 2)] for n in range(100_000)]}, 7000, 7000),
        region("polygonlabels", {"points": [[1e308, 1e308], [-1e308, 3], [4, 5]]}),
        region("rectanglelabels", {"x": 1, "y": 1, "width": 1e300, "height": -5, "rotation": float("inf")}),
        region("rectanglelabels", {"x": 1, "y": 1, "width": 5, "height": 5}, -3, 2.5),
        region("ellipselabels", {"x": 1, "y": 1, "radiusX": 0, "radiusY": 0}),
        region("brushlabels", {"format": "rle", "rle": [1]}, 10**30, None),
    ],
)
def test_hostile_regions_cost_neither_time_nor_memory(item: dict[str, Any]) -> None:
    began = time.monotonic()
    tracemalloc.start()
    regions, problems = read_regions([item], ["a"])
    masks_by_label(regions, ["a"], regions[0].height, regions[0].width) if regions and not problems else None
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert len(regions) + len(problems) >= 1
    assert most < 200e6
    assert time.monotonic() - began < 5
