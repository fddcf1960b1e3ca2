"""What an import says, in sentences and as the rows of its summary."""

from __future__ import annotations

from seedqueue.backend.intake.lists import ALONE, BURNED_IN, NEAR, REPEATS, SHARED, UNREADABLE, Found
from seedqueue.backend.milestones import Imported

SHOWN = 10  # names of a kind on the screen; the lists have all


def warnings(found: Found) -> list[str]:
    """What a person should know before anything is sent: counts, the first names, the list that has all."""
    repeats = [one.listed.name for one, _ in found.sorted.repeats]
    names = [one.listed.name for one in found.sorted.images]
    burned = [names[at] for at in found.burned_in if at in found.new]
    near = [f"{one.name} like {other.name}" for one, other in found.near]
    alone = [names[at] for at in found.alone if at in found.new]
    told = (
        ("cannot be read",
         "cannot be read", [f"{one.listed.name} ({one.reason})" for one in found.unreadable], UNREADABLE),
        ("repeats the pixels of another file and is left out",
         "repeat the pixels of another file and are left out", repeats, REPEATS),
        ("is a near duplicate of another image and is kept",
         "are near duplicates of another image and are kept", near, NEAR),
        ("seems to have text burned into its pixels, which anybody who sees it can read",
         "seem to have text burned into their pixels, which anybody who sees them can read", burned, BURNED_IN),
        ("is DICOM without a patient's id; its study counts as a patient of its own",
         "are DICOM without a patient's id; each of their studies counts as a patient of its own", alone, ALONE),
        ("patient id seems to belong to two patients, who are kept apart unless --trust-ids is given",
         "patient ids seem to belong to two patients, who are kept apart unless --trust-ids is given",
         sorted(found.shared), SHARED),
    )  # fmt: skip
    return [_line(one if len(which) == 1 else many, which, file) for one, many, which, file in told if which]


def _line(what: str, which: list[str], file: str) -> str:
    shown = "; ".join(which[:SHOWN])
    more = f"; ... {len(which) - SHOWN} more" if len(which) > SHOWN else ""
    return f"{len(which)} {what} ({file}): {shown}{more}"


def summary(told: Imported, *, checked: bool) -> list[tuple[str, str, str]]:
    """(what, how many, the list that has the names) in the order of the work."""
    tasks = "would be new tasks" if checked else "new tasks"
    return [
        ("image files found", f"{told.files} ({told.dicom} DICOM)", ""),
        ("unreadable", str(len(told.unreadable)), UNREADABLE),
        ("repeats, left out", str(told.repeats), REPEATS),
        ("in the project before", str(told.known), ""),
        (tasks, str(told.tasks), ""),
        ("  of patients", str(told.patients), ""),
        ("  in studies", str(told.studies), ""),
        ("  with text burned in", str(told.burned_in), BURNED_IN),
        ("  without a patient's id", str(told.without_patient), ALONE),
        ("near duplicates", str(told.near), NEAR),
        ("patient ids shared by two", str(told.shared_ids), SHARED),
    ]
