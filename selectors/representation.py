"""The explicit small stage in front of a selector: how embeddings are scaled before distances.

METHODS.md, "What real data said": the representation mattered more than the algorithm.
"""

from typing import Literal, get_args

import numpy as np

from seedqueue.selectors.selection import Embeddings

Representation = Literal["raw", "standardised", "unit"]
REPRESENTATIONS: tuple[Representation, ...] = get_args(Representation)

# Rows handled at once, so that the float64 temporaries stay small next to the embeddings.
_BLOCK = 4096


def represent(embeddings: Embeddings, representation: Representation) -> Embeddings:
    """Return the embeddings in the asked representation; the input is never written to.

    embeddings: float32 (n, d), finite. Returns float32 (n, d).

    raw: as they are.
    standardised: each column to mean 0 and standard deviation 1 over the pool; a constant
        column becomes 0.
    unit: standardised, then each row to length 1; a row of zeros stays one.

    O(n d) time, one copy of the embeddings in memory.
    """
    if representation == "raw":
        return embeddings
    standardised = _standardise(embeddings)
    if representation == "standardised":
        return standardised
    return _to_unit_length(standardised)


def _standardise(embeddings: Embeddings) -> Embeddings:
    if len(embeddings) == 0:
        return embeddings.copy()
    mean = embeddings.mean(axis=0, dtype=np.float64)
    # In float64 the mean of up to 2**29 equal float32 values is exact, so a constant column has
    # a deviation of exactly 0 and becomes 0; in float32 its rounding error would be blown up.
    squares = np.zeros(embeddings.shape[1], dtype=np.float64)
    for start in range(0, len(embeddings), _BLOCK):
        squares += np.square(embeddings[start : start + _BLOCK] - mean).sum(axis=0)
    deviation = np.sqrt(squares / len(embeddings))
    deviation[deviation == 0] = 1.0
    result = np.empty_like(embeddings)
    for start in range(0, len(embeddings), _BLOCK):
        result[start : start + _BLOCK] = (embeddings[start : start + _BLOCK] - mean) / deviation
    return result


def _to_unit_length(standardised: Embeddings) -> Embeddings:
    length = np.linalg.norm(standardised, axis=1, keepdims=True)
    length[length == 0] = 1.0
    return np.asarray(standardised / length, dtype=np.float32)
