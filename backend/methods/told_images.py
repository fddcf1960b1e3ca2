"""Where the images came from, which of them could be chosen, which were held out."""

from __future__ import annotations

from collections.abc import Iterator

from seedqueue.backend.methods.facts import (
    Fact,
    Section,
    Sentence,
    Source,
    count,
    day,
    listed,
    plain,
    resting_on,
    setting,
    words,
)
from seedqueue.backend.methods.recorded import Dated, Recorded, RunRow
from seedqueue.backend.methods.rounds import Rounds
from seedqueue.backend.milestones import Imported
from seedqueue.selectors.representation import EXACT_ROWS


def images(recorded: Recorded, rounds: Rounds) -> Section:
    before, named, paragraphs = "", False, list[tuple[Sentence, ...]]()
    for row in recorded.imported:  # how images were stored is told once, grey values again where they became others
        ids = bool(row.body.patients or row.body.studies)
        names = ids and not named
        paragraphs.append(tuple(_imported(row, first=not paragraphs, names=names, grey=row.body.grey != before)))
        before, named = row.body.grey, named or ids
    listing = rounds.counted[0].first if rounds.counted else None
    return Section("Images", (*paragraphs, tuple(_eligible(listing)) if listing else ()))


def held_out(recorded: Recorded, rounds: Rounds) -> Section:
    return Section("Held-out images", (tuple(_audit(recorded, rounds)), tuple(_locked(recorded))))


def _imported(row: Dated[Imported], *, first: bool, names: bool, grey: bool) -> Iterator[Sentence]:
    one, source = row.body, row.source
    facts = {"day": day(source), "files": count(one.files, "image file", source)}
    if one.dicom:
        facts["dicom"] = count(one.dicom, "", source)
        yield Sentence("On {day}, {files} were looked at for import, {dicom} of them DICOM.", facts)
    else:
        yield Sentence("On {day}, {files} were looked at for import.", facts)
    if first:
        yield Sentence("Images were stored as PNG files without their headers.", resting_on(source))
    if names:
        yield Sentence("Identifiers of patients and studies were replaced by pseudonyms.", resting_on(source))
    if one.grey and grey:
        rule = "The rule by which grey values were brought to eight bits: {grey}."
        yield Sentence(rule, {"grey": words(one.grey.rstrip("."), source)})
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
            "The selection left out {n} that could not be read.",
            {"n": count(len(row.unreadable), "image", source)},
        )


def _audit(recorded: Recorded, rounds: Rounds) -> Iterator[Sentence]:
    for part in recorded.audit:
        drawn = next((row for row in recorded.runs if row.run.number == part.source.run), None)
        facts = {"n": count(len(part.body.tasks), "image", part.source), "day": day(part.source)}
        if part.body.after:
            facts["after"] = count(part.body.after, "", part.source)
            template = "On {day}, {n} of those newer than task {after} were drawn at random as an audit slice of them."
            yield Sentence(template, facts)
            continue
        before = not rounds.counted or part.source.at < _chosen(rounds.counted[0].first).at
        when = "Before any image was selected, on {day}" if before else "On {day}"
        some = drawn and (drawn.run.choices.tab or drawn.run.choices.where)
        within = "eligible images" if some else "images"
        template = f"{when}, {{n}} were drawn at random as an audit slice from all {within} that could be read "
        template += "and were on no locked test list"
        if drawn:
            facts["seed"] = setting(drawn.run.choices.random_seed, drawn.source)
            template += " (random seed {seed})"
        yield Sentence(template + ".", facts)
        if drawn and (kept := _kept_together(drawn)):
            yield Sentence("Images of one group were drawn together: {kept}.", {"kept": listed(kept)})
    if recorded.audit:
        yield Sentence(
            "Once drawn, audit images were read like the others, without pre-annotations, and were never used for "
            "training.",
            resting_on(*(part.source for part in recorded.audit)),
        )


def _chosen(row: RunRow) -> Source:
    return row.queue.source if row.queue else row.source


def _kept_together(row: RunRow) -> tuple[Fact, ...]:
    choices, source, found = row.run.choices, row.source, list[Fact]()
    if choices.group_field:
        shown = f"those with the same value of the field “{plain(choices.group_field)}”"
        found.append(Fact(shown, (choices.group_field,), (source,)))
    if choices.near_duplicate and row.run.tasks <= EXACT_ROWS:
        shown = f"those whose embeddings had a cosine similarity of at least {choices.near_duplicate:g}"
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
        template + " was locked on {day}; from then on its images were not selected, not learnt from and had no "
        "pre-annotations.",
        facts,
    )
