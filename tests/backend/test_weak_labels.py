"""Weak labels from a field, from a report's words, from a classifier of the embedder's own."""

import numpy as np
import pytest

from seedqueue.backend.errors import InvalidRequest
from seedqueue.backend.pool_errors import NoWeakLabels
from seedqueue.backend.weak_labels import MOST_VALUES, WeakLabel, mentions, parse, weak_labels
from seedqueue.models.findings import Findings
from seedqueue.selectors.source import Matrix

NOTHING = Matrix(np.zeros((3, 2), dtype=np.float32))


def test_the_three_forms() -> None:
    assert parse("findings") == WeakLabel("findings")
    assert parse(" field:view ") == WeakLabel("field", "view")
    assert parse("keywords:report:effusion, oedema") == WeakLabel("keywords", "report", ("effusion", "oedema"))


@pytest.mark.parametrize(
    "text", ["txrv", "field:", "field: ", "keywords:report", "keywords:report:", "keywords::a", "findings:x"]
)
def test_what_is_none_of_them(text: str) -> None:
    with pytest.raises(InvalidRequest, match="give findings, field:NAME or keywords:FIELD:WORD,WORD"):
        parse(text)


def test_a_fields_values_in_their_order_an_empty_one_is_none() -> None:
    fields = [{"view": "PA"}, {"view": "AP"}, {}]
    found = weak_labels(parse("field:view"), fields, NOTHING, None)
    assert found.tolist() == [[False, True], [True, False], [False, False]]


def test_a_field_that_says_nothing() -> None:
    with pytest.raises(NoWeakLabels, match="no image has a value in the field 'view'"):
        weak_labels(parse("field:view"), [{"report": "x"}] * 3, NOTHING, None)
    many = [{"id": str(number)} for number in range(MOST_VALUES + 1)]
    with pytest.raises(NoWeakLabels, match="51 different values, more than 50"):
        weak_labels(parse("field:id"), many, NOTHING, None)
    with pytest.raises(NoWeakLabels, match="none of oedema occurs in the field 'report'"):
        weak_labels(parse("keywords:report:oedema"), [{"report": "clear"}] * 3, NOTHING, None)


def test_keywords_of_a_report() -> None:
    texts = ["Large effusion. No pneumothorax.", "Pneumothorax on the left", "unremarkable"]
    found = weak_labels(
        parse("keywords:report:effusion,pneumothorax"), [{"report": text} for text in texts], NOTHING, None
    )
    assert found.tolist() == [[True, False], [False, True], [False, False]]


@pytest.mark.parametrize(
    ("text", "there"),
    [
        ("Pleural effusions on both sides", True),
        ("EFFUSION", True),
        ("no effusion", False),
        ("No evidence of pleural effusion.", False),
        ("without focal consolidation or effusion", False),
        ("negative for effusion", False),
        ("Kein Nachweis einer effusion", False),
        ("No pneumothorax. Small effusion.", True),
        ("no fever but effusion", True),
        ("no change, one two three four five six effusion", True),
        ("transfusioneffusion", False),
        ("notable effusion", True),
        ("", False),
    ],
)
def test_a_word_that_is_denied_is_not_there(text: str, there: bool) -> None:
    assert mentions(text, "effusion") is there


def test_the_embedders_own_classifier() -> None:
    findings = Findings(
        ("effusion", "nodule", "mass"),
        weight=np.array([[1, 0], [0, 1], [0, 0]], dtype=np.float32),
        bias=np.array([0, 0, -9], dtype=np.float32),
        threshold=np.full(3, 0.5, dtype=np.float32),
    )
    embeddings = Matrix(np.array([[2, 1], [-1, 3], [-1, -1]], dtype=np.float32))
    found = weak_labels(parse("findings"), [{}] * 3, embeddings, findings)
    assert found.tolist() == [[True, False], [False, True], [False, False]]  # nobody has a mass: no column
    with pytest.raises(NoWeakLabels, match="use a txrv:densenet121 embedder"):
        weak_labels(parse("findings"), [{}] * 3, embeddings, None)
