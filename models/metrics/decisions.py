"""Figures of yes-or-no decisions under many weightings of the images at once."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seedqueue.models.metrics.bootstrap import Doubles

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Decisions:
    """The weights of the four outcomes, float64 (b,) each; every figure is NaN where it divides by nothing."""

    true_positive: Doubles
    false_positive: Doubles
    false_negative: Doubles
    true_negative: Doubles

    @property
    def sensitivity(self) -> Doubles:
        return ratio(self.true_positive, self.true_positive + self.false_negative)

    @property
    def specificity(self) -> Doubles:
        return ratio(self.true_negative, self.true_negative + self.false_positive)

    @property
    def f1(self) -> Doubles:
        """2 TP / (2 TP + FP + FN); not defined without a positive image, even where false alarms make it 0."""
        wrong = self.false_positive + self.false_negative
        found = ratio(2 * self.true_positive, 2 * self.true_positive + wrong)
        return np.where(self.true_positive + self.false_negative > 0, found, np.nan)


def decisions(called: Flags, targets: Flags, weights: Doubles) -> Decisions:
    """called, targets: bool (n,); weights: float64 (b, n)."""
    return Decisions(
        weights @ (called & targets),
        weights @ (called & ~targets),
        weights @ (~called & targets),
        weights @ (~called & ~targets),
    )


def share(images: Flags, weights: Doubles) -> Doubles:
    """The weighted share of the images marked in bool (n,): accuracy of those rightly called, prevalence."""
    return ratio(weights @ images, weights.sum(axis=1))


def ratio(above: Doubles, below: Doubles) -> Doubles:
    """above / below, NaN where below is 0."""
    found: Doubles = np.divide(above, below, out=np.full(len(below), np.nan), where=below > 0)
    return found
