"""From which prediction an annotation was begun, and how far it was changed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from annotated import BOTH, MASKS, SINGLE, Json, annotation, choice, region, task

from seedqueue.backend.export.prefilled import Begun, Refreshed, author, begun, refreshed_of, unsure
from seedqueue.backend.records import Records
from seedqueue.backend.tables import Home

EARLY, LATE = "2026-10-01T00:00:00Z", "2026-12-24T00:00:00Z"
NEW = "2026-11-01T00:00:00Z"


def prediction(number: int, version: str, *result: Json, made: str = EARLY, **more: Any) -> Json:
    stamps = {"created_at": made, "updated_at": made}
    return {"id": number, "model_version": version, "result": list(result), **stamps, **more}


def asked(one: Json, *predictions: Json, labelling: Any = SINGLE, kept: Json | None = None, others: Any = ()) -> Begun:
    whole = task(7, one, *others) | {"predictions": list(predictions)}
    return begun(whole, {"created_at": NEW, **one}, labelling, (), kept)


def test_begun_from_a_prediction_and_left_or_changed() -> None:
    said = prediction(5, "linear-3", choice("cat"))
    assert asked(annotation(1, choice("cat"), parent_prediction=5), said) == Begun("linear-3", "same", "-")
    assert asked(annotation(1, choice("dog"), parent_prediction=5), said) == Begun("linear-3", "other", "-")
    assert asked(annotation(1, parent_prediction=5), said) == Begun("linear-3", "other", "-")


def test_how_much_of_a_mask_was_changed() -> None:
    said = prediction(5, "unet-vgg11-2", region([[1, 1, 0, 0]]))

    def changed(*drawn: Json) -> str:
        return asked(annotation(1, *drawn, parent_prediction=5), said, labelling=MASKS).mask

    assert changed(region([[1, 1, 0, 0]])) == "0.0000"
    assert changed(region([[0, 1, 1, 0]])) == "0.5000"
    assert changed(region([[0, 0, 1, 1]])) == "1.0000"
    assert changed() == "1.0000"
    both = asked(
        annotation(1, choice("dog"), region([[0, 1, 1, 0]]), parent_prediction=5),
        prediction(5, "linear-3+unet-vgg11-2", choice("cat"), region([[1, 1, 0, 0]])),
        labelling=BOTH,
    )
    assert both == Begun("linear-3+unet-vgg11-2", "other", "0.5000")


def test_a_rank_without_a_result_fills_nothing_in() -> None:
    assert asked(annotation(1, choice("cat"), parent_prediction=5), prediction(5, "Seed queue 1")) == Begun("no")


def test_a_prediction_that_is_gone_is_unknown_unless_label_studio_kept_it() -> None:
    one = annotation(1, choice("cat"), parent_prediction=5)
    assert asked(one) == Begun("unknown")
    assert asked(one, kept=prediction(6, "linear-3", choice("cat"))) == Begun("unknown")
    assert asked(one, kept=prediction(5, "linear-3", choice("cat"))) == Begun("linear-3", "same", "-")


def test_without_a_parent_what_stood_beside_the_task_decides() -> None:
    one = annotation(1, choice("cat"))
    assert asked(one) == Begun("no")
    assert asked(one, prediction(5, "Seed queue 1")) == Begun("no")
    assert asked(one, prediction(5, "linear-3", choice("cat"))) == Begun("unknown")
    assert asked(one, prediction(5, "linear-3", choice("cat"), made=LATE)) == Begun("no")
    assert asked(one, kept=prediction(5, "Seed queue 1", choice("cat"))) == Begun("unknown")
    assert asked(one, kept=prediction(5, "Seed queue 1")) == Begun("no")


def test_a_copy_of_another_annotation() -> None:
    other = annotation(3, choice("dog"))
    copy = annotation(1, choice("dog"), parent_annotation=3)
    assert asked(copy, others=[other]) == Begun("annotation 3", "same", "-")
    assert asked(copy) == Begun("unknown")


def test_a_ranks_word_is_of_the_heads_that_served_when_it_was_written() -> None:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    notes = [Refreshed(at, "linear-1"), Refreshed(at + timedelta(hours=1), "linear-2")]

    def of(after: float) -> str:
        stamp = (at + timedelta(seconds=after)).isoformat()
        return author(prediction(5, "Seed queue 2", choice("cat"), updated_at=stamp), notes)

    assert [of(-3), of(2), of(3590)] == ["linear-1", "linear-1", "linear-2"]
    assert [of(1800), of(9000)] == ["unknown", "unknown"]
    assert author(prediction(5, "Seed queue 2", choice("cat")), []) == "unknown"
    assert author(prediction(5, "", choice("cat")), notes) == "unknown"


def test_label_studio_is_asked_only_where_a_ranks_word_may_be_gone() -> None:
    at = datetime(2026, 11, 1, tzinfo=UTC)
    note = (Refreshed(at, "linear-1"),)
    one = annotation(1, choice("cat"), created_at="2026-11-01T00:05:00Z")
    gone = task(7, one) | {"predictions": []}
    assert unsure(gone, one, note)
    assert not unsure(gone, one, ())
    assert not unsure(gone, {**one, "created_at": EARLY}, note)
    assert not unsure(gone | {"predictions": [prediction(4, "Seed queue 1")]}, one, note)
    assert not unsure(gone, {**one, "parent_annotation": 3}, note)
    assert unsure(gone, {**one, "parent_prediction": 9}, note)


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records(Home(tmp_path), "http://ls")


def test_the_records_tell_which_heads_served(records: Records) -> None:
    for number, head in ((1, "linear"), (2, "unet-vgg11"), (3, "linear")):
        records.append("version", 1, number, {"head": head})
    records.append("promoted", 1, 1, {"family": "classes"})
    records.append("learning", 1, 1, {"outcome": "refreshed", "message": ""})
    records.append("promoted", 1, 2, {"family": "masks"})
    records.append("promoted", 1, 3, {"family": "classes"})
    records.append("learning", 1, 1, {"outcome": "trained", "message": ""})
    records.append("learning", 1, 1, {"outcome": "refreshed", "message": ""})
    assert [one.heads for one in refreshed_of(records, 1)] == ["linear-1", "linear-3+unet-vgg11-2"]
