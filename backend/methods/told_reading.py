"""What several annotators read in common, and how far they agreed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from seedqueue.backend.methods.facts import Block, Section, Sentence, Source, Table, count, day, listed, share, words
from seedqueue.backend.methods.figures import measured
from seedqueue.backend.methods.recorded import Dated, Recorded
from seedqueue.backend.milestones import Agreed, Measured, Overlap


def reading(recorded: Recorded) -> Section:
    """Of agreement the last look counts: earlier ones were made on fewer readings."""
    blocks: list[Block] = [tuple(_overlap(recorded.overlap))]
    if recorded.agreed:
        last = recorded.agreed[-1]
        blocks += [tuple(_agreed(last)), *_by_class(last)]
    return Section("Reading and agreement", tuple(block for block in blocks if block))


def _overlap(rows: Sequence[Dated[Overlap]]) -> Iterator[Sentence]:
    """The last one as it was asked for; of earlier ones, which were of other queues mostly, that there were some."""
    if not rows or rows[-1].body.annotators < 2 or not rows[-1].body.tasks:  # it was put back
        return
    one, source = rows[-1].body, rows[-1].source
    facts = {"n": count(len(one.tasks), "image", source), "who": count(one.annotators, "annotator", source)}
    template = "To measure agreement, {n} were assigned to {who} each on {day}"
    facts["day"] = day(source)
    chosen = [count(one.first, "image at the head of the queue", source, plural=_AT_THE_HEAD)] if one.first else []
    if one.share:
        part = share(one.share, source)
        chosen.append(replace(part, shown=f"{part.shown} of {'the others' if one.first else 'the queue'}"))
    if chosen:
        template, facts = template + ": {chosen}", facts | {"chosen": listed(tuple(chosen))}
    yield Sentence(template + ".", facts)
    earlier = {task for row in rows for task in row.body.tasks}.difference(one.tasks)
    if earlier:
        others = count(len(earlier), "other image", *(row.source for row in rows))
        yield Sentence("Before, {others} had been assigned to several annotators.", {"others": others})


_CLASSES = "Agreement by class, with 95% confidence intervals"
_AT_THE_HEAD = "images at the head of the queue"


def _agreed(row: Dated[Agreed]) -> Iterator[Sentence]:
    one, source = row.body, row.source
    facts = {"day": day(source), "n": count(one.tasks, "image", source), "who": count(one.annotators, "", source)}
    if one.annotators == 2:
        yield Sentence("By {day}, {n} had been read by {who} annotators each.", facts)
    else:
        yield Sentence("By {day}, {n} had been read by at least two of {who} annotators.", facts)
    if one.kappa:
        yield _figure(replace(one.kappa, name=_kappa_name(one)), source, _kappa_cites(one))
    if one.dice:
        yield _figure(one.dice, source, ("dice1945",))
    if one.disagreements:
        put = count(one.disagreements, "image was", source, plural="images were")
        yield Sentence("Because of disagreement, {n} put up for adjudication.", {"n": put})
    if one.suspects:
        yield Sentence(
            "Confident learning flagged {n} as possibly wrong.",
            {"n": count(one.suspects, "label", source)},
            ("northcutt2021",),
        )


def _kappa_name(one: Agreed) -> str:
    """Two people are compared by Cohen's kappa, more of them by Fleiss'."""
    name = one.kappa.name if one.kappa else ""
    return name if name != "kappa" else "Cohen's kappa" if one.annotators == 2 else "Fleiss' kappa"


def _kappa_cites(one: Agreed) -> tuple[str, ...]:
    name = _kappa_name(one).lower()
    return tuple(key for who, key in (("cohen", "cohen1960"), ("fleiss", "fleiss1971")) if who in name)


def _figure(one: Measured, source: Source, cites: tuple[str, ...]) -> Sentence:
    facts = {"name": words(one.name, source), "value": measured(one, source), "n": count(one.n, "image", source)}
    return Sentence("Agreement ({name}, {n}) was {value}.", facts, cites)


def _by_class(row: Dated[Agreed]) -> tuple[Table, ...]:
    one, source = row.body, row.source
    rows = [
        (words(each.name, source), measured(each, source, short=True), count(each.n, "", source))
        for each in one.by_class
    ]
    return (Table(Sentence(_CLASSES), ("Class and figure", "Agreement", "Images"), tuple(rows)),) if rows else ()
