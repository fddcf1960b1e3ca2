"""What the commands call a project's annotators."""

from __future__ import annotations

from collections.abc import Sequence

from seedqueue.backend.context import Context
from seedqueue.backend.people.pseudonyms import pseudonyms


def names_of(context: Context, project: int, annotators: Sequence[str], by_name: bool) -> dict[str, str]:
    """{annotator: what to call them}: e-mail addresses, or pseudonyms in an order that tells nothing.

    Letters are given to all users of Label Studio, so that a person has the same one whatever is told.
    """
    users = {str(user["id"]): str(user["email"]) for user in context.studio.call("GET", "/api/users/")}
    if not by_name:
        lettered = pseudonyms({*users, *annotators}, f"{context.settings.label_studio_url} {project}")
        return {one: lettered[one] for one in annotators}
    return {one: users.get(one, f"user {one}, who is gone") for one in annotators}
