"""The order as an annotator meets it: a user made for it asks for one task and is deleted, and its lock with it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import Any

import httpx

from seedqueue.backend.doctor.lines import Line
from seedqueue.backend.doctor.order import waiting
from seedqueue.backend.doctor.subject import Subject
from seedqueue.backend.errors import LabelStudioRefused, LabelStudioUnreachable
from seedqueue.backend.label_studio import CALL, Studio

SERVED = "first task served"


def served(subject: Subject) -> Sequence[Line]:
    """What the next annotator gets.

    A lock lives for a day and cannot be taken back, but it goes with its user (seen on Label Studio 1.23). Only the
    organisation's owner may delete users: nobody is signed up where the token is another's.
    """
    assert subject.published is not None
    owned = _owned_organisation(subject.studio)
    if owned is None:
        told = "Only the owner of Label Studio's organisation can delete a scratch user, and the token is not theirs."
        return [Line(SERVED, "skipped", told)]
    expected = waiting(subject)
    address = f"seedqueue-doctor-{secrets.token_hex(8)}@example.com"
    with httpx.Client(base_url=subject.studio.url, timeout=CALL) as session:
        try:
            welcome = _sign_up(session, address, str(owned.get("token") or ""))
            task = _next(session, subject.project) if welcome else None
        except (httpx.TransportError, ValueError, KeyError) as error:
            raise LabelStudioUnreachable(subject.studio.url, str(error) or type(error).__name__) from error
        finally:
            left = _is_left(subject.studio, address)
    if not welcome:
        return [Line(SERVED, "skipped", "Label Studio signs nobody up: there is no scratch user.")]
    line = served_line(expected, task, subject.published.version)
    return [line, *([_left_over(address)] if left else [])]


def _owned_organisation(studio: Studio) -> dict[str, Any] | None:
    """The organisation of the token's user, where they own it."""
    who = studio.call("GET", "/api/current-user/whoami")
    path = f"/api/organizations/{who['active_organization']}"
    found: dict[str, Any] | None = studio.call("GET", path, missing_ok=True)
    return found if found and found.get("created_by") == who["id"] else None


def _sign_up(session: httpx.Client, address: str, invitation: str) -> bool:
    """A new user, logged in; False where it was refused. The invitation opens a sign-up that is closed to others."""
    path = f"/user/signup/?token={invitation}"
    session.get(path, follow_redirects=True)
    form = {
        "email": address,
        "password": secrets.token_urlsafe(24),
        "csrfmiddlewaretoken": session.cookies.get("csrftoken", ""),
    }
    session.post(path, data=form, headers={"Referer": str(session.base_url)})
    return session.get("/api/current-user/whoami").status_code == 200


def _next(session: httpx.Client, project: int) -> int | None:
    answer = session.get(f"/api/projects/{project}/next")
    return int(answer.json()["id"]) if answer.status_code == 200 else None


def _is_left(studio: Studio, address: str) -> bool:
    """Delete the user; True where it is still there."""
    try:
        for user in studio.call("GET", "/api/users/"):
            if user["email"] == address:
                studio.call("DELETE", f"/api/users/{user['id']}/", missing_ok=True)
    except (LabelStudioRefused, LabelStudioUnreachable):
        return True
    return False


def _left_over(address: str) -> Line:
    told = f"The scratch user {address} could not be deleted, and holds one task for a day."
    return Line(SERVED, "red", told, "Delete it: DELETE /api/users/<number>/ as the organisation's owner.")


def served_line(expected: Sequence[int], task: int | None, version: str) -> Line:
    """expected: what is left of the queue. Tasks before the one that was served may be held by annotators."""
    if not expected:
        return Line(SERVED, "skipped", f"All tasks of {version!r} are labelled or skipped.")
    if task == expected[0]:
        return Line(SERVED, "green", f"A new annotator got task {task}, the first of {version!r} that is left.")
    if task is None:
        told = f"A new annotator got no task where {version!r} has {len(expected)} left."
        return Line(SERVED, "red", told, "Ask for the seed queue again.")
    if task in expected:
        told = f"A new annotator got task {task}, number {expected.index(task) + 1} of what is left of {version!r}."
        mend = "That is right where annotators are at the tasks before it; else look at the lines above."
        return Line(SERVED, "yellow", told, mend)
    told = f"A new annotator got task {task}, which is not in {version!r}; the first there is {expected[0]}."
    return Line(SERVED, "red", told, "Mend what is red above, or ask for the seed queue again.")
