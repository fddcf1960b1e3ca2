"""Cells of a network: VGG-11 or U-Net, trained on one queue, judged on the whole test part."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seedqueue.experiments.class_metrics import bootstrap_sd, class_metrics
from seedqueue.experiments.clock import Clock
from seedqueue.experiments.grid import Grid
from seedqueue.experiments.mask_metrics import mask_metrics
from seedqueue.experiments.prepared import Flags, Floats, PreparedPool, Rows, Target
from seedqueue.experiments.splits import Split
from seedqueue.models.heads.images import SIDE, prepare_masks, to_grid
from seedqueue.models.heads.network_head import NetworkHead
from seedqueue.models.heads.spec import Task, TrainingSpec, honest, paper
from seedqueue.models.heads.training import Validation
from seedqueue.models.metrics.bootstrap import resample
from seedqueue.models.metrics.masks import ImageFigures, mask_figures
from seedqueue.models.metrics.ranking import average_precision

BOOTSTRAPS = 100
CHUNK = 64
CALLED = 0.5  # the probability from which a pixel belongs to a mask


@dataclass(frozen=True, eq=False)
class NetworkTask:
    """A target as a network learns it on a split. imagenet: the file of its first weights; None: random ones."""

    grid: Grid
    pool: PreparedPool
    target: Target
    split: Split
    imagenet: Path | None
    seed: int
    threads: int

    @property
    def task(self) -> Task:
        if self.pool.described.task == "masks":
            return "masks"
        return "single" if self.target.single else "multi"

    @property
    def side(self) -> int:
        return self.grid.side or SIDE

    def metrics(self, chosen: Rows, clock: Clock) -> dict[str, dict[str, float]]:
        """Metrics by column: "" (honest), and "@paper" in that protocol. chosen: rows of the pool."""
        columns: list[tuple[str, TrainingSpec, Validation | None]] = [
            ("", honest(self.task, epochs=self.grid.epochs or None, seed=self.seed), None)
        ]
        if self.grid.protocol == "paper":
            published = paper(self.task, epochs=self.grid.epochs or 100, seed=self.seed)
            columns.append(("@paper", published, self._validation()))
        found = {}
        for name, spec, validation in columns:
            with clock.stage("train"):
                head = self._fitted(chosen, spec, validation)
            with clock.stage("judge"):
                found[name] = self._judged(head, validation)
        return found

    def _fitted(self, chosen: Rows, spec: TrainingSpec, validation: Validation | None) -> NetworkHead:
        names = tuple(self.pool.described.classes[column] for column in self.target.columns)
        head = NetworkHead.create(
            names, self.task, side=self.side, imagenet=self.imagenet, seed=self.seed, threads=self.threads
        )
        head.fit(self._inputs(chosen), self._targets(chosen), spec, validation=validation)
        return head

    def _inputs(self, rows: Rows) -> NDArray[np.uint8]:
        return np.ascontiguousarray(self.pool.inputs(self.side)[rows])

    def _targets(self, rows: Rows) -> Flags:
        if self.task != "masks":
            return self._truth(rows)
        return np.stack([prepare_masks([self.pool.mask(row)], self.side) for row in rows.tolist()])

    def _truth(self, rows: Rows) -> Flags:
        return np.asarray(self.pool.truth[np.ix_(rows, np.array(self.target.columns))], dtype=np.bool_)

    def _validation(self) -> Validation:
        rows = self.split.validation
        return Validation(self._inputs(rows), self._targets(rows), _mean_dice if self.task == "masks" else _mean_auprc)

    def _judged(self, head: NetworkHead, validation: Validation | None) -> dict[str, float]:
        """Out-of-fold thresholds would take five more trainings: the honest column's F1 is that at 0.5, fixed
        beforehand, which the class-weighted loss is balanced for."""
        test = self.split.test
        groups = self.pool.groups[test]
        count = BOOTSTRAPS if self.grid.protocol == "paper" else 0
        weights = resample(groups, count, self.seed).weights
        if self.task == "masks":
            figures = [each for rows in _chunks(test) for each in self._figures(head, rows)]
            first, *others = mask_metrics(figures, weights)
            return {**first, **bootstrap_sd(others, ("dsc", "hd"))}
        tuning = None if validation is None else (head.probabilities(validation.inputs), validation.targets)
        scores = np.concatenate([head.probabilities(self._inputs(rows)) for rows in _chunks(test)])
        first, *others = class_metrics(scores, self._truth(test), tuning, weights)
        return {**first, **bootstrap_sd(others, ("auprc", "f1_youden", "f1_half"))}

    def _figures(self, head: NetworkHead, rows: Rows) -> Iterator[ImageFigures]:
        for row, maps in zip(rows.tolist(), head.maps(self._inputs(rows)), strict=True):
            truth = self.pool.mask(row)
            row_mm, column_mm = self.pool.spacings[row].tolist()
            spacing = (row_mm, column_mm) if self.pool.in_millimetres else None
            yield mask_figures(to_grid(maps, *truth.shape) >= CALLED, truth[None], spacing)[0]


def _chunks(rows: Rows) -> list[Rows]:
    """Images of a test part that are in memory together."""
    return np.split(rows, range(CHUNK, len(rows), CHUNK))


def _mean_auprc(probabilities: Floats, targets: Flags) -> float:
    ones = np.ones((1, len(targets)))
    each = [
        average_precision(probabilities[:, column].astype(np.float64), targets[:, column], ones)[0]
        for column in range(targets.shape[1])
    ]
    return float(np.nanmean(each)) if not np.isnan(each).all() else 0.0


def _mean_dice(probabilities: Floats, targets: Flags) -> float:
    """The mean over images with a target, on the network's own grid: it only chooses an epoch."""
    called = probabilities >= CALLED
    axes = (1, 2, 3)
    there = targets.any(axis=axes)
    both = (called & targets).sum(axis=axes)
    size = called.sum(axis=axes) + targets.sum(axis=axes)
    return float((2 * both[there] / size[there]).mean()) if there.any() else 0.0
