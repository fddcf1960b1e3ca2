"""Which images stay together, and in which split: drawn from hashes, so that later images move nobody."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from seedqueue.backend.export.choices import TEST, Splits
from seedqueue.selectors.linking import linked, of_one_group
from seedqueue.selectors.selection import Rows


@dataclass(frozen=True)
class Member:
    """One image of the project, labelled or not. patient, sha256: empty where not known; apart: audit or locked."""

    task: int
    patient: str
    sha256: str
    apart: bool


@dataclass(frozen=True)
class Place:
    """group: the images that stay together with this one; split: its name."""

    group: str
    split: str


def places(members: Iterable[Member], splits: Splits, seed: int) -> dict[int, Place]:
    """The place of every task.

    Images of one patient and images of the same bytes are one group, and so is what they link. A group is named by its
    lowest task: by that one's patient, or "task N". A group with an audit or locked task goes to the test split as a
    whole. Any other group's split depends on its name, the shares and the seed alone: images that come later join
    their patient's split and leave all others where they are, unless they link two groups by their bytes.
    """
    ordered = sorted(members, key=lambda one: one.task)
    if not ordered:
        return {}
    columns = ([one.patient for one in ordered], [one.sha256 for one in ordered])
    group = linked(len(ordered), [of_one_group(_numbered(values)) for values in columns])
    names: dict[int, str] = {}
    apart: set[int] = set()
    for number, one in zip(group.tolist(), ordered, strict=True):
        names.setdefault(number, one.patient or f"task {one.task}")
        if one.apart:
            apart.add(number)
    drawn = {number: TEST if number in apart else split_of(name, splits, seed) for number, name in names.items()}
    return {one.task: Place(names[number], drawn[number]) for number, one in zip(group.tolist(), ordered, strict=True)}


def split_of(group: str, splits: Splits, seed: int) -> str:
    """The split of a group by its name: SHA-256 as a number in [0, 100), laid on the shares in their order."""
    digest = hashlib.sha256(f"{seed}\n{group}".encode(errors="backslashreplace")).digest()
    at = int.from_bytes(digest[:6], "big") / 2**48 * 100
    for name, share in splits:
        at -= share
        if at < 0:
            return name
    return next(name for name, share in reversed(splits) if share)  # of shares whose sum was rounded


def _numbered(values: Sequence[str]) -> Rows:
    """The number of each value, -1 for an empty one."""
    number = {value: at for at, value in enumerate(dict.fromkeys(value for value in values if value))}
    return np.array([number.get(value, -1) for value in values], dtype=np.int64)
