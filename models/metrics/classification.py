"""What a held-out set says of a classifier: figures a class, their macro mean, and the one that decides.

Figures follow shared rules: AUPRC with the prevalence beside it, F1 only from 20 positive images on, intervals
over groups. A class without a positive or without a negative image leaves the macro mean and is named.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from seedqueue.models.errors import NotOneClass, NotProbabilities, UnequalLengths
from seedqueue.models.metrics import bootstrap, class_scores, ranking
from seedqueue.models.metrics.bootstrap import BOOTSTRAPS, Doubles, Groups, Resamples
from seedqueue.models.metrics.calibration import Kind
from seedqueue.models.metrics.class_scores import ClassFigures, Scores
from seedqueue.models.metrics.decisions import Flags, share
from seedqueue.models.metrics.figure import Difference, Figure

# Softmax in float32 sums to 1 and stays within [0, 1] up to this.
_ROUNDING = 1e-6
_NO_CLASS = "no class with positive and negative images"


@dataclass(frozen=True)
class ClassificationFigures:
    """All of a set. left_out: classes that are not in the macro mean. primary: what versions are compared by;
    primary_name says what it is."""

    kind: Kind
    n: int
    groups: int
    classes: tuple[ClassFigures, ...]
    macro: Scores
    left_out: tuple[str, ...]
    accuracy: Figure
    primary: Figure
    primary_name: str


def classification_figures(
    probabilities: npt.NDArray[np.floating],
    targets: Flags,
    classes: Sequence[str],
    kind: Kind,
    thresholds: npt.NDArray[np.floating] | None,
    groups: Groups,
    bootstraps: int = BOOTSTRAPS,
    seed: int = 0,
) -> ClassificationFigures:
    """probabilities: float (n, c) in [0, 1]; targets: bool (n, c), one a row where kind is "single".

    thresholds: float (c,), chosen out of fold; an image is called where its probability is at least that.
    Without them "single" calls the most probable class, and "multi" has no decisions. groups: int64
    (n,): patients, clusters of near-duplicates. Every figure is defined, or None with its reason.
    Raises `UnequalLengths`, `NotProbabilities`, `NotOneClass`.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    _check(p, targets, classes, kind, thresholds, groups)
    resamples = bootstrap.resample(groups, bootstraps, seed)
    called = _called(p, kind, thresholds)
    kept, columns = _kept(targets), range(len(classes))
    values = [
        class_scores.values(p[:, c], targets[:, c], None if called is None else called[:, c], resamples.weights)
        for c in columns
    ]
    each_class = tuple(
        ClassFigures(
            **class_scores.of_class(resamples, values[c], targets[:, c], called is not None),
            name=classes[c],
            n=len(p),
            positives=int(targets[:, c].sum()),
            threshold=None if thresholds is None else float(thresholds[c]),
            caution=class_scores.caution(resamples, targets[:, c]),
        )
        for c in columns
    )
    macro = Scores(**_macro(resamples, values, each_class, kept))
    primary, primary_name = _primary(targets, kind, each_class, macro)
    return ClassificationFigures(
        kind=kind,
        n=len(p),
        groups=resamples.groups,
        classes=each_class,
        macro=macro,
        left_out=tuple(name for each, name in enumerate(classes) if each not in kept),
        accuracy=_accuracy(resamples, p, targets, kind),
        primary=primary,
        primary_name=primary_name,
    )


def primary_difference(
    a: npt.NDArray[np.floating],
    b: npt.NDArray[np.floating],
    targets: Flags,
    kind: Kind,
    groups: Groups,
    bootstraps: int = BOOTSTRAPS,
    seed: int = 0,
) -> Difference:
    """The primary figure of `a` less that of `b`, paired: above 0 where `a` is better.

    a, b: probabilities float (n, c) of two versions for the same images; targets, kind, groups as in
    `classification_figures`, whose errors it raises.
    """
    versions = [np.asarray(each, dtype=np.float64) for each in (a, b)]
    for each in versions:
        _check(each, targets, range(targets.shape[1]), kind, None, groups)
    chosen = _deciding(targets, kind)

    def metric(p: Doubles, weights: Doubles) -> Doubles:
        rows = [ranking.average_precision(p[:, each], targets[:, each], weights) for each in chosen]
        return bootstrap.macro(rows) if rows else np.full(len(weights), np.nan)

    found = bootstrap.paired_difference(metric, versions[0], versions[1], groups, bootstraps, seed)
    if found.value is None:
        return replace(found, reason=_NO_CLASS)
    narrow = [class_scores.narrow(bootstrap.resample(groups, 0, seed), targets[:, each]) for each in chosen]
    return replace(found, low=None, high=None, reason=narrow[0]) if all(narrow) else found


def _kept(targets: Flags) -> list[int]:
    """The classes of the macro mean."""
    return [each for each in range(targets.shape[1]) if targets[:, each].any() and not targets[:, each].all()]


def _macro(
    resamples: Resamples, values: list[dict[str, Doubles]], classes: tuple[ClassFigures, ...], kept: list[int]
) -> dict[str, Figure]:
    found = {}
    for name in Scores.__dataclass_fields__:
        of_class = [getattr(classes[each], name) for each in kept]
        lacking = [
            f"{classes[each].name}: {figure.reason}"
            for each, figure in zip(kept, of_class, strict=True)
            if figure.value is None
        ]
        missing = "; ".join(lacking) or _NO_CLASS
        narrow = of_class[0].reason if of_class and all(each.low is None for each in of_class) else ""
        found[name] = resamples.figure(bootstrap.macro([values[each][name] for each in kept]), missing, narrow)
    return found


def _deciding(targets: Flags, kind: Kind) -> list[int]:
    """The classes whose mean AUPRC is the primary figure: of two exclusive ones the rarer, the second if even."""
    if kind == "single" and targets.shape[1] == 2:
        first, second = targets.sum(axis=0).tolist()
        rarer = 0 if first < second else 1
        return [rarer] if rarer in _kept(targets) else []
    return _kept(targets)


def _primary(targets: Flags, kind: Kind, classes: tuple[ClassFigures, ...], macro: Scores) -> tuple[Figure, str]:
    chosen = _deciding(targets, kind)
    if kind == "single" and len(classes) == 2 and chosen:
        return classes[chosen[0]].auprc, f"AUPRC of {classes[chosen[0]].name}"
    counted = "1 class" if len(chosen) == 1 else f"{len(chosen)} classes"
    return macro.auprc, f"macro AUPRC over {counted}"


def _accuracy(resamples: Resamples, p: Doubles, targets: Flags, kind: Kind) -> Figure:
    if kind == "multi":
        return Figure(None, reason="an image can have several classes")
    if not len(p):
        return Figure(None, reason="no image")
    right = targets[np.arange(len(p)), p.argmax(axis=1)]
    return resamples.figure(share(right, resamples.weights), "no image")


def _called(p: Doubles, kind: Kind, thresholds: npt.NDArray[np.floating] | None) -> Flags | None:
    if thresholds is not None:
        return np.asarray(p >= np.asarray(thresholds), dtype=np.bool_)
    if kind == "multi":
        return None
    called = np.zeros(p.shape, dtype=np.bool_)
    if p.size:
        called[np.arange(len(p)), p.argmax(axis=1)] = True
    return called


def _check(
    p: Doubles,
    targets: Flags,
    classes: Sequence[object],
    kind: Kind,
    thresholds: npt.NDArray[np.floating] | None,
    groups: Groups,
) -> None:
    shape = (len(groups), len(classes))
    for name, found in (("probabilities", p.shape), ("targets", targets.shape)):
        if found != shape:
            raise UnequalLengths(name, found, "groups and classes", shape)
    if thresholds is not None and len(thresholds) != len(classes):
        raise UnequalLengths("thresholds", len(thresholds), "classes", len(classes))
    for row, column in np.argwhere(~((p >= -_ROUNDING) & (p <= 1 + _ROUNDING))).tolist():
        raise NotProbabilities(row, column, float(p[row, column]))
    if kind == "single":
        for row in np.flatnonzero(targets.sum(axis=1) != 1).tolist():
            raise NotOneClass(row, int(targets[row].sum()))
