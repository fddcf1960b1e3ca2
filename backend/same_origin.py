"""Refuses what another site's page makes a browser send: the browser would add the user's password of itself.

Fetch metadata (W3C) where the browser sends it, else the Origin header against Host. What is no browser, as Label
Studio, the command line or a script, sends neither.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from seedqueue.backend.errors import problem
from seedqueue.backend.page_errors import ForeignOrigin

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
OWN_SITES = frozenset({"same-origin", "none"})  # none: the user typed the address


class SameOrigin:
    """ASGI middleware: methods that change something are for our own pages and for programs."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] not in SAFE:
            headers = Headers(scope=scope)
            # A proxy may rewrite Host; what it was no other site's page can forge, a browser would ask first.
            hosts = [headers.get("host", ""), headers.get("x-forwarded-host", "")]
            if is_foreign(headers.get("sec-fetch-site"), headers.get("origin"), hosts):
                found = problem(ForeignOrigin(headers.get("origin", "")))
                refusal = JSONResponse({"error": found.name, "message": found.message}, found.status)
                await refusal(scope, receive, send)
                return
        await self._app(scope, receive, send)


def is_foreign(fetch_site: str | None, origin: str | None, hosts: Collection[str]) -> bool:
    """Whether a request comes from another site's page; `hosts` are the names under which it reached us."""
    if fetch_site is not None:
        return fetch_site not in OWN_SITES
    if origin is None:
        return False
    try:
        return urlsplit(origin).netloc.lower() not in {host.lower() for host in hosts if host}
    except ValueError:
        return True
