"""One unit from beginning to end. Mostly: what it may not see changes nothing of what comes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import drawn_pools
import numpy as np
import pytest
from numpy.typing import NDArray

from seedqueue.experiments.cells import Cell
from seedqueue.experiments.grid import Grid
from seedqueue.experiments.linear_cells import LinearTask
from seedqueue.experiments.measuring import Measuring
from seedqueue.experiments.prepared import PreparedPool
from seedqueue.experiments.units import Unit
from seedqueue.selectors import registry

N = 120
TRAIN, VALIDATION, TEST = range(70), range(70, 90), range(90, N)
SPLITS = ("train",) * 70 + ("val",) * 20 + ("test",) * 30
OF_EMBEDDINGS = tuple(
    name for name in registry.names() if registry.get(name).first_round and not registry.get(name).needs
)
FIRST_ROUND = (*OF_EMBEDDINGS, "kmeans:clusters=2", "kmeans:pool=40", "kmeans:representation=standardised:components=4")


class Drawn:
    """A pool whose embeddings and truth are changed row by row."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._written = 0
        self.vectors, self.truth = drawn_pools.cloud(N)

    def pool(self, **other: Any) -> PreparedPool:
        self._written += 1
        folder = self._folder / str(self._written)
        embeddings = {"cloud": self.vectors, "other": -self.vectors[:, ::-1]}
        told = {"splits": SPLITS, **other}
        return drawn_pools.write_pool(folder, embeddings, self.truth, **told)

    def change_labels(self, rows: Sequence[int]) -> None:
        at = list(rows)
        self.truth[at] = np.roll(self.truth[at], 1, axis=0)
        assert not (self.truth[at] == np.roll(self.truth[at], 1, axis=0)).all()

    def change_embeddings(self, rows: Sequence[int]) -> None:
        at = list(rows)
        self.vectors[at] = 50 + 3 * np.random.default_rng(9).standard_normal(self.vectors[at].shape)


@pytest.fixture
def drawn(tmp_path: Path) -> Drawn:
    return Drawn(tmp_path)


def cells(pool: PreparedPool, arm: str, grid: Grid | None = None, draw: int = 0, repeat: int = 0) -> list[Cell]:
    grid = grid or drawn_pools.grid()
    unit = Unit("drawn", grid.embedders[0], arm, "linear", repeat, draw, grid.budgets)
    return list(Measuring(grid, pool, unit, drawn_pools.MEANS).cells())


def rows_of(found: Sequence[Cell]) -> dict[tuple[str, int], tuple[int, ...]]:
    return {(cell.target, cell.budget): cell.rows for cell in found}


def metrics_of(found: Sequence[Cell], head: str = "linear") -> list[dict[str, float]]:
    return [dict(cell.metrics) for cell in found if cell.head == head]


@pytest.mark.parametrize("arm", [*FIRST_ROUND, "margin", "kmeans:seeds=5:then=badge"])
def test_the_test_part_changes_no_choice(arm: str, drawn: Drawn) -> None:
    before = rows_of(cells(drawn.pool(), arm))
    drawn.change_embeddings(TEST)
    drawn.change_labels(TEST)
    assert rows_of(cells(drawn.pool(), arm)) == before
    assert {row for rows in before.values() for row in rows} <= {*TRAIN, *VALIDATION}


@pytest.mark.parametrize("arm", FIRST_ROUND)
def test_labels_change_no_choice_of_the_first_round(arm: str, drawn: Drawn) -> None:
    before = rows_of(cells(drawn.pool(), arm))
    drawn.change_labels(range(N))
    assert rows_of(cells(drawn.pool(), arm)) == before


def test_labels_that_were_bought_do_change_a_later_round(drawn: Drawn) -> None:
    grid = drawn_pools.grid(budgets=(30,))
    [before] = cells(drawn.pool(), "margin", grid)
    drawn.truth[list(before.rows[:10])] = ~drawn.truth[list(before.rows[:10])]  # of all 20 the margins would be equal
    [after] = cells(drawn.pool(), "margin", grid)
    assert after.rows[:20] == before.rows[:20]
    assert after.rows[20:] != before.rows[20:]


@pytest.mark.parametrize("arm", ["uniform", "kmeans", "facility-location", "margin"])
def test_nothing_is_learnt_from_what_was_not_bought(arm: str, drawn: Drawn) -> None:
    """The labels of the training part beyond the budget could be anything, for the heads and for later rounds."""
    grid = drawn_pools.grid(budgets=(30,))
    [before] = cells(drawn.pool(), arm, grid)
    drawn.change_labels(sorted({*TRAIN, *VALIDATION} - set(before.rows)))
    [after] = cells(drawn.pool(), arm, grid)
    assert after.rows == before.rows
    assert after.metrics == before.metrics


def test_what_was_bought_is_learnt_from(drawn: Drawn) -> None:
    grid = drawn_pools.grid(budgets=(20,))
    [before] = cells(drawn.pool(), "kmeans", grid)
    drawn.truth[list(before.rows)] = ~drawn.truth[list(before.rows)]
    [after] = cells(drawn.pool(), "kmeans", grid)
    assert after.metrics["auroc"] < 0.5 < before.metrics["auroc"]


@pytest.mark.parametrize("budget", [10, 20])
def test_a_budget_counts_every_label(budget: int, drawn: Drawn, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: set[int] = set()
    truth = LinearTask.truth

    def noted(self: LinearTask, rows: NDArray[np.int64]) -> NDArray[np.bool_]:
        asked.update(rows.tolist())
        return truth(self, rows)

    monkeypatch.setattr(LinearTask, "truth", noted)
    [cell] = cells(drawn.pool(), "kmeans:seeds=5:then=margin", drawn_pools.grid(budgets=(budget,)))
    assert len(cell.rows) == len(set(cell.rows)) == budget
    assert asked - set(TEST) == set(cell.rows)


def test_the_scaler_is_of_the_training_part(drawn: Drawn) -> None:
    def scaler(grid: Grid) -> NDArray[np.float32]:
        unit = Unit("drawn", "cloud", "kmeans", "linear", 0, 0, grid.budgets)
        measuring = Measuring(grid, drawn.pool(), unit, drawn_pools.MEANS)
        found = measuring.view.scaler
        return np.stack([found.mean, found.deviation])

    honest, paper = drawn_pools.grid(), drawn_pools.grid(protocol="paper")
    with_val = drawn.vectors[[*TRAIN, *VALIDATION]]
    without = drawn.vectors[list(TRAIN)]
    np.testing.assert_allclose(scaler(honest), np.stack([with_val.mean(0), with_val.std(0)]), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(scaler(paper), np.stack([without.mean(0), without.std(0)]), rtol=1e-4, atol=1e-5)
    before = scaler(paper)
    drawn.change_embeddings([*VALIDATION, *TEST])
    assert (scaler(paper) == before).all()


def test_the_honest_column_knows_no_validation_part(drawn: Drawn) -> None:
    grid = drawn_pools.grid(protocol="paper")
    before = cells(drawn.pool(), "kmeans", grid)
    assert {cell.head for cell in before} == {"linear", "linear@paper"}
    drawn.change_labels(VALIDATION)
    drawn.change_embeddings(list(VALIDATION)[:5])
    after = cells(drawn.pool(), "kmeans", grid)
    assert rows_of(after) == rows_of(before)
    assert not set(VALIDATION) & {row for cell in after for row in cell.rows}
    assert metrics_of(after) == metrics_of(before)
    assert metrics_of(after, "linear@paper") != metrics_of(before, "linear@paper")


def test_thresholds_alone_differ_between_the_columns(drawn: Drawn) -> None:
    """The linear head has no checkpoints to choose among."""
    found = cells(drawn.pool(), "kmeans", drawn_pools.grid(protocol="paper"))
    for honest, paper in zip(metrics_of(found), metrics_of(found, "linear@paper"), strict=True):
        for name in ("auprc", "auroc", "f1_half", "auprc_bootstrap_sd", "coverage"):
            assert honest.get(name) == paper.get(name), name


def test_the_protocol_paper_adds_the_deviation_over_bootstraps(drawn: Drawn) -> None:
    plain = metrics_of(cells(drawn.pool(), "kmeans"))
    published = metrics_of(cells(drawn.pool(), "kmeans", drawn_pools.grid(protocol="paper")))
    assert all("auprc_bootstrap_sd" not in each for each in plain)
    assert all(0 < each["auprc_bootstrap_sd"] < 0.5 for each in published)


@pytest.mark.parametrize("arm", ["uniform", "kmeans", "margin"])
def test_the_same_unit_gives_the_same_numbers(arm: str, drawn: Drawn) -> None:
    grid = drawn_pools.grid(protocol="paper")
    first, second = cells(drawn.pool(), arm, grid), cells(drawn.pool(), arm, grid)
    plain = {"seconds": {}, "core_seconds": 0.0, "memory": 0.0}
    assert [replace(cell, **plain) for cell in first] == [replace(cell, **plain) for cell in second]


def test_draws_differ_by_their_queues_on_one_split(drawn: Drawn) -> None:
    pool = drawn.pool(splits=("",) * N)
    one, two = (rows_of(cells(pool, "uniform", draw=draw)) for draw in (0, 1))
    assert one != two
    assert rows_of(cells(pool, "uniform", repeat=1)) not in (one, two)
    assert rows_of(cells(pool, "uniform", drawn_pools.grid(random_seed=1))) not in (one, two)


def test_arms_and_draws_of_a_repeat_train_alike(drawn: Drawn) -> None:
    grid, pool = drawn_pools.grid(), drawn.pool()
    units = [Unit("drawn", "cloud", arm, "linear", 1, draw, (10,)) for arm in ("uniform", "kmeans") for draw in (0, 1)]
    assert len({Measuring(grid, pool, unit, drawn_pools.MEANS).training_seed for unit in units}) == 1


def test_a_smaller_budget_of_a_nested_arm_is_the_beginning(drawn: Drawn) -> None:
    found = rows_of(cells(drawn.pool(), "facility-location"))
    assert found["lesion", 20][:10] == found["lesion", 10]


def test_the_head_sees_the_features_asked_for_and_the_selector_its_own(drawn: Drawn) -> None:
    plain = cells(drawn.pool(), "kmeans")
    other = cells(drawn.pool(), "kmeans", drawn_pools.grid(features="other"))
    assert rows_of(plain) == rows_of(other)
    assert [cell.metrics["coverage"] for cell in plain] == [cell.metrics["coverage"] for cell in other]
    drawn.vectors[:, 1:] = 0
    changed = cells(drawn.pool(), "kmeans", drawn_pools.grid(features="other", embedders=("other",)))
    assert [cell.metrics["auprc"] for cell in changed] != [cell.metrics["auprc"] for cell in other]


def test_targets_share_a_queue_unless_the_head_chooses(drawn: Drawn) -> None:
    drawn.truth = np.concatenate([drawn.truth, (drawn.vectors[:, 3:4] > 0)], axis=1)
    pool = drawn.pool(classes=("a", "b"), targets=two_targets())
    for arm, shared in (("kmeans", True), ("kmeans:seeds=5:then=margin", False)):
        found = rows_of(cells(pool, arm))
        assert set(found) == {("a", 10), ("a", 20), ("b", 10), ("b", 20)}
        assert (found["a", 20] == found["b", 20]) is shared


def two_targets() -> Any:
    from seedqueue.experiments.prepared import Target

    return (Target("a", (0,), False), Target("b", (1,), False))


def test_several_classes_at_once_are_averaged(drawn: Drawn) -> None:
    first = drawn.truth[:, 0]
    drawn.truth = np.stack([first, ~first & (drawn.vectors[:, 1] > 0), ~first & (drawn.vectors[:, 1] <= 0)], axis=1)
    found = cells(drawn.pool(classes=("a", "b", "c")), "kmeans")
    assert {cell.target for cell in found} == {"all classes"}
    assert all("positive_share" not in cell.metrics for cell in found)
    assert all(cell.metrics["auroc"] > 0.6 for cell in found)


def test_a_queue_of_one_class_is_judged_too(drawn: Drawn) -> None:
    """It happens where a finding is rare: a head that knows no positive is as good as chance, and no threshold."""
    grid = drawn_pools.grid(budgets=(2, 10))
    chosen = {row for cell in cells(drawn.pool(), "uniform", grid) for row in cell.rows}
    drawn.truth[:] = False
    drawn.truth[[next(row for row in TRAIN if row not in chosen), 95, 100]] = True
    for cell in cells(drawn.pool(), "uniform", grid):
        assert cell.metrics["positive_share"] == 0
        assert cell.metrics["auprc"] == pytest.approx(2 / 30)
        assert "f1_youden" not in cell.metrics


def test_what_is_said_of_a_queue_is_of_the_training_part(drawn: Drawn) -> None:
    [cell] = cells(drawn.pool(), "kmeans", drawn_pools.grid(budgets=(20,)))
    train = drawn.vectors[[*TRAIN, *VALIDATION]]
    unit = (drawn.vectors - train.mean(axis=0)) / train.std(axis=0)
    unit /= np.linalg.norm(unit, axis=1, keepdims=True)
    chosen = unit[list(cell.rows)]
    cosines = unit[[*TRAIN, *VALIDATION]] @ chosen.T
    pairs = (1 - chosen @ chosen.T)[np.triu_indices(20, 1)]
    assert cell.metrics["coverage"] == pytest.approx(cosines.max(axis=1).mean(), abs=1e-5)
    assert cell.metrics["diversity"] == pytest.approx(pairs.mean(), abs=1e-5)
    assert cell.metrics["positive_share"] == pytest.approx(drawn.truth[list(cell.rows)].mean())


def test_stages_are_timed(drawn: Drawn) -> None:
    [cell] = cells(drawn.pool(), "kmeans", drawn_pools.grid(budgets=(20,)))
    assert set(cell.seconds) == {"select", "train", "judge"}
    assert all(value > 0 for value in cell.seconds.values())
    assert cell.memory > 1
