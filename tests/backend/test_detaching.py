"""What detaching deletes of heads' answers; the whole of it is in tests/flow/test_locked.py."""

from types import SimpleNamespace
from typing import Any, cast

import pytest

from seedqueue.backend import detaching, publish
from seedqueue.backend.context import Context


@pytest.mark.parametrize(("stands", "whole"), [("triage", []), ("linear-1", ["linear-1"]), ("", ["linear-1"])])
def test_anothers_model_version_is_never_nulled(stands: str, whole: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Deleting any version as a whole nulls the project's, and a process may be killed right after it."""
    deleted: list[str] = []
    singly: list[str] = []

    def call(method: str, path: str, **options: Any) -> dict[str, str]:
        if method == "DELETE":
            deleted.append(options["json"]["model_version"])
        return {"model_version": stands}

    monkeypatch.setattr(publish, "versions", lambda studio, project: {"linear-1": 3, "triage": 9})
    monkeypatch.setattr(publish, "remove_version", lambda studio, project, version: singly.append(version))
    context = SimpleNamespace(
        studio=SimpleNamespace(call=call), versions=SimpleNamespace(said=lambda project, stored: {"linear-1"})
    )
    assert detaching._forget_heads(cast(Context, context), 1) == 3
    assert (deleted, singly) == (whole, [] if whole else ["linear-1"])
