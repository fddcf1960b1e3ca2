"""What came of it: the data set that was exported, and the images that came later."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

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
    p_value,
    plain,
    resting_on,
    words,
)
from seedqueue.backend.methods.flow import WHY
from seedqueue.backend.methods.recorded import Dated, Recorded
from seedqueue.backend.milestones import Arrived, Exported

_ANNOTATION = re.compile(r"^annotation \d+:")


def exported(recorded: Recorded) -> Section:
    """The last export: it is what the paper's data set is."""
    if not recorded.exported:
        return Section("Data set", ())
    row = recorded.exported[-1]
    one, source = row.body, row.source
    blocks: list[Block] = [tuple(_exported(row))]
    if one.splits:
        shown = 3 if one.patients else 2  # without a field of patients each image is a group of its own
        rows = [
            (words(name, source), count(images, "", source), count(patients, "", source))[:shown]
            for name, images, patients in one.splits
        ]
        blocks.append(Table(Sentence("Splits of the data set"), ("Split", "Images", "Patients")[:shown], tuple(rows)))
    if one.because:
        why = [
            (replace(words(name, source), shown=WHY.get(name, plain(name.capitalize()))), count(images, "", source))
            for name, images in one.because
        ]
        blocks.append(Table(Sentence("Why images were labelled"), ("Chosen as", "Labelled images"), tuple(why)))
    return Section("Data set", tuple(blocks))


def _exported(row: Dated[Exported]) -> Iterator[Sentence]:
    one, source = row.body, row.source
    facts = {"day": day(source), "images": count(one.images, "labelled image", source)}
    template = "The data set, exported on {day}, holds {images}"
    if one.labelled != one.images:
        facts |= {"images": count(one.images, "image", source), "labelled": count(one.labelled, "", source)}
        template += ", {labelled} of them labelled"
    if one.patients:
        facts["patients"] = count(one.patients, "patient", source)
        template += ", of {patients}"
    yield Sentence(template + ".", facts)
    yield Sentence("The SHA-256 of its manifest is {manifest}.", {"manifest": code(one.manifest, source)})
    if one.left_out:
        reasons = Counter(_ANNOTATION.sub("annotation:", reason) for _, reason in one.left_out)
        told = [Fact(f"{plain(reason)} ({n:,})", (reason, n), (source,)) for reason, n in sorted(reasons.items())]
        yield Sentence("Left out, by reason: {reasons}.", {"reasons": listed(tuple(told))})


def arrivals(recorded: Recorded) -> Section:
    """Of several looks at the same part the last."""
    last = {row.body.after: row for row in recorded.arrived}
    return Section("Later images", tuple(tuple(_arrived(last[after])) for after in sorted(last)))


def _arrived(row: Dated[Arrived]) -> Iterator[Sentence]:
    one, source = row.body, row.source
    yield Sentence(
        "On {day}, {new} that had come later were compared with the {old} before.",
        {"day": day(source), "new": count(one.new, "image", source), "old": count(one.old, "", source)},
    )
    if one.measured:
        yield Sentence(
            "Of {measured} compared by their embeddings, {novel} lay farther from {nearest} than 95% of the earlier "
            "images did.",
            {
                "measured": count(one.measured, "", source),
                "novel": count(one.novel, "", source),
                "nearest": words(one.nearest_to, source),
            },
        )
    if one.tests:
        yield Sentence(_TESTS, resting_on(source), ("lopezpaz2017",))
        yield _drift(row)
    if one.audit:
        yield Sentence(
            "A fresh audit slice of {n} was drawn at random from them.", {"n": count(one.audit, "image", source)}
        )
        yield Sentence(_HOLDS[one.holds], resting_on(source))
    if one.run:
        yield Sentence("They were given a seed queue of their own (run {run}).", {"run": count(one.run, "", source)})


_TESTS = (
    "Later and earlier images were compared by two-sample tests, as far as there were enough: of how well a linear "
    "classifier of embeddings tells them apart (by permutations), of single principal components of the embeddings and "
    "of numbers in the task data (Kolmogorov-Smirnov), and of words there (chi-square or Fisher's exact test)."
)
_HOLDS = {
    True: "The earlier estimate of performance held on it: the 95% confidence interval of the difference contains zero "
    "and excludes a loss of more than a tenth, on a scale that ends at one.",
    False: "The earlier estimate of performance did not hold on it: the 95% confidence interval of the difference "
    "excludes zero.",
    None: "Whether the earlier estimate of performance holds on it could not be said by then.",
}


def _drift(row: Dated[Arrived]) -> Sentence:
    one, source = row.body, row.source
    tests = count(one.tests, "test", source)
    if not one.drifted:
        return Sentence(
            "After Holm's correction, none of {tests} for drift was significant at 0.05.",
            {"tests": tests},
            ("holm1979",),
        )
    found = []
    for name, p in one.drifted:
        value = p_value(p)
        found.append(Fact(f"{words(name).shown} ({value.shown})", (name, p), (source,)))
    were = "was" if len(found) == 1 else "were"
    return Sentence(
        f"After Holm's correction, {{n}} of {{tests}} for drift {were} significant at 0.05: {{found}}.",
        {"tests": tests, "n": count(len(found), "", source), "found": listed(tuple(found))},
        ("holm1979",),
    )
