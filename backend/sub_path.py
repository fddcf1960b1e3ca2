"""The path of a reverse proxy under which we lie, as in https://lab.example/seedqueue/; it may take it off, or not."""

from __future__ import annotations

from starlette.responses import RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send


class SubPath:
    """ASGI middleware: the app's routes answer with and without the prefix, and know of it (ASGI's `root_path`).

    prefix: as in `/seedqueue`, without a slash at its end; "" changes nothing.
    """

    def __init__(self, app: ASGIApp, prefix: str) -> None:
        self._app = app
        self._prefix = prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if not self._prefix or scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        if scope["path"] == self._prefix:  # a relative redirect would lead beside it
            await RedirectResponse(f"{self._prefix}/ui/")(scope, receive, send)
            return
        under = scope["path"].startswith(f"{self._prefix}/")
        path = scope["path"] if under else self._prefix + scope["path"]
        await self._app({**scope, "path": path, "root_path": self._prefix}, receive, send)


def route_path(scope: Scope) -> str:
    """The path as the routes are written, without the proxy's prefix."""
    return str(scope["path"]).removeprefix(scope.get("root_path", ""))
