"""What came of it: the data set that was exported, and the images that came later."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from seedqueue.backend.methods.facts import (
    Block,
    Fact,
    Section,
    Sentence,
    Table,
    code,
    count,
    day,
    listed,
    number,
    words,
)
from seedqueue.backend.methods.recorded import Dated, Recorded
from seedqueue.backend.milestones import Arrived, Exported


def exported(recorded: Recorded) -> Section:
    """The last export: it is what the paper's data set is."""
    if not recorded.exported:
        return Section("Data set", ())
    row = recorded.exported[-1]
    one, source = row.body, row.source
    blocks: list[Block] = [tuple(_exported(row))]
    if one.splits:
        rows = [
            (words(name, source), count(images, "", source), count(patients, "", source))
            for name, images, patients in one.splits
        ]
        blocks.append(Table("Splits of the data set", ("Split", "Images", "Patients"), tuple(rows)))
    if one.because:
        why = [(words(name, source), count(images, "", source)) for name, images in one.because]
        blocks.append(Table("Why images were labelled", ("Chosen as", "Labelled images"), tuple(why)))
    return Section("Data set", tuple(blocks))


def _exported(row: Dated[Exported]) -> Iterator[Sentence]:
    one, source = row.body, row.source
    yield Sentence(
        "The data set was exported on {day} with {images} of {patients}, {labelled} of them labelled (SHA-256 of its "
        "manifest {manifest}).",
        {
            "day": day(source),
            "images": count(one.images, "image", source),
            "patients": count(one.patients, "patient", source),
            "labelled": count(one.labelled, "", source),
            "manifest": code(one.manifest, source),
        },
    )
    if one.left_out:
        reasons = Counter(reason for _, reason in one.left_out)
        told = [Fact(f"{words(reason).shown} ({n:,})", (reason, n), (source,)) for reason, n in sorted(reasons.items())]
        yield Sentence(
            "Left out were {n}: {reasons}.",
            {"n": count(len(one.left_out), "image", source), "reasons": listed(tuple(told))},
        )


def arrivals(recorded: Recorded) -> Section:
    return Section("Later images", tuple(tuple(_arrived(row)) for row in recorded.arrived))


def _arrived(row: Dated[Arrived]) -> Iterator[Sentence]:
    one, source = row.body, row.source
    yield Sentence(
        "On {day}, {new} that had come later were compared with the {old} before.",
        {"day": day(source), "new": count(one.new, "image", source), "old": count(one.old, "", source)},
    )
    yield Sentence(
        "Farther from the labelled images than 95% of the earlier images were from their own neighbours lay {novel}.",
        {"novel": count(one.novel, "new image", source)},
    )
    if one.tests:
        yield _drift(row)
    if one.audit:
        yield Sentence(
            "A fresh audit slice of {n} was drawn at random from them.", {"n": count(one.audit, "image", source)}
        )
    if one.audit and one.holds is not None:
        yield Sentence(
            "The earlier estimate of performance held on it."
            if one.holds
            else "The earlier estimate of performance did not hold on it.",
            {"holds": Fact("", (), (source,))},
        )
    if one.run:
        yield Sentence("They were given a seed queue of their own (run {run}).", {"run": count(one.run, "", source)})


def _drift(row: Dated[Arrived]) -> Sentence:
    one, source = row.body, row.source
    tests = count(one.tests, "test", source)
    if not one.drifted:
        return Sentence(
            "Of {tests} for drift none was below 0.05 after Holm's correction.", {"tests": tests}, ("holm1979",)
        )
    found = []
    for name, p in one.drifted:
        value = number(p, source)
        found.append(Fact(f"{words(name).shown} (p = {value.shown})", (name, p), (source,)))
    return Sentence(
        "Of {tests} for drift {n} had a p value below 0.05 after Holm's correction: {found}.",
        {"tests": tests, "n": count(len(found), "", source), "found": listed(tuple(found))},
        ("holm1979",),
    )
