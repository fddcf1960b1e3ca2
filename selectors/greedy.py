"""The greedy choice of what covers most, and of what is farthest.

Generalised coverage (Bae, Noh & Sutherland, "Generalized Coverage for More Robust Low-Budget
Active Learning", 2407.12212): with a kernel k, a weight w of each row and L the labelled rows,

    f(S) = sum over rows i of w_i * max over j in S and L of k(x_i, x_j).

f is monotone and submodular, so the greedy choice reaches at least 1 - 1/e of the best one
(Nemhauser, Wolsey & Fisher 1978), and a gain computed earlier bounds the later one: the lazy greedy
(Minoux 1978) computes again only those on top. Facility location, MaxHerding and ProbCover differ
in the kernel alone.
"""

import heapq
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from seedqueue.selectors.coverage import covered_by, gap_to
from seedqueue.selectors.kernels import COSINE, Kernel, pair_blocks, squared_distances
from seedqueue.selectors.representation import EXACT_ROWS
from seedqueue.selectors.selection import Embeddings, Rows

# Beyond EXACT_ROWS f is estimated from so many rows, and its maximum sought among so many, both
# drawn at random: their kernel values, kept, take 1 GiB. More of either gained less than
# 1 % of coverage at 100,000 rows (docs/selectors.md).
SUMMED_ROWS, CANDIDATE_ROWS = 2**13, 2**15

# Gains computed again at once.
_BATCH = 32

Take = Callable[[int], bool]
Weights = npt.NDArray[np.floating]


def drawn_rows(rows: Rows, count: int, seed: int) -> Rows:
    """All of `rows` up to EXACT_ROWS; beyond it `count` of them at random (or all), in their order."""
    if len(rows) <= max(EXACT_ROWS, count):
        return rows
    return rows[np.sort(np.random.default_rng(seed).choice(len(rows), count, replace=False))]


class Covering:
    """What the labelled rows and those taken so far cover of the pool; the greedy choice in as many steps as wanted."""

    def __init__(
        self,
        embeddings: Embeddings,
        covered: Rows,
        seed: int,
        *,
        kernel: Kernel = COSINE,
        weights: Weights | None = None,
    ) -> None:
        """embeddings: float32 (n, d). covered: the labelled rows. weights: (n,), w; 1 for all by default.

        Rows that weigh nothing are not summed over, so that a sample holds those that do.
        """
        self._embeddings, self._kernel, self._seed = kernel.prepared(embeddings), kernel, seed
        heavy = np.arange(len(embeddings)) if weights is None else np.flatnonzero(weights)
        summed = drawn_rows(heavy, SUMMED_ROWS, seed)
        self._ground = self._embeddings[summed]
        self._weight = np.ones(len(summed), dtype=np.float32) if weights is None else weights[summed].astype(np.float32)
        self._best = np.full(len(summed), kernel.least, dtype=np.float32)
        self._pending = [covered]

    def add(self, row: int) -> None:
        """A row was taken for another reason: it covers too."""
        self._pending.append(np.array([row]))

    def take_best(self, candidates: Rows, count: int, take: Take, least_gain: float = -np.inf) -> Rows:
        """As `greedy_cover`, beyond what was taken before."""
        if not len(candidates) or count < 1:
            return np.empty(0, dtype=np.int64)
        self._settle()
        candidates = drawn_rows(candidates, CANDIDATE_ROWS, self._seed)
        values = np.empty((len(candidates), len(self._ground)), dtype=np.float32)
        for part, block in pair_blocks(self._embeddings[candidates], self._ground, self._kernel):
            values[part] = block
        chosen = _lazy_greedy(values, self._best, self._weight, count, lambda at: take(int(candidates[at])), least_gain)
        return candidates[chosen]

    def _settle(self) -> None:
        """Not in `add`: where no further choice comes nobody asks what a row covers."""
        points = self._embeddings[np.concatenate(self._pending)] if self._pending else self._embeddings[:0]
        np.maximum(self._best, covered_by(self._ground, points, self._kernel), out=self._best)
        self._pending = []


def greedy_cover(
    embeddings: Embeddings,
    candidates: Rows,
    count: int,
    *,
    covered: Rows,
    take: Take,
    seed: int,
    kernel: Kernel = COSINE,
    weights: Weights | None = None,
    least_gain: float = -np.inf,
) -> Rows:
    """Take up to `count` of the candidates, each the one that increases f most: rows int64, in order.

    embeddings: float32 (n, d). candidates: rows, ascending; one that `take` refuses is passed over.
    covered: the labelled rows. weights: (n,), w; 1 for all by default. Ties: the lowest row. It ends
    before `count` where no candidate is left that increases f by more than `least_gain`.

    With m rows summed over and c candidates (`drawn_rows`): time O(m c d), memory O(m c), at most 1 GiB.
    """
    if not len(candidates) or count < 1:
        return np.empty(0, dtype=np.int64)
    covering = Covering(embeddings, covered, seed, kernel=kernel, weights=weights)
    return covering.take_best(candidates, count, take, least_gain)


def coverage_order(embeddings: Embeddings, candidates: Rows, labelled: Rows, seed: int) -> Rows:
    """Order the candidates so that every prefix covers the pool well: positions int64 (k,).

    Facility location restricted to the candidates.
    """
    rows = greedy_cover(
        embeddings, np.sort(candidates), len(candidates), covered=labelled, take=lambda row: True, seed=seed
    )
    rows = np.concatenate([rows, np.setdiff1d(candidates, rows)])
    ascending = np.argsort(candidates)
    return ascending[np.searchsorted(candidates[ascending], rows)]


def farthest_first(embeddings: Embeddings, covered: Rows, count: int, take: Take) -> Rows:
    """Take up to `count` rows, each the one whose nearest covered or taken row is farthest: int64, in order.

    embeddings: float32 (n, d); Euclidean distance. Where nothing is covered yet, the row nearest to
    the pool's mean comes first. Ties: the lowest row. O(n (count + covered) d) time, O(n) memory.
    """
    gap = gap_to(embeddings, embeddings[covered])
    if len(covered) == 0:
        middle = embeddings.mean(axis=0, dtype=np.float64).astype(np.float32)
        gap = -gap_to(embeddings, middle[None])
    gap[covered] = -np.inf
    chosen: list[int] = []
    while len(chosen) < count and gap[row := int(gap.argmax())] > -np.inf:
        gap[row] = -np.inf
        if take(row):
            distance = squared_distances(embeddings, embeddings[row : row + 1])[:, 0]
            known = np.where(gap > -np.inf, np.inf, gap) if not chosen and len(covered) == 0 else gap
            gap = np.minimum(known, distance)
            chosen.append(row)
    return np.asarray(chosen, dtype=np.int64)


def _lazy_greedy(
    values: Embeddings,
    best: npt.NDArray[np.float32],
    weight: npt.NDArray[np.float32],
    count: int,
    take: Take,
    least_gain: float,
) -> Rows:
    """Positions of up to `count` candidates. values: kernel (c, m); best: (m,), the coverage so far, written to."""
    bounds = [(-gain, at) for at, gain in enumerate(_all_gains(values, best, weight).tolist())]
    heapq.heapify(bounds)
    computed = np.zeros(len(values), dtype=np.int64)  # how many had been chosen when the gain was computed
    chosen: list[int] = []
    while bounds and len(chosen) < count:
        negative, at = bounds[0]
        if -negative <= least_gain:
            break  # a bound of all that are left
        if computed[at] == len(chosen):
            heapq.heappop(bounds)
            if take(at):
                chosen.append(at)
                np.maximum(best, values[at], out=best)
            continue
        top = [heapq.heappop(bounds)[1] for _ in range(min(_BATCH, len(bounds)))]
        computed[top] = len(chosen)
        for gain, again in zip(_gains(values[top], best, weight).tolist(), top, strict=True):
            heapq.heappush(bounds, (-gain, again))
    return np.asarray(chosen, dtype=np.int64)


def _all_gains(
    values: Embeddings, best: npt.NDArray[np.float32], weight: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    parts = (values[start : start + _BATCH] for start in range(0, len(values), _BATCH))
    return np.concatenate([_gains(part, best, weight) for part in parts])


def _gains(
    values: Embeddings, best: npt.NDArray[np.float32], weight: npt.NDArray[np.float32]
) -> npt.NDArray[np.float32]:
    """What each candidate would add to f: float32 (c,) from (c, m)."""
    added = values - best
    np.maximum(added, 0, out=added)
    return np.asarray(added @ weight, dtype=np.float32)
