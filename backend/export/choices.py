"""What an export is asked for."""

from __future__ import annotations

import re
from dataclasses import dataclass

from seedqueue.backend.export.errors import SplitsUnusable

TEST = "test"  # where audit and locked tasks go, whatever the shares are

Splits = tuple[tuple[str, float], ...]

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")
_ALL = 100.0


@dataclass(frozen=True)
class ExportChoices:
    """splits: (name, share in percent), which sum to 100. group_field: of task data, with the patient.

    images: whether the images' bytes are fetched too.
    """

    splits: Splits = (("train", 70.0), ("val", 15.0), (TEST, 15.0))
    group_field: str = "patient"
    random_seed: int = 0
    images: bool = False


def parse_splits(text: str) -> Splits:
    """`train=70,val=15,test=15` in its order. Raises `SplitsUnusable`."""
    splits: list[tuple[str, float]] = []
    for part in text.split(","):
        name, equals, share = (each.strip() for each in part.partition("="))
        if not equals or not _NAME.fullmatch(name) or not re.fullmatch(r"\d{1,3}(\.\d{1,6})?", share):
            raise SplitsUnusable(text, f"{part.strip()!r} is not name=percent")
        if name in dict(splits):
            raise SplitsUnusable(text, f"{name!r} stands there twice")
        splits.append((name, float(share)))
    total = sum(share for _, share in splits)
    if abs(total - _ALL) > 1e-6:
        raise SplitsUnusable(text, f"the shares sum to {total:g}")
    return tuple(splits)
