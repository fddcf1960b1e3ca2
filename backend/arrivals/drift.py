"""Whether new images come from where the old ones came from: two-sample tests, corrected together. Pure.

Every test sees one image a patient, since images of one patient are no independent draws. All p values of a look are
corrected by Holm (1979): where nothing drifted, a look cries wolf in at most 5 % of cases.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from seedqueue.backend.arrivals.separable import separability
from seedqueue.experiments.significance import holm
from seedqueue.selectors.representation import principal_components
from seedqueue.selectors.selection import Embeddings, Rows

LEVEL = 0.05
COMPONENTS = 32
MOST_ROWS = 5_000  # of either part: more of them find differences that matter to nobody
OLD_PER_NEW, LEAST_OLD = 4, 500  # more old images add little power, and would hide the new ones from the components
LEAST_ROWS = 8  # of either part: with fewer nothing could be found

Kind = Literal["appearance", "component", "field"]


@dataclass(frozen=True)
class Test:
    """One comparison of old and new.

    size: how large the difference is, 0 to 1: of a component and a number the greatest gap between the two distribution
    functions (Kolmogorov-Smirnov), of words Cramér's V, of the appearance the AUROC of telling new from old. low, high:
    its interval where there is one. p: as it is; adjusted: after Holm's correction. said: the difference in words.
    """

    __test__ = False  # for pytest

    name: str
    kind: Kind
    size: float
    p: float
    adjusted: float = 1.0
    low: float | None = None
    high: float | None = None
    said: str = ""

    @property
    def drifted(self) -> bool:
        return self.adjusted < LEVEL


def corrected(tests: Sequence[Test]) -> list[Test]:
    """All tests of one look with their adjusted p values, in the order given."""
    return [replace(one, adjusted=p) for one, p in zip(tests, holm([one.p for one in tests]), strict=True)]


def one_of_each(rows: Rows, groups: Rows, seed: int) -> Rows:
    """One row of each patient, drawn at random; ascending. groups: int64 (n,), of all rows."""
    shuffled = np.random.default_rng(seed).permutation(rows)
    _, first = np.unique(groups[shuffled], return_index=True)
    return np.sort(shuffled[first])


def appearance_tests(represented: Embeddings, old: Rows, new: Rows, seed: int) -> list[Test]:
    """The principal components of the embeddings one by one, and a classifier that tells new from old.

    represented: float32 (n, d). old, new: rows, one a patient. Components are fitted to all rows that are compared and
    to no others: fitted to one part, they would fit it better. Empty below 8 images of either part.
    """
    rng = np.random.default_rng(seed)
    new = _some(new, MOST_ROWS, rng)
    old = _some(old, min(MOST_ROWS, max(OLD_PER_NEW * len(new), LEAST_OLD)), rng)
    if min(len(old), len(new)) < LEAST_ROWS:
        return []
    both = represented[np.concatenate([old, new])]
    count = min(COMPONENTS, both.shape[1], len(both) - 1)
    reduced = np.asarray(principal_components(both, count).transform(both), dtype=np.float64)
    before, after = reduced[: len(old)], reduced[len(old) :]
    return [_classifier(before, after, seed), *(_component(before[:, c], after[:, c], c) for c in range(count))]


def _some(rows: Rows, most: int, rng: np.random.Generator) -> Rows:
    return rows if len(rows) <= most else np.sort(rng.choice(rows, most, replace=False))


def _component(old: NDArray[np.float64], new: NDArray[np.float64], number: int) -> Test:
    from scipy.stats import ks_2samp

    found = ks_2samp(old, new)
    return Test(f"component {number + 1}", "component", float(found.statistic), float(found.pvalue))


def _classifier(old: NDArray[np.float64], new: NDArray[np.float64], seed: int) -> Test:
    found = separability(old, new, seed)
    said = f"a classifier tells new from old images with an AUROC of {found.auroc:.2f} (0.50: cannot)"
    return Test("appearance", "appearance", found.auroc, found.p, low=found.low, high=found.high, said=said)
