"""What is asked of an import, and what of it can be refused before a file is read."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from seedqueue.backend.errors import InvalidRequest
from seedqueue.backend.folder import check_out
from seedqueue.backend.intake.errors import PlaceExposed, UploadsUnsupported
from seedqueue.backend.intake.near import BITS, THRESHOLD
from seedqueue.backend.label_studio import Studio
from seedqueue.backend.pool import image_key_of


@dataclass(frozen=True)
class ImportChoices:
    """What can be asked of an import.

    private: the folder that stays here. patient_field: the table's column with the patient. fields: further columns
    that become fields of task data. near: bits of 256 in which near duplicates differ at most, -1: not looked for.
    check: report, send nothing. out, url: write PNGs to this folder, whose images are served under this address.
    trust_ids: one id is one patient, whatever names and birth dates say.
    """

    private: Path | None = None
    patient_field: str = "patient"
    fields: tuple[str, ...] = ()
    near: int = THRESHOLD
    check: bool = False
    out: Path | None = None
    url: str = ""
    trust_ids: bool = False


def check_choices(choices: ImportChoices, private: Path) -> None:
    """Raises `InvalidRequest`, `PlaceExposed`, `CannotWrite`."""
    if (choices.out is None) != (not choices.url):
        raise InvalidRequest("--out and --url belong together: the folder, and the address that it is served under.")
    if not -1 <= choices.near < BITS // 2:
        raise InvalidRequest(f"--near is {choices.near}; give a number of bits from 0 to {BITS // 2 - 1}, or -1: off.")
    if choices.patient_field in choices.fields:
        raise InvalidRequest(f"--field {choices.patient_field} would send the patients' own ids: leave it out.")
    if choices.out is not None:
        out, kept = choices.out.expanduser().resolve(), private.resolve()  # through links and `..`
        if out.is_relative_to(kept) or kept.is_relative_to(out):
            raise PlaceExposed(out, kept)
        check_out(out / "image.png")


def image_key_for(studio: Studio, project: int, *, uploads: bool) -> str:
    """The field of task data with the image. Raises `NoImageInLabelConfig`, `ProjectNotFound`, `UploadsUnsupported`."""
    described = studio.call("GET", f"/api/projects/{project}", project=project)
    parsed = described.get("parsed_label_config") or {}
    key = image_key_of(parsed, project)
    shown = {
        str(each["value"]) for control in parsed.values() for each in control.get("inputs", []) if each.get("value")
    }
    if uploads and len(shown) > 1:
        raise UploadsUnsupported(project, sorted(shown))
    return key
