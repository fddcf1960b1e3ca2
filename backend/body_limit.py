"""Refuses bodies that are too large before they are read: a request must not fill the memory of the web process."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from seedqueue.backend.errors import SeedqueueError, problem

# Label Studio sends whole tasks: one with a brush mask in its draft takes some megabytes.
LARGEST = 64 * 2**20


class BodyTooLarge(SeedqueueError):
    status = 413

    def __init__(self, limit: int) -> None:
        super().__init__(f"The body is larger than {limit:,} bytes, which no request to this backend needs.")


class _Exceeded(Exception):
    """The body that is being read has grown too large. FastAPI makes a 400 of it, which is not sent."""


class BodyLimit:
    """ASGI middleware: a body beyond the limit is answered 413, whether it says its length, lies or streams."""

    def __init__(self, app: ASGIApp, limit: int = LARGEST) -> None:
        self._app = app
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        stated = Headers(scope=scope).get("content-length", "0")
        if stated.isdecimal() and int(stated[:20]) > self._limit:
            await self._refuse(scope, receive, send)
            return
        read, begun = 0, False

        async def counted() -> MutableMapping[str, Any]:
            nonlocal read
            message = await receive()
            read += len(message.get("body", b""))
            if read > self._limit:
                raise _Exceeded
            return message

        async def noted(message: MutableMapping[str, Any]) -> None:
            nonlocal begun
            if read > self._limit and not begun:
                return
            begun = begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self._app(scope, counted, noted)
        except _Exceeded:
            if begun:
                raise
        if read > self._limit and not begun:
            await self._refuse(scope, receive, send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        found = problem(BodyTooLarge(self._limit))
        await JSONResponse({"error": found.name, "message": found.message}, found.status)(scope, receive, send)
