"""Basic Auth before anything else is done with a request: nobody without the password has his body read."""

from __future__ import annotations

import base64
import binascii
import secrets
from collections.abc import Collection

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from seedqueue.backend.errors import Unauthorised, problem
from seedqueue.backend.sub_path import route_path

OPEN = "/health"  # Label Studio and container engines ask it without a password
ASKS = {"WWW-Authenticate": 'Basic realm="seedqueue"'}


class BasicAuth:
    """ASGI middleware: whatever the path or method is, `/health` alone is open. An empty user: all is open.

    only: the routes that it guards where others have another guard; None: all.
    """

    def __init__(self, app: ASGIApp, user: str, password: str, only: Collection[str] | None = None) -> None:
        self._app = app
        self._wanted = (user, password)
        self._only = only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._guards(scope) or self._knows(Headers(scope=scope).get("authorization", "")):
            await self._app(scope, receive, send)
            return
        found = problem(Unauthorised())
        refusal = JSONResponse({"error": found.name, "message": found.message}, found.status, ASKS)
        await refusal(scope, receive, send)

    def _guards(self, scope: Scope) -> bool:
        if scope["type"] not in ("http", "websocket") or not self._wanted[0]:
            return False
        path = route_path(scope)
        return path != OPEN and (self._only is None or path in self._only)

    def _knows(self, header: str) -> bool:
        """Both halves are compared, and each in a time that does not tell how much of it was right."""
        pairs = zip(_offered(header), self._wanted, strict=True)
        equal = [secrets.compare_digest(offered.encode(), wanted.encode()) for offered, wanted in pairs]
        return all(equal)


def _offered(header: str) -> tuple[str, str]:
    """User and password of an Authorization header; empty ones where it is no such header."""
    scheme, _, credentials = header.partition(" ")
    if scheme.lower() != "basic":
        return "", ""
    try:
        user, _, password = base64.b64decode(credentials.strip(), validate=True).decode().partition(":")
    except (binascii.Error, ValueError):
        return "", ""
    return user, password
