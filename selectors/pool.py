"""What a selector is given."""

from dataclasses import dataclass

from seedqueue.selectors.allowance import Allowance
from seedqueue.selectors.selection import Embeddings, Rows
from seedqueue.selectors.signals import Signals


@dataclass(frozen=True, eq=False)
class Pool:
    """The pool of one selection, checked.

    embeddings: float32 (n, d), finite, in the selector's representation, not to be written to.
    labelled: int64, sorted, distinct: covered ground, never chosen.
    allowance: which rows may be chosen; `allowance.take(row)` before each one.
    signals: what else is known of the rows; those that the selector's entry needs are there.
    """

    embeddings: Embeddings
    labelled: Rows
    allowance: Allowance
    signals: Signals

    def __len__(self) -> int:
        return len(self.embeddings)
