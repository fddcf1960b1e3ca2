"""The link between a project and this backend, both ways: attached, reached, events that arrive."""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from seedqueue.backend import activity, connection, events
from seedqueue.backend.connection import Connection
from seedqueue.backend.doctor.lines import Line
from seedqueue.backend.doctor.subject import Subject
from seedqueue.backend.errors import LabelStudioRefused
from seedqueue.backend.label_studio import Studio

PRIVATE, ATTACHED, REACHED = "private addresses", "attached", "backend from Label Studio"
WEBHOOK, EVENT = "webhook", "event"
EVENT_SECONDS = 2.0
POLL_SECONDS = 0.02
PROBE = "PROJECT_UPDATED"
NOWHERE = 0  # the number of no project: what is asked for it is checked and never made
WANTED = frozenset(events.ACTIONS) - {"START_TRAINING"}  # which comes without a webhook
ALLOWS = "Start Label Studio with"
CAUSES = (PRIVATE, WEBHOOK, "workers")  # checks whose fault may be that events are lost


def private_addresses(studio: Studio, backend_url: str) -> Sequence[Line]:
    """Whether Label Studio takes our address at all: asked for a project that does not exist, so nothing is made."""
    asked = {"ML_BLOCK_LOCAL_IP": ("/api/ml", ""), "SSRF_PROTECTION_ENABLED": ("/api/webhooks/", "/webhook")}
    told = {variable: _refusal(studio, path, backend_url + end) for variable, (path, end) in asked.items()}
    return [private_line(backend_url, told)]


def _refusal(studio: Studio, path: str, url: str) -> str:
    try:
        studio.call("POST", path, json={"url": url, "project": NOWHERE})
    except LabelStudioRefused as error:
        return str(error)
    return ""


def private_line(backend_url: str, told: Mapping[str, str]) -> Line:
    """told: by the variable that allows it, what Label Studio said to our address."""
    blocked = [variable for variable, message in told.items() if "reserved" in message]
    if blocked:
        what = {"ML_BLOCK_LOCAL_IP": "attaching a backend there", "SSRF_PROTECTION_ENABLED": "sending events there"}
        refused = " and ".join(what[variable] for variable in blocked)
        message = f"{backend_url} is a private address, and Label Studio refuses {refused}."
        mend = f"{ALLOWS} {' and '.join(f'{variable}=false' for variable in blocked)}."
        return Line(PRIVATE, "red", message, mend)
    kind = "a private address, which Label Studio allows" if is_private(backend_url) else "an address that it allows"
    return Line(PRIVATE, "green", f"{backend_url} is {kind}.")


def is_private(url: str) -> bool:
    """Whether the host is a private or loopback address; a name is taken for one where it has no dot."""
    host = urlsplit(url).hostname or ""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return "." not in host or host.endswith((".local", ".internal", ".localdomain"))


def attached(subject: Subject) -> Sequence[Line]:
    found = subject.attached
    if found is not None:
        return [Line(ATTACHED, "green", f"The project is connected to {found.url} as {found.title!r}.")]
    others = ", ".join(one.url for one in subject.connections)
    told = f"; it is to {others}" if others else ""
    mend = f"Run `seedqueue attach --project {subject.project}`"
    mend += ", or set SEEDQUEUE_BACKEND_URL to the address that is connected." if others else "."
    return [Line(ATTACHED, "red", f"The project is not connected to {subject.backend_url}{told}.", mend)]


def reached(subject: Subject) -> Sequence[Line]:
    """What Label Studio says after calling our /health and /setup just now."""
    found = subject.attached
    return [reached_line(found)] if found else []


def reached_line(found: Connection) -> Line:
    if found.state == "DI":
        mend = (
            f"Start `seedqueue serve`, and set SEEDQUEUE_BACKEND_URL to an address that Label Studio's machine reaches "
            f"(in a container 127.0.0.1 is the container). {ALLOWS} ML_BLOCK_LOCAL_IP=false where it is private."
        )
        return Line(REACHED, "red", f"Label Studio does not reach {found.url}.", mend)
    if found.state == "ER":
        told = " ".join(found.error.split())[:300]
        mend = "Look into the backend's log; with Basic Auth, give the connection the right user and password."
        return Line(REACHED, "red", f"Label Studio reaches {found.url}, but /setup fails there: {told}", mend)
    return Line(REACHED, "green", f"Label Studio reaches {found.url}: /health and /setup answer.")


def webhook(subject: Subject) -> Sequence[Line]:
    s = subject.context.settings
    wanted = connection.webhook_headers(s.basic_auth_user, s.basic_auth_pass)
    return [webhook_line(subject.webhooks, wanted, subject.project)]


def webhook_line(hooks: Sequence[Mapping[str, Any]], headers: Mapping[str, str], project: int) -> Line:
    """One that is active, lets our events through and carries the headers that the backend asks for."""
    attach = f"Run `seedqueue attach --project {project}`"
    if not hooks:
        mend = f"Remove the connection under Settings > Model and run `seedqueue attach --project {project}` again."
        return Line(WEBHOOK, "red", "The project has no webhook to this backend: no annotation is told to it.", mend)
    active = [hook for hook in hooks if hook.get("is_active")]
    if not active:
        mend = "Turn it on under Settings > Webhooks."
        return Line(WEBHOOK, "red", "The webhook to this backend is turned off: no annotation is told to it.", mend)
    if headers and all(dict(hook.get("headers") or {}) != dict(headers) for hook in active):
        told = (
            "The webhook lacks the Authorization header that this backend asks for (BASIC_AUTH_USER): events are lost."
        )
        return Line(WEBHOOK, "red", told, f"{attach}, which puts it in.")
    missing = min((WANTED - _actions(hook) for hook in active), key=len)
    if missing:
        told = f"The webhook does not send {', '.join(sorted(missing))}."
        return Line(WEBHOOK, "yellow", told, "Turn on 'Send for all actions' under Settings > Webhooks.")
    return Line(WEBHOOK, "green", f"{active[0]['url']} is told of all that happens.")


def _actions(hook: Mapping[str, Any]) -> frozenset[str]:
    return WANTED if hook.get("send_for_all_actions") else frozenset(hook.get("actions") or ())


def event(subject: Subject, lines: Sequence[Line]) -> Sequence[Line]:
    """Change nothing of the project, which sends an event all the same, and wait until it is noted."""
    active = [hook for hook in subject.webhooks if hook.get("is_active")]
    if not any(PROBE in _actions(hook) for hook in active):
        told = f"No active webhook sends {PROBE}, the event that could be tried."
        return [Line(EVENT, "skipped", told)]
    broker = subject.context.broker
    earlier = activity.last_events(broker)
    began = time.monotonic()
    subject.studio.call("PATCH", f"/api/projects/{subject.project}", project=subject.project, json={})
    deadline = time.monotonic() + EVENT_SECONDS  # from the answer on: a busy Label Studio answers late
    while not (came := _came(activity.last_events(broker), earlier, subject.project)) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)
    return [event_line(time.monotonic() - began if came else None, subject.project, lines)]


def _came(now: Sequence[activity.EventSeen], earlier: Sequence[activity.EventSeen], project: int) -> bool:
    return any(one.action == PROBE and one.project == project for one in now if one not in earlier)


def event_line(seconds: float | None, project: int, earlier: Sequence[Line]) -> Line:
    """earlier: the lines so far, one of which may be why an event is lost."""
    if seconds is not None:
        return Line(EVENT, "green", f"An event of the project arrived after {seconds:.1f} s.")
    lost = f"An event of the project did not arrive within {EVENT_SECONDS:g} s: it is lost"
    cause = next((line for line in earlier if line.level == "red" and line.check in CAUSES), None)
    if cause is not None:
        return Line(EVENT, "red", f"{lost}, as {cause.check!r} above makes one expect.", cause.mend)
    mend = (
        f"Run `seedqueue attach --project {project}`, and see that `seedqueue serve` and this command have the same "
        "LABEL_STUDIO_URL, REDIS_URL and SEEDQUEUE_HOME. Label Studio's log says what became of the event."
    )
    return Line(EVENT, "red", f"{lost}.", mend)
