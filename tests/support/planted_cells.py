"""Cells whose answer is known, as if they had been measured: no images, no training."""

from collections.abc import Iterator, Mapping

import numpy as np

from seedqueue.experiments.cells import Cell, EmbeddingCost, Place, PoolFacts
from seedqueue.experiments.convergence import Convergence
from seedqueue.experiments.grid import Grid, PoolSpec
from seedqueue.experiments.study import Study

BUDGETS = (20, 40, 60, 80, 100)


def cells(
    gains: Mapping[str, float],
    *,
    pool: str = "planted",
    target: str = "lesion",
    embedders: tuple[str, ...] = ("pixels",),
    head: str = "linear",
    repeats: int = 20,
    draws: int = 3,
    noise: float = 0.01,
    metric: str = "auprc",
    start: float = 0.4,
    seed: int = 0,
) -> Iterator[Cell]:
    """Random queues rise from `start` to `start` + 0.2; a selector lies its gain above them, all with noise."""
    rng = np.random.default_rng(seed)
    for embedder in embedders:
        for repeat in range(repeats):
            level = start + rng.normal() * 0.02
            for selector, gain in {"uniform": 0.0, **gains}.items():
                for budget in BUDGETS:
                    for draw in range(draws if selector == "uniform" else 1):
                        value = level + 0.0025 * (budget - 20) + gain + rng.normal() * noise
                        yield Cell(
                            pool=pool,
                            target=target,
                            embedder=embedder,
                            selector=selector,
                            head=head,
                            budget=budget,
                            repeat=repeat,
                            draw=draw,
                            metrics={metric: value, "coverage": 0.5 + budget / 400, "hd": 30 - 10 * value},
                            seconds={"select": 0.1, "train": 0.2 + rng.random(), "judge": 0.05},
                            core_seconds=0.4,
                            memory=300.0,
                            rows=tuple(int(row) for row in rng.choice(300, budget, replace=False)),
                        )


def facts(pool: str = "planted", target: str = "lesion", **other: object) -> PoolFacts:
    """300 images, 200 for training and 100 for the test."""
    told: dict[str, object] = {
        "pool": pool,
        "target": target,
        "task": "classes",
        "n": 300,
        "groups": 250,
        "positives": 90,
        "classes": {},
        "train": 200,
        "validation": 0,
        "test": 100,
        "labels": "a CSV",
        "fixed_split": False,
        "primary": "auprc",
    }
    return PoolFacts(**{**told, **other})  # type: ignore[arg-type]


def grid(selectors: tuple[str, ...], **other: object) -> Grid:
    told: dict[str, object] = {
        "title": "A planted experiment",
        "question": "Does the report see what was planted?",
        "pools": (PoolSpec("planted", "images", "labels.csv"),),
        "embedders": ("pixels",),
        "selectors": ("uniform", *selectors),
        "draws": 3,
    }
    return Grid(**{**told, **other})  # type: ignore[arg-type]


def study(gains: Mapping[str, float], **other: object) -> Study:
    """One pool, one target, one embedder."""
    return Study(
        grid=grid(tuple(gains)),
        cells=list(cells(gains, **other)),  # type: ignore[arg-type]
        facts=[facts()],
        costs=[EmbeddingCost("planted", "pixels", 64, 300, 0.01, 0.02, 250.0, "none: no weights")],
        places=[place(tuple(gains))],
        convergence=[Convergence("planted", "pixels", "unit", 40, 20, 7.5, 1.5, 12, 0.004, 0.31)],
        ran="25 November 2026, seedqueue 0.1.0",
        command="seedqueue experiment --config planted.toml",
    )


def place(selectors: tuple[str, ...], images: int = 300, pool: str = "planted", embedder: str = "pixels") -> Place:
    rng = np.random.default_rng(3)
    points = rng.random((images, 2))
    chosen = {name: tuple(int(row) for row in rng.choice(images, 40, replace=False)) for name in selectors}
    rows, x, y = tuple(range(images)), tuple(points[:, 0].tolist()), tuple(points[:, 1].tolist())
    return Place(pool, embedder, "PCA", 40, rows, x, y, chosen)
