"""label-studio-ml 1.0.9 pins an old Flask and Werkzeug: no request reaches them."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PROGRAM = """
    import sys
    from fastapi.testclient import TestClient
    from seedqueue.backend import app as module, settings
    from seedqueue.backend.context import Context

    entered = set()

    def watch(frame, event, argument):
        name = frame.f_globals.get("__name__", "").partition(".")[0]
        if event == "call" and name in ("flask", "werkzeug", "jinja2"):
            entered.add(name)

    import label_studio_ml.model  # as the adapter does
    client = TestClient(module.create_app(Context(settings.load())))
    import threading
    threading.setprofile(watch)
    sys.setprofile(watch)
    codes = []
    for route in client.app.routes:
        path = route.path.replace("{project}", "1").replace("{number}", "1").replace("{task}", "1")
        for method in sorted(getattr(route, "methods", None) or []):
            codes.append(client.request(method, path, json={}).status_code)
    sys.setprofile(None)
    assert len(codes) > 25 and 200 in codes, codes
    assert not entered, entered
"""


def test_no_request_enters_flask_or_werkzeug(redis_url: str, nobody: str, tmp_path: Path) -> None:
    env = {
        **os.environ,
        "REDIS_URL": redis_url,
        "SEEDQUEUE_HOME": str(tmp_path / "home"),
        "LABEL_STUDIO_URL": f"http://{nobody}",
        "LABEL_STUDIO_API_KEY": "a" * 40,
    }
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(PROGRAM)],
        env=env,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr[-2000:]
