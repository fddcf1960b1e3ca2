"""Which of the files are new, which are in the project already, which repeat another; and whose each is."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from seedqueue.backend.intake.looking import Seen
from seedqueue.backend.intake.patients import Patients, Who, who_of
from seedqueue.backend.intake.pseudonyms import Pseudonyms


@dataclass(frozen=True)
class Sorted:
    """images: one file of each, in order. new: positions in it. repeats: (file, the one that has the same pixels)."""

    images: tuple[Seen, ...]
    new: tuple[int, ...]
    repeats: tuple[tuple[Seen, Seen], ...]

    @property
    def known(self) -> int:
        return len(self.images) - len(self.new)


def sort_out(seen: Sequence[Seen], known: Collection[str]) -> Sorted:
    """known: the image ids that the project has."""
    first: dict[str, Seen] = {}
    repeats: list[tuple[Seen, Seen]] = []
    for one in seen:
        other = first.setdefault(one.look.image_id, one)
        if other is not one:
            repeats.append((one, other))
    images = tuple(first.values())
    new = tuple(at for at, one in enumerate(images) if one.look.image_id not in known)
    return Sorted(images, new, tuple(repeats))


@dataclass(frozen=True)
class Belongs:
    """Whose an image is. number: the patient's id, "" for none; the others are pseudonyms, "" where nothing is known.

    alone: a DICOM without a patient's id.
    """

    number: str
    who: Who
    patient: str
    study: str
    series: str
    alone: bool = False


def belongs(one: Seen, patients: Patients, pseudonyms: Pseudonyms) -> Belongs:
    """A table's word counts before the header's. A DICOM without an id is its study's own patient."""
    fields, tags = one.listed.fields, one.tags
    number = fields.get("patient") or (tags.patient if tags else "")
    who = who_of(tags, pseudonyms) if tags else Who()
    study = fields.get("study") or (tags.study if tags else "")
    series = fields.get("series") or (tags.series if tags else "")
    patient = patients.of(number, who) if number else ""
    if not number and tags:
        patient = pseudonyms.patient("", f"study {study}" if study else one.look.image_id)
    return Belongs(
        number,
        who,
        patient,
        pseudonyms.study(study) if study else "",
        pseudonyms.series(series) if series else "",
        alone=not number and tags is not None,
    )
