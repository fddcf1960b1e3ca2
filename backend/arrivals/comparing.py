"""A version's figure on new images less its figure on old ones, with an interval. Pure.

The two slices are different images: each is resampled by itself (Efron & Tibshirani 1993, section 8.3). AUPRC grows
with the prevalence, which may differ between them, so classes are compared by (AUPRC - prevalence) / (1 - prevalence).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend.examples import Example
from seedqueue.backend.judging import Groups, Predicted, targets
from seedqueue.backend.versions import ModelVersion
from seedqueue.models.metrics import bootstrap, ranking
from seedqueue.models.metrics.averages import weighted_mean
from seedqueue.models.metrics.bootstrap import Doubles
from seedqueue.models.metrics.class_scores import LEAST_HOLDERS
from seedqueue.models.metrics.mask_table import MaskTable

BOOTSTRAPS = 1_000

Slice = tuple[Sequence[Example], Groups]  # labelled images and their groups, int64 (n,)


@dataclass(frozen=True)
class Compared:
    """fresh, old: the figure on either slice, None where it is not defined. difference: fresh less old, with its 95 %
    interval. reason: why something is missing. left_out: classes that too few images of a slice show or do not show."""

    metric: str
    fresh: float | None
    old: float | None
    difference: float | None
    low: float | None
    high: float | None
    n_fresh: int
    n_old: int
    reason: str = ""
    left_out: tuple[str, ...] = ()


def compare_classes(predicted: Predicted, version: ModelVersion, old: Slice, fresh: Slice, seed: int) -> Compared:
    """The macro mean over the classes of which both slices have enough with and without."""
    truths = [targets(examples, len(version.classes)) for examples, _ in (old, fresh)]
    enough = [_enough(truth, groups) for truth, (_, groups) in zip(truths, (old, fresh), strict=True)]
    kept = np.flatnonzero(enough[0] & enough[1])
    if version.kind == "single" and len(version.classes) == 2 and len(kept) == 2:
        kept = np.array([int(truths[0][:, 0].sum() >= truths[0][:, 1].sum())])  # the rarer: the other says the same
    values = []
    for at, ((examples, groups), truth) in enumerate(zip((old, fresh), truths, strict=True)):
        said = np.array([predicted.probabilities[one.task] for one in examples]).reshape(truth.shape)
        weights = bootstrap.resample(groups, BOOTSTRAPS, seed + at).weights
        values.append(bootstrap.macro([_above_chance(said[:, c], truth[:, c], weights) for c in kept.tolist()]))
    out = tuple(name for at, name in enumerate(version.classes) if not (enough[0] & enough[1])[at])
    return _compared(_named("AUPRC above chance", len(kept)), values[0], values[1], old, fresh, out)


def compare_masks(predicted: Predicted, version: ModelVersion, old: Slice, fresh: Slice, seed: int) -> Compared:
    """The macro mean of DSC over the classes of which both slices have enough images with a target."""
    tables = [
        [
            MaskTable(name, [predicted.images[one.task][at] for one in examples])
            for at, name in enumerate(version.classes)
        ]
        for examples, _ in (old, fresh)
    ]
    enough = [
        np.array([_holders(table.with_target, groups) >= LEAST_HOLDERS for table in each])
        for each, (_, groups) in zip(tables, (old, fresh), strict=True)
    ]
    kept = np.flatnonzero(enough[0] & enough[1]).tolist()
    values = []
    for at, (each, (_, groups)) in enumerate(zip(tables, (old, fresh), strict=True)):
        weights = bootstrap.resample(groups, BOOTSTRAPS, seed + at).weights
        values.append(bootstrap.macro([weighted_mean(each[c].column("dsc"), weights) for c in kept]))
    out = tuple(name for at, name in enumerate(version.classes) if at not in kept)
    return _compared(_named("DSC", len(kept)), values[0], values[1], old, fresh, out)


def _above_chance(said: Doubles, truth: NDArray[np.bool_], weights: Doubles) -> Doubles:
    prevalence = weights @ truth / weights.sum(axis=1)
    return ranking.above_chance(ranking.average_precision(said, truth, weights), prevalence)


def _enough(truth: NDArray[np.bool_], groups: Groups) -> NDArray[np.bool_]:
    """The classes that enough groups show and enough do not: bool (c,). truth: bool (n, c)."""
    return np.array(
        [min(_holders(one, groups), _holders(~one, groups)) >= LEAST_HOLDERS for one in truth.T], dtype=bool
    )


def _holders(marked: NDArray[np.bool_], groups: Groups) -> int:
    return len(np.unique(groups[marked]))


def _named(metric: str, classes: int) -> str:
    return f"macro {metric} over {classes} {'class' if classes == 1 else 'classes'}"


def _compared(
    metric: str, old: Doubles, fresh: Doubles, one: Slice, other: Slice, left_out: tuple[str, ...]
) -> Compared:
    """old, fresh: the figure of each slice and of its resamples, (1 + BOOTSTRAPS,); NaN where nothing is kept."""
    n_old, n_fresh = len(one[0]), len(other[0])
    if np.isnan(old[0]) or np.isnan(fresh[0]):
        reason = f"fewer than {LEAST_HOLDERS} images with or without each class in one of the slices"
        return Compared(metric, None, None, None, None, None, n_fresh, n_old, reason, left_out)
    drawn = fresh[1:] - old[1:]
    drawn = drawn[~np.isnan(drawn)]
    low, high = (float(each) for each in np.quantile(drawn, [0.025, 0.975]))
    difference = float(fresh[0] - old[0])
    return Compared(metric, float(fresh[0]), float(old[0]), difference, low, high, n_fresh, n_old, "", left_out)
