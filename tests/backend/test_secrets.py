"""Tokens and passwords: not in settings as they are shown, errors, log lines, answers, records or metrics."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

import lancedb
import pytest
from fastapi.testclient import TestClient

from seedqueue.backend import seeding
from seedqueue.backend.app import create_app
from seedqueue.backend.broker import Broker
from seedqueue.backend.children import free_port
from seedqueue.backend.context import Context
from seedqueue.backend.errors import KNOWN
from seedqueue.backend.logs import JsonLines
from seedqueue.backend.settings import Settings
from seedqueue.backend.tables import FOLDER

TOKEN, PASSWORD, HUB, REDIS = (f"secret-{name}-{'0' * 20}" for name in ("token", "password", "hub", "redis"))
SECRETS = (TOKEN, PASSWORD, HUB, REDIS)


@pytest.fixture
def context(nobody: str, tmp_path: Path) -> Iterator[Context]:
    given = Settings(
        label_studio_url=f"http://{nobody}/{uuid.uuid4().hex}",
        label_studio_api_key=TOKEN,
        basic_auth_user="admin",
        basic_auth_pass=PASSWORD,
        hub_token=HUB,
        redis_url=f"redis://:{REDIS}@127.0.0.1:{free_port()}/0",
        home=tmp_path / "home",
    )
    with Context(given) as opened:
        yield opened


def check(told: str) -> None:
    assert not [secret for secret in SECRETS if secret in told]


def test_settings_do_not_show_them(context: Context) -> None:
    shown = repr(context.settings)
    check(shown)
    assert "label_studio_url" in shown
    hidden = {f.name for f in fields(Settings) if not f.repr}
    assert hidden >= {"label_studio_api_key", "basic_auth_pass", "hub_token", "redis_url"}


def test_failing_requests_log_lines_and_records_do_not(
    context: Context, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    told = []
    with TestClient(create_app(context), raise_server_exceptions=False) as client:
        for method, path in [
            ("GET", "/api/projects/1"),
            ("POST", "/api/projects/1/seed"),
            ("POST", "/webhook"),
            ("GET", "/metrics"),
            ("GET", "/api/doctor"),
            ("GET", "/api/activity"),
            ("GET", "/api/options"),
        ]:
            for auth in (None, ("admin", "wrong"), ("admin", PASSWORD)):
                answer = client.request(method, path, json={"budget": 2}, auth=auth)
                told.append(answer.text + repr(dict(answer.headers)))
    with pytest.raises(KNOWN) as caught:
        seeding.status(context, 1)
    told.append(repr(caught.value) + str(caught.value))
    with pytest.raises(KNOWN) as caught:
        Broker("redis://:" + REDIS + "@[broken", "x").ping()
    told.append(repr(caught.value) + str(caught.value))
    for record in caplog.records:
        record.ids = {}
        told.append(JsonLines().format(record))
    home = tmp_path / "home" / FOLDER
    for name in lancedb.connect(home).list_tables().tables if home.exists() else []:
        told.append(str(lancedb.connect(home).open_table(name).to_arrow().to_pylist()))
    assert len(told) > 20
    for one in told:
        check(one)
