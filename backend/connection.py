"""The connection from a Label Studio project to this backend: made, found, renamed, its webhook authorised."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from seedqueue.backend.errors import BackendRefused, InvalidRequest, LabelStudioRefused
from seedqueue.backend.label_studio import Studio

TITLE = "seedqueue"
BASIC_AUTH = "BASIC_AUTH"


@dataclass(frozen=True)
class Connection:
    """One ML backend of a project, as Label Studio knows it; `user` where it has Basic Auth.

    state: "CO" where Label Studio has just reached it, "DI" where it has not, "ER" with the `error` of /setup.
    """

    number: int
    title: str
    url: str
    extra_params: Any
    user: str
    state: str = ""
    error: str = ""


def connections(studio: Studio, project: int) -> list[Connection]:
    """All connections of a project. (Asking makes Label Studio call the backend's /health and /setup.)"""
    found = studio.call("GET", "/api/ml", project=project, params={"project": project})
    return [
        Connection(
            entry["id"],
            entry.get("title") or "",
            entry["url"].rstrip("/"),
            entry.get("extra_params"),
            entry.get("basic_auth_user") or "" if entry.get("auth_method") == BASIC_AUTH else "",
            entry.get("state") or "",
            entry.get("error_message") or "",
        )
        for entry in found
    ]


def find(studio: Studio, project: int, backend_url: str) -> Connection | None:
    """The project's connection to this backend, or None where it is not attached."""
    return ours(connections(studio, project), backend_url)


def ours(present: Iterable[Connection], backend_url: str) -> Connection | None:
    """The one among connections that leads to this backend."""
    return next((c for c in present if _same(c.url, backend_url)), None)


def attach(studio: Studio, project: int, backend_url: str, user: str = "", password: str = "") -> Connection:
    """Connect the backend to the project and authorise its webhook; attaching twice changes nothing.

    Label Studio makes the webhook itself, without headers: with Basic Auth on the backend its events
    would be refused and lost, so the header is put in here. Raises `BackendRefused`, `ProjectNotFound`,
    `TokenRefused`.
    """
    studio.call("GET", f"/api/projects/{project}", project=project)
    body = {"project": project, "url": backend_url, **_auth(user, password)}
    present = find(studio, project, backend_url)
    try:
        if present is None:
            studio.call("POST", "/api/ml", json={**body, "title": TITLE, "is_interactive": False})
        else:
            studio.call("PATCH", f"/api/ml/{present.number}", json={**body, "title": present.title})
    except LabelStudioRefused as error:
        raise BackendRefused(backend_url, str(error)) from error
    authorise_webhook(studio, project, backend_url, user, password)
    attached = [found for found in connections(studio, project) if _same(found.url, backend_url)]
    if not attached:
        raise BackendRefused(backend_url, "it is not among the project's connections after attaching")
    # A creation that met a locked database is repeated, and Label Studio may have kept a part of the first.
    for extra in attached[1:] if present is None else ():
        studio.call("DELETE", f"/api/ml/{extra.number}", missing_ok=True)
    return attached[0]


def authorise_webhook(studio: Studio, project: int, backend_url: str, user: str, password: str) -> None:
    headers = webhook_headers(user, password)
    for hook in webhooks(studio, project, backend_url):
        if hook.get("headers", {}) != headers:
            change = {"url": hook["url"], "headers": headers}
            studio.call("PATCH", f"/api/webhooks/{hook['id']}/", json=change)


def webhooks(studio: Studio, project: int, backend_url: str) -> list[dict[str, Any]]:
    """The project's webhooks to this backend, as Label Studio describes them."""
    found = studio.call("GET", "/api/webhooks/", params={"project": project})
    return [hook for hook in found if _same(hook["url"], f"{backend_url.rstrip('/')}/webhook")]


def webhook_headers(user: str, password: str) -> dict[str, str]:
    """The headers with which the backend lets an event in."""
    if not user:
        return {}
    token = base64.b64encode(f"{user}:{password}".encode()).decode()
    return {"Authorization": f"Basic {token}"}


def rename(studio: Studio, project: int, connection: Connection, title: str) -> None:
    """Give the connection another title; a project whose model version is the old title follows at once."""
    # The title alone is a 500 in Label Studio 1.23: it wants the url too.
    # It checks the connection anew, and takes an empty password for the one that it has.
    change = {"title": title, "url": connection.url, "project": project, **_auth(connection.user, "")}
    studio.call("PATCH", f"/api/ml/{connection.number}", json=change)


def _same(one: str, other: str) -> bool:
    return _canonical(one) == _canonical(other)


def _canonical(url: str) -> str:
    """The URL as it is compared: an admin types localhost where the setting has 127.0.0.1."""
    url = url.rstrip("/")
    try:
        parts = urlsplit(url)
        host = {"127.0.0.1": "localhost"}.get(parts.hostname or "", parts.hostname or "")
        port = parts.port or {"http": 80, "https": 443}.get(parts.scheme)
    except ValueError:  # another backend's address, whatever it is, is not ours
        return url
    return urlunsplit(parts._replace(netloc=f"{host}:{port}"))


def _auth(user: str, password: str) -> dict[str, str]:
    if not user:
        return {"auth_method": "NONE"}
    return {"auth_method": BASIC_AUTH, "basic_auth_user": user, "basic_auth_pass": password}


def extra_params(connection: Connection | None) -> dict[str, Any]:
    """The connection's "Any extra params": a dict, or a JSON string when the admin quoted them.

    Raises `InvalidRequest` where they are neither.
    """
    given = connection.extra_params if connection else None
    if not given:
        return {}
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError as error:
            raise InvalidRequest(f"The connection's extra params are no JSON: {given!r}.") from error
    if not isinstance(given, Mapping):
        raise InvalidRequest(f"The connection's extra params are no JSON object: {given!r}.")
    return dict(given)
