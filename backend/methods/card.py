"""A model card for each model that serves: from its version's row, in the words of the methods."""

from __future__ import annotations

from collections.abc import Iterator

from seedqueue.backend.methods import definitions
from seedqueue.backend.methods.facts import Block, Section, Sentence, code, resting_on, words
from seedqueue.backend.methods.recorded import Recorded
from seedqueue.backend.methods.told_models import Made, judged, learnt, serving, tables


def cards(recorded: Recorded) -> tuple[Section, ...]:
    return tuple(_card(one, recorded) for one in serving(recorded))


def _card(made: Made, recorded: Recorded) -> Section:
    blocks: list[Block] = [
        (_use(made),),
        tuple(learnt(made)),
        tuple(_embedder(made)),
        tuple(judged(made, recorded)),
        *tables(made),
        tuple(_limits(made, recorded)),
    ]
    return Section(made.body.name, tuple(block for block in blocks if block))


def _use(made: Made) -> Sentence:
    one, source = made.body, made.source
    what = "marks regions" if one.family == "masks" else "proposes classes"
    return Sentence(
        f"Intended use: {{name}} {what} ({{classes}}) as pre-annotations that a person confirms or corrects, on images "
        "like those of this project; it is no medical device and decides nothing about a patient.",
        {"name": words(one.name, source), "classes": words(", ".join(one.classes), source)},
    )


def _embedder(made: Made) -> Iterator[Sentence]:
    one, source = made.body, made.source
    if one.head != "linear":
        return
    told = definitions.embedder(one.embedder)
    facts = {
        "title": words(told.title, source),
        "name": code(one.embedder, source),
        "print": code(one.fingerprint, source),
    }
    yield Sentence("Its embeddings are those of {title} ({name}, fingerprint {print}).", facts, told.cites)


def _limits(made: Made, recorded: Recorded) -> Iterator[Sentence]:
    one, source = made.body, made.source
    name = {"name": words(one.name, source)}
    if not one.audited:
        yield Sentence("Limit: {name} is unaudited; how well it does is not known.", name)
    elif one.held_out != "audit slice":
        yield Sentence(
            "Limit: the {set} is not known to be a random sample of the project's images; figures may differ there.",
            {"set": words(one.held_out, source)},
        )
    if one.head == "linear":
        yield _overlap(made)
    for each in one.figures.get("classes") or ():
        if each.get("caution"):
            told = {"class": words(str(each["name"]), source), "caution": words(str(each["caution"]), source)}
            yield Sentence("Limit, {class}: {caution}.", told)
    for row in recorded.arrived[-1:]:
        if row.source.at < made.source.at:  # of an earlier version: this one may have learnt from these images
            continue
        fact = resting_on(row.source)
        if row.body.holds is False:
            yield Sentence("Limit: on images that came later the estimate did not hold.", fact)
        elif row.body.drifted:
            yield Sentence("Limit: images that came later differ from those that it learnt from.", fact)
    yield Sentence("Limit: it was not judged on images of another project or institution.", name)


def _overlap(made: Made) -> Sentence:
    seen = definitions.embedder(made.body.embedder).clause
    facts = {"seen": words(seen, made.source)}
    if seen == "nothing":
        return Sentence(
            "Its embedder has no trained weights, so no pretraining overlaps with the held-out images.", facts
        )
    if seen == "not known":
        return Sentence(
            "Limit: what its embedder was pretrained on is not recorded; held-out images may be among it.", facts
        )
    return Sentence(
        "Limit: its embedder was pretrained on {seen}; on images from these the figures are no proof.", facts
    )
