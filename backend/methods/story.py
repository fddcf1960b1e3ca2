"""The whole of a project's methods as typed facts: what is told, what is drawn, what is missing. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from seedqueue.backend.methods import told_images, told_models, told_outcome, told_reading, told_selection
from seedqueue.backend.methods.card import cards
from seedqueue.backend.methods.facts import Section, Sentence, listed, words
from seedqueue.backend.methods.flow import Step, flow
from seedqueue.backend.methods.recorded import Recorded
from seedqueue.backend.methods.rounds import Rounds, rounds_of

FOR_AUTHORS = (
    "ethics approval and consent",
    "the period, the devices and the protocol of acquisition",
    "clinical criteria for including patients",
    "the reference standard, and who the annotators are and what they know of the patients",
    "the version of Label Studio",
)


@dataclass(frozen=True)
class Story:
    """sections: of methods.md, in order, those that are not empty. missing: what the records do not hold, a clause
    each. cards: a section for each serving model."""

    project: int
    sections: tuple[Section, ...]
    steps: tuple[Step, ...]
    missing: tuple[str, ...]
    cards: tuple[Section, ...]


def gather_facts(recorded: Recorded, weights: Mapping[str, str] | None = None) -> Story:
    """weights: the SHA-256 of an embedder's weights by fingerprint, where it is confirmed (`proof`)."""
    rounds, confirmed = rounds_of(recorded.runs), weights or {}
    sections = (
        told_images.images(recorded, rounds),
        told_images.held_out(recorded, rounds),
        told_selection.selection(rounds, confirmed),
        told_reading.reading(recorded),
        told_models.models(recorded),
        told_outcome.exported(recorded),
        told_outcome.arrivals(recorded),
        _software(recorded),
    )
    kept = tuple(Section(one.title, tuple(block for block in one.blocks if block)) for one in sections if one)
    missing = _missing(recorded, rounds, confirmed)
    return Story(recorded.project, kept, flow(recorded, rounds), missing, cards(recorded))


def _software(recorded: Recorded) -> Section:
    versions = {one.body.code: one.source for one in recorded.versions if one.body.code}
    cites = ("label-studio",)
    if not versions:
        template = "Images were labelled in Label Studio and selected with seedqueue."
        return Section("Software", ((Sentence(template, {}, cites),),))
    told = listed(tuple(words(code, source) for code, source in versions.items()))
    template = "Images were labelled in Label Studio; models were trained with seedqueue {versions}."
    return Section("Software", ((Sentence(template, {"versions": told}, cites),),))


def _missing(recorded: Recorded, rounds: Rounds, confirmed: Mapping[str, str]) -> tuple[str, ...]:
    used = {row.run.fingerprint for one in rounds.counted for row in one.rows}
    apart = recorded.locked is not None and bool(recorded.locked.body.tasks)
    untold = bool(used) and not used <= confirmed.keys()
    asked = (
        (not recorded.imported, "how the images came into the project, and whether they were de-identified"),
        (not rounds.counted, "which images were selected for labelling, and how"),
        (untold, "the SHA-256 of the embedder's weights; its fingerprint stands for them"),
        (not recorded.audit and not apart, "a held-out set: neither an audit slice nor a locked test list"),
        (not recorded.agreed, "how far annotators agreed"),
        (not any(one.body.promoted for one in recorded.versions), "a trained model"),
        (not recorded.exported, "the data set as it was exported, its patients and its splits"),
        (not recorded.versions, "the version of seedqueue"),
    )
    return tuple(clause for missing, clause in asked if missing)
