"""Which weights an embedder had: records hold a fingerprint, a hash over the weights' SHA-256 among others."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from seedqueue.models import inventory, weights
from seedqueue.models.embedder import fingerprint
from seedqueue.models.errors import ModelError

PREPROCESSINGS = 20  # an embedder counts its changes of preprocessing from 1


def confirmed(name: str, recorded: str, candidates: Iterable[str]) -> str:
    """The SHA-256 among the candidates from which the recorded fingerprint follows; empty for none.

    Nothing is taken on trust: of other weights no fingerprint would be the same.
    """
    for sha256 in candidates:
        for number in range(1, PREPROCESSINGS + 1):
            if fingerprint(name=name, weights=sha256, preprocessing=number, arithmetic="float32") == recorded:
                return sha256
    return ""


def of_folder(folder: Path, name: str, recorded: str) -> str:
    """The same from the weights that lie in the folder; empty where none of them is proved."""
    if not folder.is_dir():
        return ""
    try:
        states = inventory.of(folder, name)
        found = [each.sha256 or "" for state in states for each in state.files]
        if len(found) > 1 and states[0].source:  # several files: a hash over theirs
            found.append(weights.require(folder, states[0].source, name).sha256)
    except (ModelError, ImportError):
        return ""
    return confirmed(name, recorded, filter(None, found))
