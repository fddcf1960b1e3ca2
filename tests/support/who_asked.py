"""What a seed queue that was asked for through a proxy leaves: a published run, and a line with who asked."""

from __future__ import annotations

import httpx
from running import Backend


def published_for(backend: Backend, project: int, asked: httpx.Response, person: str, pretender: str) -> None:
    """person: whom the proxy signed in. pretender: whom the request's own header named."""
    assert asked.status_code == 202, asked.text
    run = backend.context.records.run(project, 1)
    assert run is not None
    assert backend.ended(run).state == "published"
    log = backend.log_file.read_text()
    assert f"{person} asked for POST /api/projects/{project}/seed: answered 202" in log
    assert pretender not in log
