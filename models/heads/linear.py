"""The linear head: logistic regression on standardised embeddings (METHODS.md: C 0.1). Trained in milliseconds."""

import json
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args

import numpy as np
import numpy.typing as npt

from seedqueue.models.errors import EmbeddingsNotFinite, EmbeddingsOfAnotherSize, HeadUnusable, LabelsUnusable
from seedqueue.models.heads import file_format
from seedqueue.models.heads.regression import Kind, Targets, logistic_regression

FORMAT = "1"
C = 0.1

# Rows standardised at a time, which bounds the memory of a prediction for a whole pool.
_BLOCK = 8192

Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]
Real = npt.NDArray[np.floating]
Name = Literal["mean", "deviation", "weight", "bias"]


@dataclass(frozen=True, eq=False)
class LinearHead:
    """Class probabilities of an embedding x: of the logits weight ((x - mean) / deviation) + bias.

    kind: "single", one class an image, softmax; "multi", any number of classes, a sigmoid each.
    mean, deviation: float (d,), those of the pool, fitted without labels; weight: float (c, d);
    bias: float (c,).
    """

    classes: tuple[str, ...]
    kind: Kind
    mean: Real
    deviation: Real
    weight: Real
    bias: Real

    def probabilities(self, embeddings: Floats) -> Floats:
        """float32 (n, c) of embeddings float32 (n, d).

        Raises `EmbeddingsNotFinite`, `EmbeddingsOfAnotherSize`.
        """
        return self._activated(self._logits(embeddings, self.weight))

    def dropout_probabilities(self, embeddings: Floats, draws: int, seed: int, share: float = 0.5) -> Floats:
        """float32 (draws, n, c): each draw without a random `share` of the standardised columns.

        Inverted dropout (Srivastava et al. 2014): what is kept counts 1 / (1 - share). A draw has one mask
        for all rows: it is one model of the ensemble (Gal & Ghahramani, 1506.02142), a row's
        numbers do not depend on which others are asked for, and all draws are one product. The
        first draws of more are the draws of fewer. share: from 0 to below 1.

        Raises `EmbeddingsNotFinite`, `EmbeddingsOfAnotherSize`.
        """
        if not 0 <= share < 1:
            raise ValueError(f"the share of dropped columns is {share}: give one from 0 to below 1")
        kept = np.random.default_rng(seed).random((draws, 1, len(self.mean))) >= share
        weights = (kept * (self.weight / (1 - share))).reshape(-1, len(self.mean))
        logits = self._logits(embeddings, weights, np.tile(self.bias, draws))
        return self._activated(np.ascontiguousarray(logits.reshape(len(logits), draws, -1).transpose(1, 0, 2)))

    def tensors(self) -> file_format.Tensors:
        return {"mean": self.mean, "deviation": self.deviation, "weight": self.weight, "bias": self.bias}

    def metadata(self) -> dict[str, str]:
        return {"head": "linear", "format": FORMAT, "kind": self.kind, "classes": json.dumps(self.classes)}

    @classmethod
    def from_tensors(cls, tensors: file_format.Tensors, metadata: dict[str, str]) -> Self:
        """The inverse of `tensors` and `metadata`. Raises `HeadUnusable`."""
        kind, classes = _described(metadata)
        _check_tensors(tensors, len(classes))
        return cls(classes=classes, kind=kind, **tensors)

    def to_bytes(self) -> bytes:
        """A safetensors file; the same head gives the same bytes."""
        return file_format.to_bytes(self.tensors(), self.metadata())

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """The inverse of `to_bytes`. Raises `HeadUnusable`."""
        return cls.from_tensors(*file_format.from_bytes(content))

    def _logits(self, embeddings: Floats, weight: Real, bias: Real | None = None) -> Floats:
        """float32 (n, rows of weight), of which `bias` has as many as well."""
        _check_embeddings(embeddings, len(self.mean))
        scaled = np.asarray(weight / self.deviation, dtype=np.float32).T
        shift = np.asarray(self.bias if bias is None else bias, dtype=np.float32)
        logits = np.empty((len(embeddings), len(shift)), dtype=np.float32)
        for start in range(0, len(embeddings), _BLOCK):
            part = slice(start, start + _BLOCK)
            logits[part] = _centred(embeddings[part], self.mean) @ scaled + shift
        return logits

    def _activated(self, logits: Floats) -> Floats:
        from scipy.special import expit, softmax

        return np.asarray(softmax(logits, axis=-1) if self.kind == "single" else expit(logits), dtype=np.float32)


def fit_linear(
    embeddings: Floats,
    targets: Targets,
    classes: tuple[str, ...],
    kind: Kind,
    mean: Real,
    deviation: Real,
    seed: int,
    c: float = C,
) -> LinearHead:
    """Train on labelled images: L2-regularised logistic regression, without class weights.

    embeddings: float32 (n, d), not standardised; targets: bool (n, classes), exactly one a row where kind
    is "single"; mean, deviation: (d,), those of the pool, 0 counts as 1; c: inverse strength of the
    penalty. The arrays of the head are float32, but for mean and deviation, which stay as they are.

    Any labels have an answer: what `logistic_regression` says of classes that none or all of the rows have;
    without any row all probabilities are 1 / classes, or 1/2 for "multi".

    Raises `EmbeddingsNotFinite`, `EmbeddingsOfAnotherSize`, `LabelsUnusable`.
    """
    _check_embeddings(embeddings, len(mean))
    _check_targets(targets, len(embeddings), classes, kind)
    deviation = np.where(deviation == 0, np.ones_like(deviation), deviation)
    standardised = (embeddings.astype(np.float64) - mean) / deviation
    weight, bias = logistic_regression(standardised, targets, kind, c, seed)
    return LinearHead(
        classes=classes,
        kind=kind,
        mean=mean,
        deviation=deviation,
        weight=weight.astype(np.float32),
        bias=bias.astype(np.float32),
    )


def _centred(embeddings: Floats, mean: Real) -> Floats:
    """The rows less the mean, in float32 in two steps: as exact as in float64 and half the work."""
    rounded = mean.astype(np.float32)
    centred = embeddings.astype(np.float32, copy=False) - rounded
    centred -= (mean - rounded).astype(np.float32)
    return centred


def _check_embeddings(embeddings: Floats, d: int) -> None:
    if embeddings.ndim != 2 or embeddings.shape[1] != d:
        raise EmbeddingsOfAnotherSize(d, embeddings.shape)
    bad = np.flatnonzero(~np.isfinite(embeddings).all(axis=1))
    if len(bad):
        raise EmbeddingsNotFinite(bad.tolist(), len(embeddings))


def _check_targets(targets: Targets, n: int, classes: tuple[str, ...], kind: Kind) -> None:
    if targets.shape != (n, len(classes)) or targets.dtype != np.bool_:
        expected = f"true or false of shape {(n, len(classes))}, a row for each embedding and a column for each class"
        raise LabelsUnusable(f"{targets.dtype} of shape {targets.shape} instead of {expected}")
    held = targets.sum(axis=1)
    wrong = np.flatnonzero(held != 1)
    if kind == "single" and len(wrong):
        raise LabelsUnusable(
            f"row {wrong[0]} has {held[wrong[0]]} classes instead of one; let kind be 'multi', or mend its label"
        )


def _described(metadata: dict[str, str]) -> tuple[Kind, tuple[str, ...]]:
    for key, expected in (("head", "linear"), ("format", FORMAT)):
        if metadata.get(key) != expected:
            raise HeadUnusable(key, repr(expected), repr(metadata.get(key)))
    kind: Any = metadata.get("kind")
    if kind not in get_args(Kind):
        raise HeadUnusable("kind", " or ".join(map(repr, get_args(Kind))), repr(kind))
    try:
        classes = json.loads(metadata.get("classes", ""))
    except ValueError:
        classes = None
    if not isinstance(classes, list) or not classes or not all(isinstance(name, str) for name in classes):
        raise HeadUnusable("classes", "a JSON list of texts", repr(metadata.get("classes")))
    if len(set(classes)) < len(classes):
        raise HeadUnusable("classes", "distinct names", repr(classes))
    return kind, tuple(classes)


def _check_tensors(tensors: file_format.Tensors, c: int) -> None:
    names = get_args(Name)
    if set(tensors) != set(names):
        raise HeadUnusable("arrays", ", ".join(sorted(names)), ", ".join(sorted(tensors)) or "none")
    d = tensors["mean"].size
    for name, shape in zip(names, ((d,), (d,), (c, d), (c,)), strict=True):
        value = tensors[name]
        if value.shape != shape or value.dtype not in (np.float32, np.float64):
            raise HeadUnusable(name, f"float32 or float64 of shape {shape}", f"{value.dtype} of shape {value.shape}")
        if not np.isfinite(value).all():
            raise HeadUnusable(name, "finite numbers", "NaN or infinite ones")
    if not (tensors["deviation"] > 0).all():
        raise HeadUnusable("deviation", "numbers above 0", float(tensors["deviation"].min()))
