"""Selectors against brute force and against scikit-activeml, on pools small enough for both."""

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from signals import all_signals

from seedqueue.selectors.choosing import select
from seedqueue.selectors.clusters import kmeans_clusters
from seedqueue.selectors.first_round.maxherding import BANDWIDTH
from seedqueue.selectors.first_round.probcover import PSEUDO_LABELS, PURITY, pure_radius
from seedqueue.selectors.first_round.typiclust import typicality
from seedqueue.selectors.later_rounds.badge import Gradients
from seedqueue.selectors.later_rounds.dropquery import disagreement
from seedqueue.selectors.later_rounds.uncertainty_herding import bandwidth
from seedqueue.selectors.representation import fit_scaler, represent
from seedqueue.selectors.signals import Signals
from seedqueue.selectors.source import Matrix
from seedqueue.selectors.uncertainty import mutual_information, narrowness, shannon_entropy

Doubles = npt.NDArray[np.float64]
LABELLED = (3, 40, 77)

# Gains in float32 that differ by less may be equal.
TIE = 1e-5


def blobs(n: int = 200, d: int = 8, kinds: int = 12, seed: int = 5) -> npt.NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return (rng.normal(size=(kinds, d))[rng.integers(kinds, size=n)] * 2 + rng.normal(size=(n, d))).astype(np.float32)


def unit(embeddings: npt.NDArray[np.float32]) -> Doubles:
    source = Matrix(embeddings)
    return represent(source, fit_scaler(source), "unit").astype(np.float64)


def cosine(rows: Doubles) -> Doubles:
    return np.asarray(rows @ rows.T)


def gaussian(rows: Doubles, h: float = BANDWIDTH) -> Doubles:
    return np.asarray(np.exp(-np.maximum(2 - 2 * (rows @ rows.T), 0) / h**2))


def assert_greedy(rows: list[int], kernel: Doubles, labelled: tuple[int, ...], least: float, weight: Doubles) -> None:
    """Each row is the one of the largest gain, every gain of every row computed anew in float64.

    Two rows that cover nothing but each other gain exactly alike: rounding decides between them.
    """
    best = kernel[:, list(labelled)].max(axis=1) if labelled else np.full(len(kernel), least)
    for at, row in enumerate(rows):
        gains = np.maximum(kernel - best[:, None], 0).T @ weight
        gains[[*labelled, *rows[:at]]] = -1
        assert gains[row] >= gains.max() - TIE
        best = np.maximum(best, kernel[:, row])


@pytest.mark.parametrize("labelled", [(), LABELLED], ids=["none", "three"])
@pytest.mark.parametrize(
    ("name", "kernel", "least"), [("facility-location", cosine, -1.0), ("maxherding", gaussian, 0.0)]
)
@pytest.mark.parametrize("seed", range(4))
def test_the_lazy_greedy_takes_the_rows_of_the_naive_one(
    name: str, kernel: Callable[[Doubles], Doubles], least: float, labelled: tuple[int, ...], seed: int
) -> None:
    embeddings = blobs(seed=seed)
    rows = select(name, embeddings, 40, labelled=labelled).rows.tolist()
    assert_greedy(rows, kernel(unit(embeddings)), labelled, least, np.ones(200))


@pytest.mark.parametrize(
    ("name", "kernel", "least"), [("facility-location", cosine, -1.0), ("maxherding", gaussian, 0.0)]
)
@pytest.mark.parametrize("seed", range(6))
def test_the_greedy_choice_reaches_its_bound(
    name: str, kernel: Callable[[Doubles], Doubles], least: float, seed: int
) -> None:
    embeddings = blobs(n=14, d=3, kinds=5, seed=seed)
    values = kernel(unit(embeddings)) - least  # f of nothing is 0: the bound is of what is gained
    best = max(values[:, rows].max(axis=1).sum() for rows in itertools.combinations(range(14), 4))
    reached = values[:, select(name, embeddings, 4).rows].max(axis=1).sum()
    assert (1 - 1 / math.e) * best <= reached <= best * (1 + 1e-6)


def test_uncertainty_herding_weighs_what_is_covered() -> None:
    embeddings, signals = blobs(), all_signals(200)
    assert signals.probabilities is not None
    rows = unit(embeddings)
    weight = narrowness(signals.probabilities)
    for labelled in ((), LABELLED):
        kernel = gaussian(rows, bandwidth(rows[list(labelled)].astype(np.float32)))
        chosen = select("uncertainty-herding", embeddings, 30, labelled=labelled, signals=signals)
        assert_greedy(chosen.rows.tolist(), kernel, labelled, 0.0, weight)


def test_its_bandwidth_shrinks_as_labels_come() -> None:
    rows = unit(blobs(n=400, d=3)).astype(np.float32)
    assert bandwidth(rows[:0]) == bandwidth(rows[:1]) == bandwidth(rows[[0, 0, 0]]) == BANDWIDTH
    widths = [bandwidth(rows[:count]) for count in (10, 50, 400)]
    assert BANDWIDTH >= widths[0] > widths[1] > widths[2] > 0
    # One near duplicate does not bring it to nothing.
    assert bandwidth(np.concatenate([rows[:50], rows[:1]])) == pytest.approx(widths[1], rel=0.1)


def test_typicality_is_the_inverse_mean_distance_to_twenty_or_half_the_cluster() -> None:
    for n in (90, 20, 3):
        rows = blobs(n)
        distance = np.linalg.norm(rows[:, None].astype(np.float64) - rows[None], axis=-1)
        nearest = np.sort(distance, axis=1)[:, 1 : 1 + min(20, n // 2)]
        assert typicality(rows) == pytest.approx(1 / nearest.mean(axis=1), rel=1e-4)


def test_typiclust_takes_the_most_typical_of_uncovered_clusters_larger_first() -> None:
    embeddings = blobs()
    rows = unit(embeddings).astype(np.float32)
    label = kmeans_clusters(rows, 23, 0).label
    covered = set(label[list(LABELLED)].tolist())
    sizes = {cluster: int((label == cluster).sum()) for cluster in set(label.tolist()) - covered}
    chosen = select("typiclust", embeddings, 20, labelled=LABELLED)
    first = chosen.rows[: len(sizes)].tolist()
    assert [sizes[int(label[row])] for row in first] == sorted(sizes.values(), reverse=True)
    for row in first:
        members = np.flatnonzero(label == label[row])
        assert row == members[typicality(rows[members]).argmax()]


@pytest.mark.parametrize("seed", range(3))
def test_the_radius_of_probcover_is_the_largest_pure_one(seed: int) -> None:
    rows = unit(blobs(seed=seed)).astype(np.float32)
    label = kmeans_clusters(rows, PSEUDO_LABELS, 0).label
    distance = np.linalg.norm(rows[:, None].astype(np.float64) - rows[None], axis=-1)
    other = label[:, None] != label[None]

    def purity(radius: float) -> float:
        return float(1 - ((distance <= radius) & other).any(axis=1).mean())

    radius = pure_radius(rows, PSEUDO_LABELS, 0)
    assert purity(radius - 1e-5) >= PURITY > purity(radius + 1e-5)


def test_probcover_covers_most_of_what_is_uncovered() -> None:
    embeddings = blobs()
    rows = unit(embeddings)
    radius = pure_radius(rows.astype(np.float32), PSEUDO_LABELS, 0)
    ball = (np.linalg.norm(rows[:, None] - rows[None], axis=-1) <= radius).astype(np.float64)
    uncovered = np.ones(200)
    uncovered[ball[list(LABELLED)].any(axis=0)] = 0
    for row in select("probcover", embeddings, 20, labelled=LABELLED).rows.tolist():
        assert ball[row] @ uncovered == (ball @ uncovered).max()
        uncovered[ball[row] > 0] = 0


def activeml(strategy: Any, rows: Doubles, labelled: tuple[int, ...], batch: int, **options: Any) -> list[int]:
    y = np.full(len(rows), np.nan)
    y[list(labelled)] = 0
    return [int(row) for row in strategy.query(rows, y, batch_size=batch, **options)]


def test_kcenter_is_scikit_activemls_core_set() -> None:
    from skactiveml.pool import CoreSet

    embeddings = blobs()
    chosen = select("kcenter", embeddings, 25, labelled=LABELLED).rows.tolist()
    assert chosen == activeml(CoreSet(random_state=0), unit(embeddings), LABELLED, 25)


def test_typiclust_agrees_with_scikit_activeml_on_clusters_that_are_plain() -> None:
    """Its K-means starts elsewhere: only on well separated clusters are both the same."""
    from skactiveml.pool import TypiClust

    rng = np.random.default_rng(0)
    centres = np.eye(6) * 20
    embeddings = np.concatenate([c + rng.normal(size=(40 + 5 * i, 6)) for i, c in enumerate(centres)])
    rows = unit(embeddings.astype(np.float32))
    kind = np.repeat(np.arange(6), [40 + 5 * i for i in range(6)])
    ours = select("typiclust", embeddings, 6).rows
    theirs = activeml(TypiClust(random_state=0, k=20), rows, (), 6)
    assert sorted(kind[ours].tolist()) == sorted(kind[theirs].tolist()) == list(range(6))
    assert sorted(ours.tolist()) == sorted(theirs)


@pytest.mark.parametrize(
    ("name", "method"),
    [("entropy", "entropy"), ("margin", "margin_sampling"), ("least-confidence", "least_confident")],
)
def test_uncertainty_sampling_is_scikit_activemls(name: str, method: str) -> None:
    from skactiveml.pool import uncertainty_scores

    signals = all_signals(200, classes=4)
    assert signals.probabilities is not None
    scores = uncertainty_scores(signals.probabilities, method=method)
    scores[list(LABELLED)] = -np.inf
    expected = np.argsort(-scores, kind="stable")[:30].tolist()
    assert select(name, blobs(), 30, labelled=LABELLED, signals=signals).rows.tolist() == expected


def test_bald_is_what_the_draws_disagree_about() -> None:
    signals = all_signals(200, classes=3, draws=7)
    draws = signals.dropout_probabilities
    assert draws is not None
    entropy = [[-sum(p * math.log(p) for p in row) for row in draw] for draw in draws.tolist()]
    mean = [-sum(p * math.log(p) for p in row) for row in draws.mean(axis=0).tolist()]
    expected = np.array(mean) - np.mean(entropy, axis=0)
    assert mutual_information(draws) == pytest.approx(expected)
    assert (mutual_information(draws) >= -1e-12).all()
    assert mutual_information(np.stack([draws[0]] * 5)) == pytest.approx(0, abs=1e-12)
    chosen = select("mc-dropout", blobs(), 10, signals=signals).rows
    assert chosen.tolist() == np.argsort(-expected, kind="stable")[:10].tolist()


def test_certain_rows_have_no_uncertainty() -> None:
    sure = np.array([[1.0, 0.0], [0.5, 0.5]])
    assert shannon_entropy(sure).tolist() == pytest.approx([0, math.log(2)])
    assert narrowness(sure).tolist() == [0, 1]
    assert narrowness(np.ones((3, 1))).tolist() == [0, 0, 0]


def test_badges_distances_are_those_of_the_gradients() -> None:
    rows, signals = unit(blobs(n=60)), all_signals(60, classes=4)
    probabilities = signals.probabilities
    assert probabilities is not None
    a = probabilities - np.eye(4)[probabilities.argmax(axis=1)]
    gradient = (a[:, :, None] * rows[:, None, :]).reshape(60, -1)
    found = Gradients(rows.astype(np.float32), probabilities)
    assert found.squared_norm == pytest.approx(np.square(gradient).sum(axis=1), rel=1e-5)
    for row in (0, 17):
        expected = np.square(gradient - gradient[row]).sum(axis=1)
        assert found.squared_distance(row) == pytest.approx(expected, rel=1e-4, abs=1e-6)
        assert found.squared_distance(row)[row] == 0


def test_badge_begins_with_the_largest_gradient_and_draws_by_squared_distance() -> None:
    embeddings, signals = blobs(n=60), all_signals(60)
    found = Gradients(unit(embeddings).astype(np.float32), np.asarray(signals.probabilities))
    first = int(found.squared_norm.argmax())
    second = np.bincount(
        [select("badge", embeddings, 2, signals=signals, seed=seed).rows[1] for seed in range(600)], minlength=60
    )
    assert select("badge", embeddings, 1, signals=signals, seed=1).rows.tolist() == [first]
    expected = found.squared_distance(first) / found.squared_distance(first).sum()
    assert second[first] == 0
    # 600 draws: each share is within four standard deviations.
    assert (np.abs(second / 600 - expected) <= 4 * np.sqrt(expected / 600) + 1e-9).all()


def test_badge_leaves_labelled_gradients_alone() -> None:
    """Rows with the gradient of a labelled one have no chance while others are left."""
    embeddings = np.repeat(blobs(n=10), 4, axis=0)
    signals = Signals(probabilities=np.repeat(np.asarray(all_signals(10).probabilities), 4, axis=0))
    chosen = select("badge", embeddings, 9, labelled=[0], signals=signals).rows
    assert sorted((chosen // 4).tolist()) == list(range(1, 10))


def test_dropquery_clusters_the_rows_that_do_not_withstand_dropout() -> None:
    rng = np.random.default_rng(2)
    probabilities = rng.dirichlet(np.ones(3), size=200)
    draws = rng.dirichlet(np.ones(3), size=(9, 200))
    share = disagreement(probabilities, draws)
    expected = [np.mean([draws[t, i].argmax() != probabilities[i].argmax() for t in range(9)]) for i in range(200)]
    assert share.tolist() == pytest.approx(expected)
    signals = Signals(probabilities=probabilities, dropout_probabilities=draws)
    chosen = select("dropquery", blobs(), 20, labelled=LABELLED, signals=signals).rows
    assert (share[chosen] > 0.5).all()
    assert len(set(chosen.tolist()) & set(LABELLED)) == 0
    calm = Signals(probabilities=probabilities, dropout_probabilities=np.stack([probabilities] * 9))
    assert len(select("dropquery", blobs(), 20, labelled=LABELLED, signals=calm)) == 20


def test_cluster_margin_takes_the_least_sure_row_of_every_free_cluster() -> None:
    embeddings, signals = blobs(), all_signals(200)
    label = kmeans_clusters(unit(embeddings).astype(np.float32), 23, 0).label
    unsure = narrowness(np.asarray(signals.probabilities))
    chosen = select("cluster-margin", embeddings, 20, labelled=LABELLED, signals=signals)
    assert len(set(chosen.cluster.tolist())) == 20
    assert not set(chosen.cluster.tolist()) & set(label[list(LABELLED)].tolist())
    for row, cluster in zip(chosen.rows.tolist(), chosen.cluster.tolist(), strict=True):
        assert unsure[row] == unsure[label == cluster].max()
    assert unsure[chosen.rows].tolist() == sorted(unsure[chosen.rows].tolist(), reverse=True)


@pytest.mark.parametrize("name", ["pixel-entropy", "pixel-disagreement"])
def test_pixel_selectors_follow_their_scores(name: str) -> None:
    signals = all_signals(200)
    scores = np.array(getattr(signals, name.replace("-", "_")))
    scores[list(LABELLED)] = -1
    chosen = select(name, blobs(), 30, labelled=LABELLED, signals=signals).rows
    assert chosen.tolist() == np.argsort(-scores, kind="stable")[:30].tolist()
