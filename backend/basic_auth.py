"""Basic Auth before anything else is done with a request: nobody without the password has his body read."""

from __future__ import annotations

import base64
import binascii
import secrets

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from seedqueue.backend.errors import Unauthorised, problem

OPEN = "/health"  # Label Studio and container engines ask it without a password
ASKS = {"WWW-Authenticate": 'Basic realm="seedqueue"'}


class BasicAuth:
    """ASGI middleware: whatever the path or method is, `/health` alone is open. An empty user: all is open."""

    def __init__(self, app: ASGIApp, user: str, password: str) -> None:
        self._app = app
        self._wanted = (user, password)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        guarded = scope["type"] in ("http", "websocket") and self._wanted[0] and scope["path"] != OPEN
        if not guarded or self._knows(Headers(scope=scope).get("authorization", "")):
            await self._app(scope, receive, send)
            return
        found = problem(Unauthorised())
        refusal = JSONResponse({"error": found.name, "message": found.message}, found.status, ASKS)
        await refusal(scope, receive, send)

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
