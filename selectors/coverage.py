"""What the chosen rows cover: similarity blocks, greedy order, nearest chosen row.

All on vectors of length 1 (or 0), where the cosine is the dot product.
"""

import heapq
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from seedqueue.selectors.selection import Embeddings, Rows

# Similarities held at once in a block: 2**22 float32 are 16 MiB.
_BLOCK_CELLS = 2**22

# The lowest cosine: what a pool row gets before anything is chosen.
_UNCOVERED = -1.0


def similarity_blocks(unit: Embeddings, rows: Rows) -> Iterator[tuple[slice, Embeddings]]:
    """Cosines of all n rows with `rows`, in slices of the pool: (slice, float32 (block, k)).

    Never more than 16 MiB at once (or one row of k), so neither n x n nor n x k is held.
    """
    targets = unit[rows].T
    step = max(1, _BLOCK_CELLS // max(1, len(rows)))
    for start in range(0, len(unit), step):
        part = slice(start, min(start + step, len(unit)))
        yield part, unit[part] @ targets


def covered_by(unit: Embeddings, rows: Rows) -> npt.NDArray[np.float32]:
    """Each pool row's cosine with the nearest of `rows`: float32 (n,); -1 without rows."""
    best = np.full(len(unit), _UNCOVERED, dtype=np.float32)
    if len(rows):
        for part, similarity in similarity_blocks(unit, rows):
            best[part] = similarity.max(axis=1)
    return best


def nearest_of(unit: Embeddings, rows: Rows) -> Rows:
    """The position in `rows` of each pool row's nearest by cosine, int64 (n,); ties: the first."""
    nearest = np.empty(len(unit), dtype=np.int64)
    for part, similarity in similarity_blocks(unit, rows):
        nearest[part] = similarity.argmax(axis=1)
    return nearest


def coverage_order(unit: Embeddings, candidates: Rows, labelled: Rows) -> Rows:
    """Order the candidates so that every prefix covers the pool well: positions int64 (k,).

    Facility location restricted to the candidates: with L the labelled rows, each step takes
    the candidate that most increases

        f(S) = sum over the pool's rows i of max(-1, max over j in S and L of cos(x_i, x_j)).

    f is submodular, so the greedy prefix of length m reaches at least 1 - 1/e of the best m
    candidates (Nemhauser, Wolsey & Fisher 1978), and a gain computed earlier bounds the later
    one: the lazy greedy (Minoux 1978) recomputes only the top of a heap. Ties: the lowest row.

    Time O(n k d) for the first gains and O(n d) for each recomputed one; memory O(n).
    """
    best = covered_by(unit, labelled)
    gains = np.zeros(len(candidates), dtype=np.float64)
    for part, similarity in similarity_blocks(unit, candidates):
        gains += np.maximum(similarity - best[part, None], 0.0).sum(axis=0, dtype=np.float64)
    heap = [(-float(gain), int(candidates[at]), at) for at, gain in enumerate(gains)]
    heapq.heapify(heap)
    order: list[int] = []
    while heap:
        _, row, at = heapq.heappop(heap)
        similarity = unit @ unit[row]
        gain = float(np.maximum(similarity - best, 0.0).sum(dtype=np.float64))
        if heap and (-gain, row) > heap[0][:2]:
            heapq.heappush(heap, (-gain, row, at))
            continue
        order.append(at)
        np.maximum(best, similarity, out=best)
    return np.asarray(order, dtype=np.int64)
