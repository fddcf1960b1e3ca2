"""A store that is read in blocks, and what a block holds at most."""

import numpy as np
import pytest

from seedqueue.selectors.selection import Embeddings, Rows
from seedqueue.selectors.source import Source, blocks


class Watched(Source):
    """Rows of ones; how many values were asked for at once."""

    def __init__(self, rows: int, columns: int) -> None:
        self.shape_, self.most = (rows, columns), 0

    @property
    def shape(self) -> tuple[int, int]:
        return self.shape_

    def take(self, rows: Rows) -> Embeddings:
        self.most = max(self.most, len(rows) * self.shape_[1])
        return np.broadcast_to(np.float32(1), (len(rows), self.shape_[1]))


@pytest.mark.parametrize("columns", [8, 1024, 50_176, 2**25])
def test_no_block_holds_more_than_64_mib_however_wide_a_row(columns: int) -> None:
    watched = Watched(2000, columns)
    counted = sum(part.stop - part.start for part, _ in blocks(watched))
    assert counted == 2000
    assert watched.most <= max(2**24, columns)
