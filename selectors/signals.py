"""What may be known of the rows beside their embeddings: weak labels, a head's predictions.

The interface of the later rounds: a selector sees numbers, never a model.
"""

from dataclasses import dataclass, fields
from typing import Any, Literal, get_args

import numpy as np
import numpy.typing as npt

from seedqueue.selectors.errors import InvalidSignal
from seedqueue.selectors.selection import Rows

SignalName = Literal["weak_labels", "probabilities", "dropout_probabilities", "pixel_entropy", "pixel_disagreement"]
SIGNALS: tuple[SignalName, ...] = get_args(SignalName)

# What each one is, in the words of an error; its shape for n rows.
MEANING: dict[SignalName, str] = {
    "weak_labels": "weak labels, true or false of shape (n, findings)",
    "probabilities": "a head's probabilities of shape (n, classes), each row summing to 1",
    "dropout_probabilities": "a head's probabilities under dropout, of shape (draws, n, classes)",
    "pixel_entropy": "a segmenter's mean entropy over the predicted foreground, of shape (n,)",
    "pixel_disagreement": "a segmenter's disagreement under dropout, of shape (n,)",
}


@dataclass(frozen=True, eq=False, kw_only=True)
class Signals:
    """Each of them None where it is not known.

    weak_labels: bool (n, findings), more than one may hold. probabilities: float (n, classes), each
    row summing to 1. dropout_probabilities: float (draws, n, classes), each row of each draw likewise.
    pixel_entropy, pixel_disagreement: float (n,), larger is more uncertain.
    """

    weak_labels: npt.NDArray[np.bool_] | None = None
    probabilities: npt.NDArray[np.floating] | None = None
    dropout_probabilities: npt.NDArray[np.floating] | None = None
    pixel_entropy: npt.NDArray[np.floating] | None = None
    pixel_disagreement: npt.NDArray[np.floating] | None = None

    def at(self, order: Rows) -> "Signals":
        """The same for the pool in another order."""
        return Signals(**{name: np.take(value, order, axis=_axis(name)) for name, value in self._given()})

    def known(self) -> frozenset[str]:
        """The names of those that are there."""
        return frozenset(name for name, _ in self._given())

    def check(self, n: int) -> None:
        """Raise InvalidSignal unless all that is there suits a pool of n rows."""
        for name, value in self._given():
            meaning, axis = MEANING[name], _axis(name)
            dimensions = {"dropout_probabilities": 3, "pixel_entropy": 1, "pixel_disagreement": 1}.get(name, 2)
            if value.ndim != dimensions or value.shape[axis] != n or 0 in value.shape:
                raise InvalidSignal(name, f"shape {value.shape} for {n} rows", meaning)
            if name == "weak_labels":
                if value.dtype.kind != "b":
                    raise InvalidSignal(name, f"values of type {value.dtype}", meaning)
                continue
            bad = np.flatnonzero(~np.isfinite(np.moveaxis(value, axis, 0).reshape(n, -1)).all(axis=1))
            if len(bad):
                raise InvalidSignal(name, f"NaN or infinite in {len(bad)} rows, the first is row {bad[0]}", meaning)
            if dimensions > 1 and not (np.all(value >= 0) and np.allclose(value.sum(axis=-1), 1, atol=1e-3)):
                raise InvalidSignal(name, "rows that do not sum to 1", meaning)

    def _given(self) -> list[tuple[SignalName, npt.NDArray[Any]]]:
        values = [(field.name, getattr(self, field.name)) for field in fields(self)]
        return [(name, value) for name, value in values if value is not None]  # type: ignore[misc]


def _axis(name: str) -> int:
    """The axis of the rows."""
    return 1 if name == "dropout_probabilities" else 0
