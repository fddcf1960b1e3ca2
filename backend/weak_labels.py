"""Weak labels of a pool: the embedder's own classifier, a field of task data, keywords of a report.

Cheap, often wrong, and enough to reach findings that few images have.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend.errors import InvalidRequest
from seedqueue.backend.pool_errors import NoWeakLabels
from seedqueue.models.findings import Findings
from seedqueue.selectors.source import Source, blocks

FORMS = "findings, field:NAME or keywords:FIELD:WORD,WORD"
MOST_VALUES = 50

# A finding is denied where one of these stands at most five words before it in its sentence, after
# the rule of NegEx (Chapman et al., J Biomed Inform 34, 2001).
_DENIALS = r"\b(?:no|not|without|never|denies|negative for|free of|absence of|resolved|kein\w*|ohne|nicht)\b"
_SENTENCE = re.compile(r"[.;!?\n]|\bbut\b|\bhowever\b|\baber\b", re.IGNORECASE)

Labels = NDArray[np.bool_]


@dataclass(frozen=True)
class WeakLabel:
    """Where weak labels come from; `field` is a field of task data, `words` the keywords sought in it."""

    kind: Literal["findings", "field", "keywords"]
    field: str = ""
    words: tuple[str, ...] = ()


def parse(text: str) -> WeakLabel:
    """`findings`, `field:NAME` or `keywords:FIELD:WORD,WORD`. Raises `InvalidRequest`."""
    kind, _, rest = text.strip().partition(":")
    if kind == "findings" and not rest:
        return WeakLabel("findings")
    if kind == "field" and rest.strip():
        return WeakLabel("field", rest.strip())
    field, _, listed = rest.partition(":")
    words = tuple(word.strip() for word in listed.split(",") if word.strip())
    if kind == "keywords" and field.strip() and words:
        return WeakLabel("keywords", field.strip(), words)
    raise InvalidRequest(f"The weak label is {text!r}; give {FORMS}.")


def weak_labels(
    asked: WeakLabel, fields: Sequence[Mapping[str, str]], embeddings: Source, findings: Findings | None
) -> Labels:
    """bool (n, findings) of n images: fields of task data and embeddings (n, d) of each, and the embedder's classifier.

    Raises `NoWeakLabels` where there is nothing to stratify by.
    """
    if asked.kind == "findings":
        if findings is None:
            raise NoWeakLabels("the embedder has no classifier of its own: use a txrv:densenet121 embedder")
        found = np.concatenate([findings.strongest(block) for _, block in blocks(embeddings)])
        return found[:, found.any(axis=0)] if found.any() else found
    values = [one.get(asked.field, "") for one in fields]
    if not any(values):
        raise NoWeakLabels(f"no image has a value in the field {asked.field!r}")
    return _of_values(asked.field, values) if asked.kind == "field" else _of_keywords(asked, values)


def _of_values(field: str, values: Sequence[str]) -> Labels:
    known = sorted({value for value in values if value})
    if len(known) > MOST_VALUES:
        raise NoWeakLabels(f"the field {field!r} has {len(known)} different values, more than {MOST_VALUES}")
    return np.asarray(np.array(values)[:, None] == np.array(known))


def _of_keywords(asked: WeakLabel, texts: Sequence[str]) -> Labels:
    found = np.array([[mentions(text, word) for word in asked.words] for text in texts])
    if not found.any():
        raise NoWeakLabels(f"none of {', '.join(asked.words)} occurs in the field {asked.field!r}")
    return found


def mentions(text: str, word: str) -> bool:
    """Whether a text says that something is there: the word, or one that begins so, and no denial before it."""
    begins = re.compile(rf"(?<!\w){re.escape(word)}", re.IGNORECASE)
    denied = re.compile(rf"{_DENIALS}(?:\W+\w+){{0,5}}?\W+{re.escape(word)}", re.IGNORECASE)
    return any(begins.search(sentence) and not denied.search(sentence) for sentence in _SENTENCE.split(text))
