"""What a task holds: the image's address, pseudonyms, and codes; nothing else of a header ever."""

from __future__ import annotations

from typing import Any

from seedqueue.backend.intake.looking import Seen
from seedqueue.backend.intake.sorting import Belongs
from seedqueue.backend.spacings import spacing_of, spacing_words
from seedqueue.models.picture import Spacing


def task_values(one: Seen, mine: Belongs, spacing: Spacing | None, image_key: str, uri: str) -> dict[str, Any]:
    """Task data of one image; a field of which nothing is known is left out."""
    fields, tags = one.listed.fields, one.tags
    taken = {name: value for name, value in fields.items() if name not in ("patient", "study", "series", "spacing")}
    said = {
        "image_id": one.look.image_id,
        "patient": mine.patient,
        "study": mine.study,
        "series": mine.series,
        "view": tags.view if tags else "",
        "modality": tags.modality if tags else "",
        "spacing": _millimetres(fields.get("spacing", "")) or spacing_words(spacing),
    }
    values: dict[str, Any] = {name: value for name, value in {**said, **taken}.items() if value}
    _put(values, image_key, uri)
    return values


def _millimetres(words: str) -> str:
    sides = spacing_of(words) if words else None
    return f"{sides[0]:.6g}x{sides[1]:.6g}" if sides else ""


def _put(values: dict[str, Any], key: str, uri: str) -> None:
    """`scan.front` of a label config is the front of the scan."""
    first, _, rest = key.partition(".")
    if rest:
        _put(values.setdefault(first, {}), rest, uri)
    else:
        values[key] = uri
