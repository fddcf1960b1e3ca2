"""The map back from pseudonyms, for the lab alone: uid-map.csv, which only grows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from seedqueue.backend.intake.ledger import Ledger
from seedqueue.backend.intake.looking import Seen
from seedqueue.backend.intake.patients import Who
from seedqueue.backend.intake.private import MAP, Private
from seedqueue.backend.intake.sorting import Belongs
from seedqueue.models.picture import Spacing

COLUMNS = (
    "project", "image_id", "patient", "study", "series", "patient_id", "study_uid", "series_uid", "sop_uid", "file",
    "spacing_from", "who",
)  # fmt: skip
PSEUDONYMS = COLUMNS[:5]  # what leaves, and from which the map leads back


class UidMap:
    """`who`: marks by which two patients under one id are told apart. spacing_from: the DICOM element."""

    def __init__(self, private: Private) -> None:
        self._ledger = Ledger(private.folder / MAP, COLUMNS)
        self._rows = list(self._ledger.rows())
        self._there = {_leaving(row) for row in self._rows}

    def patients(self) -> Iterator[tuple[str, str, Who]]:
        """(id, pseudonym, who) of what was imported under a patient's id."""
        for row in self._rows:
            if row["patient_id"] and row["patient"]:
                yield row["patient_id"], row["patient"], Who.from_text(row["who"])

    def sent(self, project: int) -> dict[str, tuple[str, str]]:
        """{image id: (file, patient)} of what was sent to a project, as it was sent last."""
        return {row["image_id"]: (row["file"], row["patient"]) for row in self._rows if row["project"] == str(project)}

    def add(self, project: int, sent: Iterable[tuple[Seen, Belongs, Spacing | None]]) -> None:
        """What is about to leave; a row once, however often an import breaks off.

        An image that goes out again under another patient, study or series has a second row.
        """
        rows = [_row(project, *one) for one in sent]
        rows = [row for row in rows if _leaving(row) not in self._there]
        self._ledger.add(rows)
        self._there |= {_leaving(row) for row in rows}


def _leaving(row: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(row[name] for name in PSEUDONYMS)


def _row(project: int, one: Seen, mine: Belongs, spacing: Spacing | None) -> dict[str, str]:
    tags, fields = one.tags, one.listed.fields
    return {
        "project": str(project),
        "image_id": one.look.image_id,
        "patient": mine.patient,
        "study": mine.study,
        "series": mine.series,
        "patient_id": mine.number,
        "study_uid": fields.get("study") or (tags.study if tags else ""),
        "series_uid": fields.get("series") or (tags.series if tags else ""),
        "sop_uid": tags.instance if tags else "",
        "file": str(one.listed.file),
        "spacing_from": spacing.source if spacing else "",
        "who": str(mine.who),
    }
