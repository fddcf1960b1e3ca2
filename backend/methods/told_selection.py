"""How images were chosen for labelling: the embedder, the selector, its rules, and each round."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from seedqueue.backend.methods import definitions
from seedqueue.backend.methods.facts import (
    NOTHING,
    Block,
    Section,
    Sentence,
    Source,
    Table,
    code,
    count,
    day,
    listed,
    setting,
    words,
)
from seedqueue.backend.methods.recorded import RunRow
from seedqueue.backend.methods.rounds import Round, Rounds
from seedqueue.selectors.representation import COMPONENTS, EXACT_ROWS


def selection(rounds: Rounds, weights: Mapping[str, str]) -> Section:
    """weights: the SHA-256 that a fingerprint confirms, by fingerprint (`proof`)."""
    if not rounds.counted:
        return Section("Selection of images", ())
    blocks: list[Block] = [tuple(_embedders(rounds, weights)), tuple(_selectors(rounds)), tuple(_rules(rounds))]
    blocks += [tuple(_changes(rounds)), _table(rounds)]
    return Section("Selection of images", tuple(block for block in blocks if block))


def _embedders(rounds: Rounds, weights: Mapping[str, str]) -> Iterator[Sentence]:
    for row in _distinct(rounds, lambda row: f"{row.run.choices.embedder} {row.run.fingerprint}"):
        yield from embedder(row.run.choices.embedder, row.run.fingerprint, row, weights)


def embedder(name: str, fingerprint: str, row: RunRow, weights: Mapping[str, str]) -> Iterator[Sentence]:
    told, source = definitions.embedder(name), row.source
    facts = {"title": words(told.title, source), "name": code(name, source), "print": code(fingerprint, source)}
    template = "Every image was represented by an embedding of {title} ({name}; fingerprint {print}"
    if sha256 := weights.get(fingerprint):
        facts["sha"] = code(sha256, source)
        template += "; weights with the SHA-256 {sha}"
    yield Sentence(template + ").", facts, told.cites)
    seen = {"seen": words(told.clause, source)}
    if told.clause == "nothing":
        yield Sentence("It has no trained weights.", {"title": facts["name"]})
    elif told.clause == "not known":
        yield Sentence("On which images its weights were trained is not recorded.", {"title": facts["name"]})
    else:
        yield Sentence(
            "Its weights had been trained on {seen}; whether images of this study are among them is not recorded.", seen
        )


def _selectors(rounds: Rounds) -> Iterator[Sentence]:
    told: set[str] = set()
    for one in rounds.counted:
        choices, source = one.first.run.choices, one.first.source
        found = definitions.selector(choices.selector)
        facts = {"title": words(found.title, source), "n": count(len(one.seeds), "image", *_queue(one))}
        again = choices.selector in told
        clause = "" if again or not found.clause else ": {clause}"
        if clause:
            facts["clause"] = words(found.clause, source)
        if one.number == 1:
            which = "another" if one.again else "the"
            template = f"As {which} seed queue, {{n}} were chosen by {{title}}{clause}."
        else:
            facts["round"] = count(one.number, "", source)
            template = "In round {round}, {n} were chosen by {title}"
            if one.first.run.head:
                facts["head"] = words(one.first.run.head, source)
                template += " on the predictions of the model {head}"
            template += f"{clause}."
        yield Sentence(template, facts, () if again else found.cites)
        told.add(choices.selector)
        if choices.weak_label and choices.selector == "weak-label":
            yield Sentence("The weak label was {weak}.", {"weak": code(choices.weak_label, source)})


def _rules(rounds: Rounds) -> Iterator[Sentence]:
    for row in _distinct(rounds, lambda row: str(row.run.tasks > EXACT_ROWS)):
        if row.run.tasks > EXACT_ROWS:
            yield Sentence(
                "When {listed} were listed, embeddings were reduced to their first {n} before images were chosen.",
                {
                    "listed": count(row.run.tasks, "image", row.source),
                    "n": count(COMPONENTS, "principal component", row.source),
                },
            )
    for row in _distinct(rounds, lambda row: repr(_rule_of(row))):
        field, per_group, near = _rule_of(row)
        if field:
            yield Sentence(
                "No more than {n} with the same value of the field {field} was chosen."
                if per_group == 1
                else "No more than {n} with the same value of the field {field} were chosen.",
                {"n": count(per_group, "image", row.source), "field": words(field, row.source, quoted=True)},
            )
        if near:
            yield Sentence(
                "Images whose embedding had a cosine similarity of {near} or more to that of a chosen or labelled one "
                "were passed over while others were left.",
                {"near": setting(near, row.source)},
            )


def _rule_of(row: RunRow) -> tuple[str, int, float]:
    choices = row.run.choices
    return choices.group_field, choices.per_group if choices.group_field else 1, choices.near_duplicate


def _changes(rounds: Rounds) -> Iterator[Sentence]:
    """What happened to queues after they were chosen."""
    for one in rounds.counted:
        number = {"round": count(one.number, "", one.last.source)}
        for before, row in zip(one.rows, one.rows[1:], strict=False):
            if row.run.choices.extends:
                yield Sentence(
                    "The queue of round {round} was lengthened from {old} to {new} on {day}.",
                    {
                        **number,
                        "old": count(before.run.choices.budget, "", before.source),
                        "new": count(row.run.choices.budget, "image", row.source),
                        "day": day(row.source),
                    },
                )
        hands = (
            [count(len(one.by_hand), "image was added", *_queue(one), plural="images were added")]
            if one.by_hand
            else []
        )
        if one.taken_out:
            hands.append(count(one.taken_out, "was taken out", *_queue(one), plural="were taken out"))
        if hands:
            yield Sentence("By hand, {hands} in round {round}.", {**number, "hands": listed(tuple(hands))})
    for gone in rounds.replaced:
        yield Sentence(
            "A seed queue of {n} gave way to another one before any of its images was labelled.",
            {"n": count(len(gone.seeds), "image", *_queue(gone))},
        )
    if rounds.withdrawn:
        sources = tuple(row.source for row in rounds.withdrawn)
        yield Sentence(
            "Not counted here: {n} withdrawn from the annotators before.",
            {"n": count(len(rounds.withdrawn), "queue", *sources)},
        )


def _table(rounds: Rounds) -> Table:
    rows = []
    for one in rounds.counted:
        run, source = one.last.run, one.last.source
        audit = sum(each.audit for each in one.last.queue.body) if one.last.queue else 0
        rows.append(
            (
                count(one.number, "", source),
                day(one.first.source),
                words(definitions.selector(one.first.run.choices.selector).title, one.first.source),
                count(run.choices.budget, "", source),
                count(len(one.seeds), "", *_queue(one)),
                count(audit, "", *_queue(one)),
                words(one.first.run.head, one.first.source) if one.first.run.head else NOTHING,
                setting(run.choices.random_seed, source),
            )
        )
    head = ("Round", "Date", "Chosen by", "Requested", "Chosen", "Audit images", "Model", "Random seed")
    return Table(Sentence("Rounds of selection"), head, tuple(rows))


def _queue(one: Round) -> tuple[Source, ...]:
    return (one.last.queue.source,) if one.last.queue else (one.last.source,)


def _distinct(rounds: Rounds, key: Callable[[RunRow], str]) -> Iterator[RunRow]:
    """The first run of each kind, in order."""
    seen = set[str]()
    for one in rounds.counted:
        for row in one.rows:
            if (found := key(row)) not in seen:
                seen.add(found)
                yield row
