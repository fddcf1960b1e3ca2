"""Whom a reverse proxy has signed in: its header is believed when the proxy itself sends it, and from nobody else."""

from __future__ import annotations

import logging
from contextlib import suppress

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seedqueue.backend.errors import SeedqueueError, problem
from seedqueue.backend.proxies import Networks, is_among
from seedqueue.backend.same_origin import SAFE
from seedqueue.backend.sub_path import route_path

# Label Studio's and the monitoring's: no person's browser asks for them, Basic Auth guards them.
MACHINES = frozenset({"/health", "/setup", "/predict", "/webhook", "/versions", "/metrics"})
LONGEST_NAME = 200  # in the log

log = logging.getLogger(__name__)


class NotSignedIn(SeedqueueError):
    """A request to the page or its routes that no proxy vouches for."""

    status = 403

    def __init__(self, header: str, reason: str) -> None:
        super().__init__(
            f"This page is for people whom the reverse proxy has signed in, by its header {header} "
            f"(SEEDQUEUE_LOGIN_HEADER), and {reason}."
        )


class Login:
    """ASGI middleware: all but the machines' routes asks for the proxy's header. No header named: all is open.

    header: its name. proxies: the networks of addresses from which it is believed. Every request that may change
    something is logged with who asked and what was answered.
    """

    def __init__(self, app: ASGIApp, header: str, proxies: Networks) -> None:
        self._app = app
        self._header = header
        self._proxies = proxies

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        guarded = self._header and scope["type"] in ("http", "websocket") and route_path(scope) not in MACHINES
        if not guarded:
            await self._app(scope, receive, send)
            return
        client = scope.get("client")
        names = Headers(scope=scope).getlist(self._header)
        if reason := self._doubt(client[0] if client else "", names):
            found = problem(NotSignedIn(self._header, reason))
            refusal = JSONResponse({"error": found.name, "message": found.message}, found.status)
            await refusal(scope, receive, send)
            return
        await self._app(scope, receive, send if scope.get("method") in SAFE else _noted(scope, send, shown(names[0])))

    def _doubt(self, peer: str, names: list[str]) -> str:
        """Why the request is not believed; "" where it is."""
        if not is_among(peer, self._proxies):
            come_from = f"from {peer}" if peer else "without an address"
            return f"this request came {come_from}, which is none of the proxies in SEEDQUEUE_PROXIES"
        if len(names) > 1:
            return "the proxy sent it more than once: let it replace what the browser sends, not add to it"
        if not names or not names[0].strip():
            return "the proxy sent none: sign in there, or let it pass the user's name on"
        return ""


def shown(name: str) -> str:
    """A user's name as the log shows it: UTF-8 where it is that, one line, not endless."""
    with suppress(UnicodeError):  # Latin-1, as HTTP once had it, stays
        name = name.encode("latin-1").decode("utf-8")
    return "".join(one if one.isprintable() else "?" for one in name.strip())[:LONGEST_NAME]


def _noted(scope: Scope, send: Send, name: str) -> Send:
    """`send` that logs the answer's status when it begins."""

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            log.info("%s asked for %s %s: answered %d", name, scope["method"], route_path(scope), message["status"])
        await send(message)

    return sending
