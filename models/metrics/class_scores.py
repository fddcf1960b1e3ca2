"""One class's figures against the rest: what can be said of it, and in words what cannot."""

from dataclasses import dataclass

import numpy as np

from seedqueue.models.metrics import calibration, ranking
from seedqueue.models.metrics.bootstrap import Doubles, Resamples
from seedqueue.models.metrics.decisions import Flags, decisions, share
from seedqueue.models.metrics.figure import Figure

LEAST_POSITIVES_FOR_F1 = 20
# Simulated 95 % intervals of AUROC, 150 images: 92 % hold the truth at 15 positive images, 84 % at 7, 71 % at 3.
LEAST_HOLDERS = 10
_INFLATED = "resampling inflates it: no interval"


@dataclass(frozen=True)
class Scores:
    """The figures that a class has and the macro mean has. expected_calibration_error: resampling inflates it,
    so it has no interval."""

    prevalence: Figure
    auprc: Figure
    auprc_above_chance: Figure
    auroc: Figure
    f1: Figure
    sensitivity: Figure
    specificity: Figure
    brier: Figure
    expected_calibration_error: Figure


@dataclass(frozen=True)
class ClassFigures(Scores):
    """One class against the rest. threshold: None where the most probable class was called, or none was given.
    caution: what to mind of its intervals, in words, else ""."""

    name: str
    n: int
    positives: int
    threshold: float | None
    caution: str


def values(p: Doubles, y: Flags, called: Flags | None, weights: Doubles) -> dict[str, Doubles]:
    """Every figure of `Scores` under every weighting, float64 (b,) each, NaN where it is not defined.

    p, y, called: (n,); weights: float64 (b, n). F1 is left undefined below 20 positive images.
    """
    prevalence = share(y, weights)
    precision = ranking.average_precision(p, y, weights)
    found = {
        "prevalence": prevalence,
        "auprc": precision,
        "auprc_above_chance": ranking.above_chance(precision, prevalence),
        "auroc": ranking.auroc(p, y, weights),
        "brier": calibration.brier(p, y, weights),
        "expected_calibration_error": calibration.expected_calibration_error(p, y, weights),
    }
    undecided = np.full(len(weights), np.nan)
    outcomes = None if called is None else decisions(called, y, weights)
    found["sensitivity"] = outcomes.sensitivity if outcomes else undecided
    found["specificity"] = outcomes.specificity if outcomes else undecided
    found["f1"] = outcomes.f1 if outcomes and y.sum() >= LEAST_POSITIVES_FOR_F1 else undecided
    return found


def of_class(resamples: Resamples, found: dict[str, Doubles], y: Flags, decided: bool) -> dict[str, Figure]:
    """What `values` found as figures, each missing part with its reason. decided: whether images were called."""
    lonely = narrow(resamples, y)
    other = {"prevalence": "", "brier": "", "expected_calibration_error": _INFLATED}
    return {
        name: resamples.figure(each, _missing(name, y, decided), other.get(name, lonely))
        for name, each in found.items()
    }


def _missing(name: str, y: Flags, decided: bool) -> str:
    """Why a class has no such figure: only asked where it has none."""
    if not len(y):
        return "no image"
    positives = int(y.sum())
    if name in ("f1", "sensitivity", "specificity") and not decided:
        return "no threshold was chosen"
    if positives == 0 and name != "specificity":
        return "no positive image"
    if name == "f1":
        return f"{positives} positive images, fewer than {LEAST_POSITIVES_FOR_F1}"
    return "no negative image"


def narrow(resamples: Resamples, y: Flags) -> str:
    """Resampling cannot vary what comes from a single group: an interval would claim a certainty nobody has."""
    if resamples.holders(y) < 2:
        return "all positive images are of one group: no interval"
    return "all negative images are of one group: no interval" if resamples.holders(~y) < 2 else ""


def caution(resamples: Resamples, y: Flags) -> str:
    """Said of a class whose positive or negative images come from few groups, else ""."""
    for name, holders in (("positive", resamples.holders(y)), ("negative", resamples.holders(~y))):
        if 0 < holders < LEAST_HOLDERS:
            groups = "1 group" if holders == 1 else f"{holders} groups"
            return f"{name} images of only {groups}: the intervals are narrower than they should be"
    return ""
