"""What a training gives before it is a version, and which examples it may see."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from seedqueue.backend.examples import Example
from seedqueue.backend.judging import Predicted
from seedqueue.backend.pool import Place
from seedqueue.backend.vectors import Vectors


@dataclass(frozen=True, eq=False)
class Learnt:
    """A trained head before it is a version. per_class: how many examples have each class."""

    weights: bytes
    classes: tuple[str, ...]
    kind: str
    examples: tuple[Example, ...]
    per_class: tuple[int, ...]
    predicted: Predicted
    threshold: tuple[float, ...] = ()
    prior: tuple[float, ...] = ()
    target: tuple[float, ...] = ()
    signal: dict[str, Any] = field(default_factory=dict)
    pretrained: bool = False


@dataclass(frozen=True)
class Bounds:
    """What divides images: near duplicates from this cosine on stay together; the random seed of all that is drawn."""

    near: float
    seed: int


def unrelated(
    training: Sequence[Example],
    held_out: Sequence[Example],
    audit: Sequence[Place],
    vectors: Vectors,
    bounds: Bounds,
) -> list[Example]:
    """Without the examples that share a group with a held-out task: they would tell the head about it.

    audit: every task of the slice, labelled or not. The same bytes are the same image, whatever `bounds.near` is.
    """
    asked = {*audit, *((one.task, one.uri) for one in held_out)}
    places = sorted(place for place in asked if vectors.has(*place))
    names, seen = {one.group for one in held_out}, {vectors.hash_of(*place) for place in places}
    kept = [one for one in training if one.group not in names and vectors.hash_of(one.task, one.uri) not in seen]
    known = [one for one in kept if vectors.has(one.task, one.uri)]
    if not (bounds.near and places and known):
        return kept
    together = vectors.of([*places, *((one.task, one.uri) for one in known)])
    labels = [*(f"held out {task}" for task, _ in places), *(one.group for one in known)]
    group = vectors.groups(together, labels, bounds.near)
    related = set(group[: len(places)].tolist())
    near = {one.task for one, number in zip(known, group[len(places) :].tolist(), strict=True) if number in related}
    return [one for one in kept if one.task not in near]
