"""What a selector returns."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Rows = npt.NDArray[np.int64]
Embeddings = npt.NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Selection:
    """An ordered choice of distinct rows, the most useful first.

    rows: int64 (k,), indices into the embeddings.
    cluster: int64 (k,), the id of the group each row was chosen from; ids mean nothing beyond
        this selection.
    weight: int64 (k,), how many unlabelled rows each one stands for, itself included. An
        unlabelled row is counted for one chosen row at most and a labelled row for none, so the
        weights are at least 1 and sum to at most n minus the labelled. The sum is smaller where
        a selector leaves some groups without a representative.
    """

    rows: Rows
    cluster: Rows
    weight: Rows

    def __len__(self) -> int:
        return len(self.rows)
