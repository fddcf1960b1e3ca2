"""Where the images came from, which of them could be chosen, which were held out."""

from __future__ import annotations

from collections.abc import Iterator

from seedqueue.backend.methods.facts import Fact, Section, Sentence, count, day, listed, plain, setting, words
from seedqueue.backend.methods.recorded import Dated, Recorded, RunRow
from seedqueue.backend.methods.rounds import Rounds
from seedqueue.backend.milestones import Imported
from seedqueue.selectors.representation import EXACT_ROWS


def images(recorded: Recorded, rounds: Rounds) -> Section:
    paragraphs = [tuple(_imported(row)) for row in recorded.imported]
    listing = rounds.counted[0].first if rounds.counted else None
    return Section("Images", (*paragraphs, tuple(_eligible(listing)) if listing else ()))


def held_out(recorded: Recorded) -> Section:
    return Section("Held-out images", (tuple(_audit(recorded)), tuple(_locked(recorded))))


def _imported(row: Dated[Imported]) -> Iterator[Sentence]:
    one, source = row.body, row.source
    yield Sentence(
        "On {day}, {files} were found in {name}, {dicom} of them DICOM files.",
        {
            "day": day(source),
            "files": count(one.files, "image file", source),
            "name": words(one.source, source, quoted=True),
            "dicom": count(one.dicom, "", source),
        },
    )
    if one.dicom and one.grey:
        yield Sentence("Grey values were reduced to eight bits: {grey}.", {"grey": words(one.grey.rstrip("."), source)})
    added = count(one.tasks, "image", source)
    out = [count(len(one.unreadable), "unreadable file", source)] if one.unreadable else []
    if one.repeats:
        out.append(count(one.repeats, "file with the pixels of another one", source, plural=_REPEATS))
    if one.known:
        out.append(count(one.known, "image that was in the project already", source, plural=_KNOWN))
    facts, template = {"tasks": added}, "The import added {tasks}"
    if belong := _belong(row):
        facts, template = facts | {"belong": belong}, template + " of {belong}"
    if out:
        facts, template = facts | {"out": listed(tuple(out))}, template + " and left out {out}"
    yield Sentence(template + ".", facts)
    yield from _warned(row)


_KNOWN = "images that were in the project already"
_REPEATS = "files with the pixels of another one"


def _belong(row: Dated[Imported]) -> Fact | None:
    one, source = row.body, row.source
    known = [count(one.patients, "patient", source)] if one.patients else []
    if one.studies:
        known.append(count(one.studies, "study", source, plural="studies"))
    return listed(tuple(known)) if known else None


def _warned(row: Dated[Imported]) -> Iterator[Sentence]:
    """What the import reported and left to people."""
    one, source = row.body, row.source
    if one.without_patient:
        yield Sentence(
            "A patient identifier was missing in {n}; each was treated as a patient of its own.",
            {"n": count(one.without_patient, "DICOM file", source)},
        )
    if one.shared_ids:
        yield Sentence(
            "For {n} the files suggested more than one patient; this was reported.",
            {"n": count(one.shared_ids, "patient identifier", source)},
        )
    told = [count(one.near, "pair of near-duplicate images", source, plural=_PAIRS)] if one.near else []
    if one.burned_in:
        told.append(count(one.burned_in, "image that may show text", source, plural="images that may show text"))
    if told:
        yield Sentence("For review the import reported {told}.", {"told": listed(tuple(told))})


_PAIRS = "pairs of near-duplicate images"


def _eligible(row: RunRow) -> Iterator[Sentence]:
    """Of the first run that stands: later ones may have listed more."""
    run, source = row.run, row.source
    choices = run.choices
    within = []
    if choices.tab:
        within.append(Fact(f"in the Data Manager tab “{plain(choices.tab)}”", (choices.tab,), (source,)))
    if choices.where:
        within.append(Fact(f"that fulfilled the condition `{choices.where}`", (choices.where,), (source,)))
    facts = {"day": day(source), "tasks": count(run.tasks, "image", source)}
    if within:
        yield Sentence(
            "Eligible for selection were the images {within}; with those labelled before, {tasks} were listed.",
            {**facts, "within": listed(tuple(within))},
        )
    else:
        yield Sentence("When images were first selected, the project held {tasks}.", facts)
    if run.labelled:
        yield Sentence("Labels existed already for {n}.", {"n": count(run.labelled, "image", source)})
    if row.unreadable:
        yield Sentence(
            "Not selected from were {n} that could not be read.",
            {"n": count(len(row.unreadable), "image", source)},
        )


def _audit(recorded: Recorded) -> Iterator[Sentence]:
    found = recorded.audit
    if found is None:
        return
    drawn = next((row for row in recorded.runs if row.run.number == found.source.run), None)
    facts = {"n": count(len(found.body), "image", found.source), "day": day(found.source)}
    template = "Before any image was selected, {n} were drawn at random from all listed images as an audit slice ({day}"
    if drawn:
        facts["seed"] = setting(drawn.run.choices.random_seed, drawn.source)
        template += "; random seed {seed}"
    yield Sentence(template + ").", facts)
    kept = _kept_together(drawn) if drawn else ()
    if kept:
        yield Sentence("Drawn together, so that no group is divided, were {kept}.", {"kept": listed(kept)})
    yield Sentence(
        "The audit slice was read like the other images, without pre-annotations, and was never used for training.",
        {"n": facts["n"]},
    )


def _kept_together(row: RunRow) -> tuple[Fact, ...]:
    choices, source, found = row.run.choices, row.source, list[Fact]()
    if choices.group_field:
        shown = f"images with the same value of the field “{plain(choices.group_field)}”"
        found.append(Fact(shown, (choices.group_field,), (source,)))
    if choices.near_duplicate and row.run.tasks <= EXACT_ROWS:
        shown = f"images whose embeddings had a cosine similarity of at least {choices.near_duplicate:g}"
        found.append(Fact(shown, (choices.near_duplicate,), (source,)))
    return tuple(found)


def _locked(recorded: Recorded) -> Iterator[Sentence]:
    if recorded.locked is None or not recorded.locked.body.tasks:
        return
    one, source = recorded.locked.body, recorded.locked.source
    facts = {"n": count(len(one.tasks), "image", source), "day": day(source)}
    template = "A test list of {n}"
    if one.source:
        facts["named"] = words(one.source, source)
        template += " ({named})"
    yield Sentence(
        template + " was locked on {day}: its images were not selected, not learnt from and had no pre-annotations.",
        facts,
    )
    if one.served:
        yield Sentence(
            "Before that, {n} of them could have been shown to annotators.", {"n": count(len(one.served), "", source)}
        )
