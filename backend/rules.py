"""A run's choices applied to a pool: groups and near duplicates, weak labels, what cannot be had."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from seedqueue.backend.pool_errors import NoGroups
from seedqueue.backend.records import Choices
from seedqueue.backend.weak_labels import parse, weak_labels
from seedqueue.models.findings import Findings
from seedqueue.selectors import registry
from seedqueue.selectors.allowance import Rules
from seedqueue.selectors.linking import alike, linked, of_one_group
from seedqueue.selectors.representation import fit_scaler, represent
from seedqueue.selectors.selection import Embeddings, Rows
from seedqueue.selectors.signals import Signals
from seedqueue.selectors.source import Matrix, Source


def fields_of(choices: Choices) -> tuple[str, ...]:
    """The fields of task data that a selection with these choices reads."""
    asked = parse(choices.weak_label) if choices.weak_label else None
    return tuple(field for field in (choices.group_field, asked.field if asked else "") if field)


def rules_for(choices: Choices, fields: Sequence[Mapping[str, str]]) -> Rules:
    """Groups by a field of task data, and near duplicates. Raises `NoGroups` where no image has the field."""
    groups = groups_by(choices.group_field, fields) if choices.group_field else None
    return Rules(groups, choices.per_group, choices.near_duplicate or None)


def groups_by(field: str, fields: Sequence[Mapping[str, str]]) -> Rows:
    """The group of each image by its value of a field, int64 (n,), -1 without one. Raises `NoGroups`."""
    values = [one.get(field, "") for one in fields]
    if not any(values):
        raise NoGroups(field)
    number = {value: at for at, value in enumerate(dict.fromkeys(value for value in values if value))}
    return np.array([number.get(value, -1) for value in values], dtype=np.int64)


def signals_for(
    choices: Choices,
    fields: Sequence[Mapping[str, str]],
    embeddings: Source,
    findings: Callable[[], Findings | None],
    known: Signals | None = None,
) -> Signals:
    """What the selector needs of the images beside their embeddings. Raises `NoWeakLabels`."""
    signals = known or Signals()
    if not choices.weak_label or "weak_labels" not in registry.get(choices.selector).needs:
        return signals
    asked = parse(choices.weak_label)
    classifier = findings() if asked.kind == "findings" else None
    return replace(signals, weak_labels=weak_labels(asked, fields, embeddings, classifier))


def repeats(keys: Sequence[str]) -> int:
    """How many images hold the same bytes as an earlier one."""
    return len(keys) - len(set(keys))


def unsplit(
    embeddings: Embeddings, fields: Sequence[Mapping[str, str]], group_field: str, near_duplicate: float
) -> Rows:
    """The group of each image, int64 (n,): images of one patient and near duplicates stay in one part of a split.

    embeddings: float32 (n, d). group_field: empty for none. near_duplicate: a cosine on unit vectors, 0 for none.
    Raises `NoGroups`.
    """
    pairs = []
    if group_field:
        pairs.append(of_one_group(groups_by(group_field, fields)))
    if near_duplicate:
        source = Matrix(embeddings)
        pairs += alike(represent(source, fit_scaler(source), "unit"), near_duplicate)
    return linked(len(embeddings), pairs)
