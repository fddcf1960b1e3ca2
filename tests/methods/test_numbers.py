"""Nothing stands in the text that the records do not hold: every number of it is looked for in the rows."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from typing import Any, get_args

import pytest

from seedqueue.backend.context import Context
from seedqueue.backend.methods import definitions
from seedqueue.backend.methods.citing import Cited
from seedqueue.backend.methods.facts import FIXED, Fact, NumberOfItsOwn, Section, Sentence, Table
from seedqueue.backend.methods.recorded import Dated, Recorded
from seedqueue.backend.methods.rendering import card_text, text
from seedqueue.backend.methods.story import Story, gather_facts
from seedqueue.backend.records import Kind

PROJECT = 7
NUMBER = re.compile(r"\d[\d,]*(?:\.\d+)?(?:e-?\d+)?")
CODE = re.compile(r"`([^`]*)`")
DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
MARK = re.compile(r"\[\d+(?:, \d+)*\]")
# What only counting gives: images that an import added less those of the listing, in no queue, without a label.
COUNTED = {1200 - 1187, 1187 - 47 - 151 - 57 - 23, 1187 - 271}
P_BOUND = "0.001"


@pytest.fixture(scope="module")
def rows(planted: Context) -> list[tuple[datetime, Any]]:
    found = []
    for kind in get_args(Kind):
        found += [(row.at, row.body) for row in planted.records.dated(kind, PROJECT)]
    return found


def leaves(body: Any) -> Iterator[Any]:
    """Every value of a row, and how long its lists are."""
    if isinstance(body, dict):
        for value in body.values():
            yield from leaves(value)
    elif isinstance(body, list):
        yield len(body)
        for value in body:
            yield from leaves(value)
    elif body is not None and not isinstance(body, bool):
        yield body


def written(value: Any) -> set[str]:
    """The ways in which a number of a row may be printed; of a text the numbers in it."""
    if isinstance(value, str):
        return set(NUMBER.findall(value))
    value = abs(value)  # a minus sign is no digit
    ways = {f"{value:g}", f"{value:.3f}", f"{100 * value:.3g}"}
    return ways | ({f"{value:,}"} if isinstance(value, int) else set())


def derivable(rows: list[tuple[datetime, Any]], recorded: Recorded) -> set[str]:
    found = {number for name in FIXED for number in NUMBER.findall(name)} | {P_BOUND, str(PROJECT)}
    for _, body in rows:
        for value in leaves(body):
            found |= written(value)
    for row in recorded.runs:
        queue = row.queue.body if row.queue else ()
        found |= {str(sum(one.audit for one in queue)), str(sum(not one.audit for one in queue)), str(row.run.number)}
        found |= set(NUMBER.findall(definitions.selector(row.run.choices.selector).clause))
    return found | {str(number) for number in COUNTED} | {"2"}  # the second round, and two reasons that are alike


def told(markdown: str) -> str:
    return markdown.partition("## Sources")[0]


def test_every_number_is_in_a_row(rows: list[tuple[datetime, Any]], recorded: Recorded) -> None:
    cited, story = Cited(), gather_facts(recorded)
    whole = told(text(story, cited)) + card_text(story, cited)
    everything = json.dumps([body for _, body in rows], ensure_ascii=False)
    for typed in CODE.findall(whole):
        assert typed in everything, typed
    plain = MARK.sub("", CODE.sub("", whole))
    days = {f"{at:%Y-%m-%d}" for at, _ in rows} | {one.body.made[:10] for one in recorded.versions}
    assert set(DATE.findall(plain)) <= days
    known = derivable(rows, recorded)
    unknown = [number for number in NUMBER.findall(DATE.sub("", plain)) if number.rstrip(",") not in known]
    assert unknown == []


def test_the_proof_can_fail(rows: list[tuple[datetime, Any]], recorded: Recorded) -> None:
    """A number that no row holds is found."""
    first = recorded.imported[0]
    bent = replace(recorded, imported=(Dated(replace(first.body, near=7777), first.source),))
    assert "7,777 pairs" in text(gather_facts(bent))
    assert "7,777" not in derivable(rows, recorded)


def test_a_template_with_a_number_of_its_own_is_refused() -> None:
    with pytest.raises(NumberOfItsOwn, match="40 images"):
        Sentence("There were 40 images.")
    with pytest.raises(NumberOfItsOwn):
        Table(Sentence("Splits"), ("Split 1",), ())
    assert Sentence("The 95% interval of VGG-11, {n}", {"n": Fact("7", (7,), ())}).text.endswith("7")


def facts_of(section: Section) -> Iterator[Fact]:
    for block in section.blocks:
        if isinstance(block, Table):
            yield from block.caption.facts.values()
            for row in block.rows:
                yield from row
        else:
            for sentence in block:
                yield from sentence.facts.values()


def test_every_fact_names_the_row_that_holds_it(rows: list[tuple[datetime, Any]], recorded: Recorded) -> None:
    story = gather_facts(recorded)
    dates = {at for at, _ in rows}
    for section in (*story.sections, *story.cards):
        for fact in facts_of(section):
            assert {source.at for source in fact.sources} <= dates
            assert fact.sources or not NUMBER.search(fact.shown), fact


def test_every_sentence_rests_on_a_row(recorded: Recorded) -> None:
    story = gather_facts(recorded)
    free = [
        sentence.template
        for section in story.sections
        for block in section.blocks
        if not isinstance(block, Table)
        for sentence in block
        if not sentence.sources
    ]
    assert free == []


def without(recorded: Recorded, **changes: Any) -> Story:
    return gather_facts(replace(recorded, **changes))


@pytest.mark.parametrize(
    ("missing", "title", "said"),
    [
        ({"imported": ()}, "Images", "how the images came into the project"),
        ({"runs": ()}, "Selection of images", "which images were selected"),
        ({"audit": (), "locked": None}, "Held-out images", "a held-out set"),
        ({"overlap": (), "agreed": ()}, "Reading and agreement", "how far annotators agreed"),
        ({"versions": ()}, "Models", "a trained model"),
        ({"exported": ()}, "Data set", "the data set as it was exported"),
    ],
)
def test_what_is_not_recorded_is_left_out_and_named(
    recorded: Recorded, missing: dict[str, Any], title: str, said: str
) -> None:
    whole, story = gather_facts(recorded), without(recorded, **missing)
    assert not any(said in one for one in whole.missing)
    assert any(said in one for one in story.missing)
    assert f"- Not recorded: {next(one for one in story.missing if said in one)}." in text(story)
    if title != "Images":  # which tells of the listing too
        assert title not in [section.title for section in story.sections]


def test_names_of_folders_and_files_stay_at_home(recorded: Recorded) -> None:
    assert "archive" not in text(gather_facts(recorded), sources=True)
    assert "IM0" not in text(gather_facts(recorded), sources=True)


def test_the_appendix_names_the_rows(recorded: Recorded) -> None:
    appendix = text(gather_facts(recorded), sources=True).partition("## Sources")[2]
    assert "| 1.1 | On 2026-03-02, 1,212 image files were looked at" in appendix
    assert "imported, 2026-03-02 09:00:00" in appendix
    assert "## Sources" not in text(gather_facts(recorded))
