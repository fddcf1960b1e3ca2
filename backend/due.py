"""When a head is trained: a pure decision from what is labelled and what was learnt already."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from seedqueue.backend.versions import HeadKind, ModelVersion, Stamp, last_of

LINEAR_EVERY = 2  # it costs milliseconds
FEWEST = 2  # a head of one label has nothing to tell apart


@dataclass(frozen=True)
class Labelled:
    """What one family can learn from: how many tasks, which annotations in which state, and a hash of these."""

    tasks: int
    annotations: tuple[Stamp, ...]
    digest: str


def due(
    head: HeadKind,
    labelled: Labelled,
    versions: Sequence[ModelVersion],
    *,
    classes: tuple[str, ...],
    kind: str,
    fingerprint: str,
    every: int,
    seeds_left: int,
    asked: bool,
) -> bool:
    """Whether `head` is to be trained now.

    classes, kind, fingerprint: of the label config and of the embeddings now; where the last version knew others,
    it counts for nothing. every: new annotations between two trainings of a network. seeds_left: tasks of the seed
    queue that nobody has labelled or skipped: before the first version they are waited for. asked: a person
    wants it now, whatever was learnt before.

    An annotation that is gone or was changed counts like a new one.
    """
    if labelled.tasks < FEWEST:
        return False
    last = last_of(versions, head)
    if last is not None and ((last.classes, last.kind) != (classes, kind) or _other_vectors(last, fingerprint)):
        return True
    if last is None:
        return asked or not seeds_left
    if last.digest == labelled.digest:
        return False
    if asked:
        return True
    changed = {number for number, _ in set(labelled.annotations) ^ set(last.annotations)}
    return len(changed) >= (LINEAR_EVERY if head == "linear" else every)


def _other_vectors(last: ModelVersion, fingerprint: str) -> bool:
    return last.head == "linear" and last.fingerprint != fingerprint
